//! One YAML file, compiled completely before the first probe starts.

mod diagnostics;
mod environment;
mod mask;
mod source;
mod substitute;
mod yaml;

use std::path::Path;

use probe_keys::Findings;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use environment::Environment;

use crate::{check::Check, redact::Redactor, report, trace::Tracing};
use source::Sources;

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

/// A configuration, and what it could do better.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to run.
    pub config: Config,
    /// No errors among them.
    pub warnings: Diagnostics,
}

/// Reads, substitutes and compiles a file and those it includes. `redactor` learns every secret in them before anything
/// is shown.
///
/// # Errors
/// Every mistake of every file, at once, and the warnings.
pub fn load(path: &Path, environment: &Environment, redactor: &Redactor) -> Result<Loaded, Diagnostics> {
    let (mut sources, findings) = (Sources::default(), Findings::default());
    match source::read(path, source::LARGEST) {
        Ok(text) => {
            let source = sources.add(path.display().to_string(), text);
            if let Some(mut node) = yaml::parse(&sources.get(source).unwrap().text, source, &findings) {
                substitute::Substitution { environment, directory: path, findings: &findings }.fill(&mut node, "");
            }
        }
        Err(_) => {}
    }
    let (problems, secrets) = findings.into_parts();
    redactor.learn(secrets.clone());
    Err(Diagnostics::new(&sources, problems, &secrets, redactor))
}
