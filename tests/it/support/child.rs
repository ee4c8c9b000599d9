//! A test in a process of its own, to be killed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const DIRECTORY: &str = "SENTRYNET_TEST_DIRECTORY";

/// The test of this name, in a process of its own, with this directory, and living on when a file grows too large.
pub(crate) fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new("sh");
    let executable = std::env::current_exe().expect("tests are programs");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(executable);
    command.args(["--exact", test, "--nocapture"]).env(DIRECTORY, directory);
    command
}

/// In such a process: the directory.
pub(crate) fn child_directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}
