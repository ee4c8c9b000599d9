//! `sentrynet schema`: what a configuration may hold, for editors.

use super::{Exit, Process};
use crate::config;

/// Prints the JSON Schema.
pub(super) fn run(process: &Process) -> Exit {
    process.terminal.print(&format!("{:#}\n", config::schema()));
    Exit::Well
}
