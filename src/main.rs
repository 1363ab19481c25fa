//! The program `draft`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: a supervisor stays small, and there may be a hundred of them.
    let mut arguments = std::env::args_os().skip(1);
    if let (Some(command), Some(folder)) = (arguments.next(), arguments.next())
        && command == "supervise"
    {
        return draft_board::run::supervise::main(Path::new(&folder));
    }
    ExitCode::SUCCESS
}
