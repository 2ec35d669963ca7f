//! What librdkafka's error codes mean to the log.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// A class of error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Waiting can help: no connection, no leader, no answer.
    Away,
    /// The topic or partition does not exist.
    Unknown,
    /// A newer client of the same name, or the group, took over.
    Fenced,
    /// The group is between two generations: the same with the new one may do.
    Stale,
    /// The position is not in the partition.
    OutOfRange,
    /// Bytes are not as they were written.
    Damaged,
    /// Anything else.
    Other,
}

pub(super) fn meaning(code: Code) -> Meaning {
    match code {
        // Of these the client says more on its own; see `Context::denial`.
        Code::Authentication
        | Code::SSL
        | Code::BrokerTransportFailure
        | Code::Resolve
        | Code::MessageTimedOut
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::WaitingForCoordinator
        | Code::TimedOutQueue
        | Code::DestroyBroker
        | Code::WaitCache
        | Code::Retry
        | Code::InProgress
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::RequestTimedOut
        | Code::BrokerNotAvailable
        | Code::ReplicaNotAvailable
        | Code::NetworkException
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::NotController
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::ConcurrentTransactions
        | Code::KafkaStorageError
        | Code::FencedLeaderEpoch
        | Code::UnknownLeaderEpoch
        | Code::OffsetNotAvailable
        | Code::PreferredLeaderNotAvailable
        | Code::EligibleLeadersNotAvailable
        | Code::UnstableOffsetCommit
        | Code::ThrottlingQuotaExceeded => Meaning::Away,
        Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicId
        | Code::InvalidTopic => Meaning::Unknown,
        Code::Fenced
        | Code::ProducerFenced
        | Code::InvalidProducerEpoch
        | Code::InvalidProducerIdMapping
        | Code::TransactionCoordinatorFenced
        | Code::UnknownMemberId
        | Code::FencedInstanceId
        | Code::FencedMemberEpoch
        | Code::AssignmentLost => Meaning::Fenced,
        Code::IllegalGeneration | Code::RebalanceInProgress | Code::StaleMemberEpoch => Meaning::Stale,
        Code::OffsetOutOfRange | Code::AutoOffsetReset | Code::LogTruncation => Meaning::OutOfRange,
        Code::BadMessage
        | Code::BadCompression
        | Code::InvalidMessage
        | Code::Underflow
        | Code::UnsupportedCompressionType => Meaning::Damaged,
        _ => Meaning::Other,
    }
}

/// The code inside an error, whatever was being done. Some of the binding's errors carry only text.
pub(super) fn code_of(error: &KafkaError) -> Code {
    match error {
        KafkaError::AdminOp(code) => *code,
        other => other.rdkafka_error_code().unwrap_or(Code::Fail),
    }
}
