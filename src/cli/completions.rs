//! `sentrynet completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, Exit, Process};

/// What `completions` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell that completes.
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(options: &Options, process: &Process) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "sentrynet", &mut script);
    process.terminal.print(&String::from_utf8_lossy(&script));
    Exit::Well
}
