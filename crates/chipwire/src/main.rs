//! The binary: see the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    chipwire::memory::keep_small();
    let _points = chipwire::fail_points::set_up();
    chipwire::cli::main()
}
