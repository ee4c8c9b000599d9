//! One YAML file, compiled completely before the first probe starts.

mod compile;
mod delivery;
mod diagnostics;
mod environment;
mod filtered;
mod identity;
mod include;
mod keys;
mod kinds;
mod line;
mod list;
mod mask;
mod monitor;
mod nodes;
mod propagate;
mod sentry;
mod source;
mod substitute;
mod tags;
mod timing;
mod watched;
mod yaml;

use std::{net::SocketAddr, path::Path};

use probe_core::Secret;
use probe_keys::{At, Definitions, Findings, Node, OneOrMany, Place, Placed, Read, Severity, Spot, Value};
use serde_json::{Value as Json, json};

pub use diagnostics::{Diagnostic, Diagnostics};
pub use environment::Environment;
pub use kinds::Tokens;
pub use watched::Watched;

use crate::{
    check::Check,
    redact::Redactor,
    report,
    trace::{Propagate, Tracing},
};
use compile::{Draft, Level};
use keys::{Document, Included};
use line::Line;
use list::List;
use propagate::WrittenPropagate;
use source::Sources;
use substitute::Substitution;
use tags::WrittenTags;

/// Everything the file says, ready to run.
#[derive(Debug)]
pub struct Config {
    /// The enabled checks, in file order.
    pub checks: Vec<Check>,
    /// Where results go; `None` when nothing is sent.
    pub sentry: Option<report::sentry::Settings>,
    /// What the traces of this daemon have in common.
    pub tracing: Tracing,
    /// Where the daemon's own numbers are served; nowhere if absent.
    pub listen: Option<SocketAddr>,
    /// The files it was read from.
    pub watched: Watched,
    /// The sources of tokens, for [`load_again`].
    pub tokens: Tokens,
}

/// A configuration, and what it could do better.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to run.
    pub config: Config,
    /// No errors among them.
    pub warnings: Diagnostics,
}

/// The files being read, and what was found in them.
#[derive(Debug)]
struct Reading<'a> {
    environment: &'a Environment,
    tokens: Tokens,
    sources: Sources,
    findings: Findings,
    substituted: Vec<Secret>,
}

/// Everything but the names of the checks.
#[derive(Debug)]
struct Drafted {
    drafts: Vec<Draft>,
    sentry: Option<report::sentry::Settings>,
    listen: Option<SocketAddr>,
    propagate: Propagate,
    watched: Watched,
}

/// Reads, substitutes and compiles a file and those it includes. `redactor` learns every secret in them before anything
/// is shown.
///
/// # Errors
/// Every mistake of every file, at once, and the warnings.
pub fn load(path: &Path, environment: &Environment, redactor: &Redactor) -> Result<Loaded, Diagnostics> {
    load_again(path, environment, redactor, Tokens::default())
}

/// The same while another configuration is in use, whose `tokens` go on being used.
///
/// # Errors
/// As those of [`load`].
pub fn load_again(
    path: &Path,
    environment: &Environment,
    redactor: &Redactor,
    tokens: Tokens,
) -> Result<Loaded, Diagnostics> {
    let (sources, findings) = (Sources::default(), Findings::default());
    let mut reading = Reading { environment, tokens, sources, findings, substituted: Vec::new() };
    let drafted = reading.main(path);
    let Reading { tokens, sources, findings, substituted, .. } = reading;
    let (mut problems, mut secrets) = findings.into_parts();
    redactor.learn(secrets.clone());
    let naming = Findings::default();
    let config = drafted.map(|Drafted { drafts, sentry, listen, propagate, watched }| Config {
        watched,
        tokens,
        checks: compile::checks(drafts, sentry.is_some(), redactor, &naming),
        tracing: sentry::tracing(sentry.as_ref(), propagate),
        sentry,
        listen,
    });
    problems.extend(naming.into_parts().0);
    // A value from outside may stand where it is no secret (a title); the text of a mistake is not such a place.
    secrets.extend(substituted);
    let diagnostics = Diagnostics::new(&sources, problems, &secrets, redactor);
    match config {
        Some(config) if diagnostics.count(Severity::Error) == 0 => Ok(Loaded { config, warnings: diagnostics }),
        _ => Err(diagnostics),
    }
}

/// The JSON Schema (2020-12) of a file, for editors. It describes the form; what a value means is checked by [`load`].
pub fn schema() -> Json {
    let mut definitions = Definitions::default();
    let document = Document::schema(&mut definitions);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SentryNet configuration",
        "$defs": definitions.into_json(),
    });
    // A reference to the document's own definition, or the definition itself.
    if let (Some(schema), Json::Object(document)) = (schema.as_object_mut(), document) {
        schema.extend(document);
    }
    schema
}

// === impl Reading ===

impl Reading<'_> {
    /// The file that was asked for, and those it includes.
    fn main(&mut self, path: &Path) -> Option<Drafted> {
        let node = self.tree(path)?;
        let Document { sentry, groups, tags, location, defaults, metrics, include } =
            Document::read(&At::root(&node, &self.findings))?;
        if !["groups", "include"].iter().any(|key| holds(&node, key)) {
            At::root(&node, &self.findings).wrong("`groups` is missing");
        }
        let mut groups = groups.map_or_else(Vec::new, |List(groups)| groups);
        let globs = include.iter().flat_map(|OneOrMany(globs)| globs);
        let watched = Watched::new(path, globs.map(|glob| include::whole(path, &glob.value.0)).collect());
        if let Some(OneOrMany(globs)) = include {
            for file in include::files(path, &globs, &self.findings) {
                groups.extend(self.included(&file));
            }
        }
        let findings = &self.findings;
        let mut tags = tags.unwrap_or_default();
        tags = tags.join(sentry.as_ref().and_then(|sentry| sentry.value.tags.clone()).unwrap_or_default(), findings);
        let place = location.as_ref().map(|location| location.value.0.clone());
        if let Some(Placed { value: Line(location), spot }) = location {
            tags = tags.join(WrittenTags::one("location", location, spot), findings);
        }
        let drafts = compile::drafts(&Level { tags, defaults }, groups, &self.tokens, findings);
        let propagate = sentry.as_ref().and_then(|sentry| sentry.value.propagate.clone());
        let propagate = propagate.map(WrittenPropagate::settings).unwrap_or_default();
        let sentry = sentry.and_then(|sentry| sentry::settings(sentry, place, self.environment, findings));
        Some(Drafted { drafts, sentry, listen: metrics.map(|metrics| metrics.listen.0), propagate, watched })
    }

    /// The groups of an included file.
    fn included(&mut self, path: &Path) -> Vec<keys::Group> {
        let included = self.tree(path).and_then(|node| Included::read(&At::root(&node, &self.findings)));
        included.map_or_else(Vec::new, |included| included.groups.0)
    }

    /// A file as a tree, substituted; `None` when a mistake was noted.
    fn tree(&mut self, path: &Path) -> Option<Node> {
        let read = source::read(path, source::LARGEST);
        let (text, refused) = match read {
            Ok(text) => (text, None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        let number = self.sources.add(path.display().to_string(), text);
        let spot = Spot { place: Place { source: number, ..Place::default() }, path: String::new() };
        if let Some(reason) = refused {
            self.findings.wrong(&spot, reason);
            return None;
        }
        let text = &self.sources.get(number)?.text;
        let mut node = nodes::parse(text, number, &self.findings)?;
        if node.value == Value::Null {
            self.findings.wrong_with(&spot, "the file is empty", "it needs at least `groups`");
            return None;
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        self.findings.stands_in(number, directory);
        Substitution { environment: self.environment, directory, findings: &self.findings }.fill(&mut node, "");
        node.value.texts(&mut |text| self.substituted.extend(text.secrets.iter().cloned()));
        Some(node)
    }
}

fn holds(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Mapping(entries) if entries.iter().any(|entry| entry.key == key))
}
