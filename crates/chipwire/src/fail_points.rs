//! Named points in the code at which tests kill the process, hold it, or make it panic.
//!
//! They are there in what `cargo test` builds, and nothing at all elsewhere: the feature `failpoints` of the crate `fail` is one
//! of this package's `[dev-dependencies]`. Even there nothing happens unless the environment says so:
//!
//! | variable | for example | what it does |
//! | --- | --- | --- |
//! | `FAILPOINTS` | `panic-in-enrich=panic` | whatever `fail` knows: `panic`, `sleep(1000)`, with counts and shares |
//! | [`KILL_AT`] | `after-append=3` | kill -9 of the process when it comes by this point for the third time |
//! | [`HOLD_AT`] | `before-enrich=1` | whoever comes by from the first time on stands still for ever, and the process says so |

use std::{
    env,
    io::{self, Write},
    sync::atomic::{AtomicI64, Ordering},
    thread,
};

/// The variable that says where the process is killed, and at which pass.
pub const KILL_AT: &str = "CHIPWIRE_KILL_AT";

/// The variable that says where a thread stands still, and from which pass on.
pub const HOLD_AT: &str = "CHIPWIRE_HOLD_AT";

/// The points of an article's way at which a process may be killed, in the order in which it comes by them.
///
/// `append` is what puts records into a transaction of the log, and `fsync` what makes that durable: `COMMIT` in the embedded
/// log, the end of the transaction on Kafka. A `commit` is that of a stage: its output and its position.
pub const POINTS: [&str; 17] = [
    "before-fetch",
    "after-fetch",
    "before-commit",
    "before-append",
    "after-append",
    "before-fsync",
    "after-fsync",
    "after-commit",
    "before-enrich",
    "after-enrich",
    "before-prepare-commit",
    "before-meta-rename",
    "after-meta-rename",
    "before-raise",
    "after-raise",
    "before-send",
    "after-send",
];

/// Holds what the environment has set up, for as long as the process runs.
pub struct SetUp {
    _scenario: Option<fail::FailScenario<'static>>,
}

/// Does what the environment says of the points, if there are any.
pub fn set_up() -> SetUp {
    let scenario = fail::has_failpoints().then(fail::FailScenario::setup);
    if scenario.is_some() {
        from_pass_on(KILL_AT, |_| kill());
        from_pass_on(HOLD_AT, hold);
    }
    SetUp { _scenario: scenario }
}

/// Has `act` done at the point that `variable` names, from the pass on that it names.
fn from_pass_on(variable: &str, act: fn(&str)) {
    let Ok(text) = env::var(variable) else { return };
    let Some((point, pass)) =
        text.split_once('=').and_then(|(point, pass)| Some((point.to_owned(), pass.parse().ok()?)))
    else {
        return;
    };
    let left = AtomicI64::new(pass);
    let name = point.clone();
    let pass_by = move || {
        if left.fetch_sub(1, Ordering::SeqCst) <= 1 {
            act(&name);
        }
    };
    // Fails only for actions that do not parse.
    let _ = fail::cfg_callback(point, pass_by);
}

fn hold(point: &str) {
    let _ = writeln!(io::stderr(), "held at {point}");
    loop {
        thread::park();
    }
}

/// Ends this process as the kernel does it, with no more said or done.
fn kill() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort();
}

/// Does what the environment says of `point` with an article whose title names it: panics, as a rule.
pub(crate) fn poison(point: &str, title: &str) {
    if fail::has_failpoints() && title.contains(point) {
        fail::fail_point!(point);
    }
}
