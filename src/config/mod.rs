//! One YAML file, compiled completely before the first probe starts.

use crate::{check::Check, report, trace::Tracing};

/// Everything the file says, ready to run.
#[derive(Debug)]
pub struct Config {
    /// The enabled checks, in file order.
    pub checks: Vec<Check>,
    /// Where results go; `None` when nothing is sent.
    pub sentry: Option<report::sentry::Settings>,
    /// What the traces of this daemon have in common.
    pub tracing: Tracing,
}
