//! The laws of the log as functions that any backend can be held against.
//!
//! A backend's test implements [`Fixture`] and runs every entry of [`all`]. A law that does not hold panics and says what it
//! saw. The laws make topics and groups with names of their own, so they can run side by side on one broker, and they wait
//! by polling with a deadline, so they fit a slow backend as well as a fast one.
//!
//! They count on no more than the port promises: offsets may have holes, a call may return an empty batch before its wait is
//! over, assignments may arrive late and in pieces, a group may share its partitions or give them all to its newest member.
//!
//! The sixth law, that corruption is loud, needs to damage the backend's own files and is tested with each backend.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a law speaks by panicking")]

mod append;
mod fencing;
mod read;
mod script;
mod state;
mod topics;
mod work;

use std::time::Duration;

use crate::EventLog;

/// What the laws need to know of a backend.
pub trait Fixture: Sync {
    /// Another handle on the one log of this fixture, as another process would open it.
    fn open(&self) -> Box<dyn EventLog>;

    /// A name that contains `name` and that no earlier call has returned. For topics, groups, members and writers.
    fn unique(&self, name: &str) -> String;

    /// After this long without what was expected, a law fails. It is also the longest wait that a law asks of a reader; a
    /// reader that waits must be woken by an append in less than half of it.
    fn deadline(&self) -> Duration;
}

/// A law: panics when it does not hold.
pub type Law = fn(&dyn Fixture);

/// All laws with their names, the number in front being that of the crate's docs.
pub fn all() -> Vec<(&'static str, Law)> {
    vec![
        ("0 genesis is the same through every handle", topics::genesis),
        ("0 ensure creates what is missing and refuses another partition count or kind", topics::ensure),
        ("0 an unknown topic is an error", topics::unknown_topic),
        ("0 an unknown partition is an error", topics::unknown_partition),
        ("0 bounds enclose what was written", topics::bounds),
        ("1 an append over several topics is visible as a whole", append::over_several_topics),
        ("1 an append that fails leaves nothing", append::failed_leaves_nothing),
        ("1 an append is there when everything was closed and opened again", append::survives_reopening),
        ("1 an append of nothing does nothing", append::of_nothing),
        ("1 bytes, headers and tombstones come back as they were", append::round_trip),
        ("1 a record of 1 MB passes", append::large_record),
        ("1 a commit stores outputs and positions together", work::commit_stores_both),
        ("1 a commit may hold outputs only, positions only, or nothing", work::partial_commits),
        ("1 a commit that fails leaves neither outputs nor positions", work::failed_commit),
        ("1 a group handles every record once while members come and go", work::members_come_and_go),
        ("2 records of concurrent writers keep each writer's order", read::concurrent_writers),
        ("2 a reader goes on exactly at its positions", read::resumes),
        ("2 a reader keeps to its limit but returns one record at least", read::limit),
        ("2 a worker keeps to its limit but returns one record at least", work::limit),
        ("2 a reader is at the end when it has everything", read::at_end),
        ("2 a waiting reader is woken by an append", read::woken),
        ("2 a reader reads only its topics", read::only_its_topics),
        ("2 a position outside of the bounds is an error", read::out_of_range),
        ("3 a newer writer fences the older of its name", fencing::writer),
        ("3 writers of other names do not fence each other", fencing::other_names),
        ("3 a newer worker fences the older of its name", fencing::worker),
        ("3 a writer does not fence a worker of the same name, nor the other way round", fencing::kinds),
        ("3 groups do not disturb each other", fencing::groups),
        ("4 a worker opened anew goes on at the stored positions", work::goes_on),
        ("5 the latest value per key, and none after a tombstone", state::latest_per_key),
        ("5 a state of some partitions holds only their keys", state::partition_filter),
        ("5 a reader from a state's positions sees exactly what came after", state::positions),
        ("5 a state taken while others write fits its positions", state::while_written),
    ]
}
