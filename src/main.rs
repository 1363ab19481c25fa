//! The program `draft`: tells its hidden roles apart, hands the arguments to the command line, and ends with an exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // Before anything else: a supervisor stays small, and there may be a hundred of them.
    match (args.get(1).and_then(|arg| arg.to_str()), args.get(2)) {
        (Some("supervise"), Some(folder)) => draft_board::run::supervise::main(Path::new(folder)),
        (Some("demo-agent"), _) => {
            let rest = args.iter().skip(2).map(|arg| arg.to_string_lossy().into_owned());
            draft_board::demo::agent::main(rest.collect())
        }
        _ => draft_board::cli::main(args),
    }
}
