//! The brokers that a plan needs: those to which something happens are nobody else's.

use std::{fs, thread};

use chipwire_log::kafka::KafkaConfig;

use super::plan::{Fault, Numbers, Plan};
use crate::{
    broker::{Broker, Cluster, NODES},
    proxy::Proxy,
    support::Backend,
};

pub(super) enum Brokers {
    /// None, or the one that all tests share.
    Others,
    One(Broker),
    Behind(Proxy, Broker),
    Three(Cluster),
}

impl Drop for Brokers {
    /// Says what those of our own said last, where that may be the reason.
    fn drop(&mut self) {
        let own: Vec<&Broker> = match self {
            Self::Others => Vec::new(),
            Self::One(broker) | Self::Behind(_, broker) => vec![broker],
            Self::Three(cluster) => (0..NODES).map(|number| cluster.broker(number)).collect(),
        };
        for broker in own.into_iter().filter(|_| thread::panicking()) {
            let said = fs::read_to_string(broker.log_file()).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            eprintln!("--- {} ---\n{}", broker.bootstrap(), lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

impl Brokers {
    pub(super) fn start(plan: &Plan) -> Self {
        let own = [Fault::BrokerKill, Fault::BrokerPause, Fault::Rebalance];
        if plan.backend == Backend::Sqlite {
            return Self::Others;
        }
        if plan.brokers > 1 {
            return Self::Three(Cluster::start());
        }
        if plan.count(Fault::LateEnd) > 0 {
            let mut proxy = None;
            let broker = Broker::start_behind(|port| proxy.insert(Proxy::start(port)).port());
            return Self::Behind(proxy.unwrap(), broker);
        }
        if own.iter().any(|fault| plan.count(*fault) > 0) { Self::One(Broker::start()) } else { Self::Others }
    }

    /// How a site uses them; `None` if they are not its own.
    pub(super) fn config(&self, plan: &Plan) -> Option<KafkaConfig> {
        let usual = KafkaConfig::default();
        Some(match self {
            Self::Others => return None,
            Self::One(broker) => KafkaConfig { brokers: broker.bootstrap(), ..usual },
            // A worker that gives up before the broker hears of its commit.
            Self::Behind(_, broker) => {
                let transaction_timeout_ms = u32::try_from(plan.hold.as_millis() / 2).unwrap();
                KafkaConfig { brokers: broker.bootstrap(), transaction_timeout_ms, ..usual }
            }
            Self::Three(cluster) => KafkaConfig { brokers: cluster.bootstrap(), replication_factor: 3, ..usual },
        })
    }

    /// One of them.
    pub(super) fn any(&self, numbers: &mut Numbers) -> &Broker {
        match self {
            Self::Others => panic!("these brokers are not ours"),
            Self::One(broker) | Self::Behind(_, broker) => broker,
            Self::Three(cluster) => cluster.broker(numbers.below(NODES)),
        }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        if let Self::Three(cluster) = self { cluster } else { panic!("this needs three brokers") }
    }

    pub(super) fn proxy(&self) -> &Proxy {
        if let Self::Behind(proxy, _) = self { proxy } else { panic!("this needs a proxy before the broker") }
    }

    /// How often a group has shared out its partitions, as the brokers' own logs say.
    pub(super) fn generations(&self) -> usize {
        let of = |broker: &Broker| fs::read_to_string(broker.log_file()).unwrap().matches("Stabilized group").count();
        match self {
            Self::Others => 0,
            Self::One(broker) | Self::Behind(_, broker) => of(broker),
            Self::Three(cluster) => (0..NODES).map(|number| of(cluster.broker(number))).sum(),
        }
    }
}
