//! One place of a document while it is read, and where the mistakes go.

use std::{
    cell::{Ref, RefCell},
    collections::{HashMap, HashSet},
    fmt,
    path::PathBuf,
};

use probe_core::{Secret, is_secret_name};

use crate::{Node, Place, Text, Value};

/// A node, the path that led to it, and where its mistakes are noted.
#[derive(Clone, Debug)]
pub struct At<'a> {
    /// The node.
    pub node: &'a Node,
    path: String,
    findings: &'a Findings,
}

/// What the reading of a document left: every mistake, and every secret that it gave to the program.
#[derive(Debug, Default)]
pub struct Findings {
    problems: RefCell<Vec<Problem>>,
    unknown: RefCell<HashSet<Place>>,
    directories: RefCell<HashMap<u32, PathBuf>>,
    secrets: RefCell<Vec<Secret>>,
}

/// One mistake, or one warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it must be mended.
    pub severity: Severity,
    /// Where.
    pub spot: Spot,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Whether a problem must be mended before anything can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It runs, but not as one would wish.
    Warning,
    /// It cannot run.
    Error,
}

/// A place and the path that leads to it: what is kept to complain later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The bytes.
    pub place: Place,
    /// `groups[0].probes[2].every`; empty for the whole document.
    pub path: String,
}

// === impl Findings ===

impl Findings {
    /// Notes a problem; not that of a place where it is unknown what stands there.
    pub fn note(&self, problem: Problem) {
        if !self.unknown.borrow().contains(&problem.spot.place) {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// What stands at this place is not known, for a reason that has been noted: nothing more is said of it.
    pub fn unknown(&self, place: Place) {
        self.unknown.borrow_mut().insert(place);
    }

    /// Notes a mistake at `spot`.
    pub fn wrong(&self, spot: &Spot, reason: impl Into<String>) {
        self.note(Problem { severity: Severity::Error, spot: spot.clone(), reason: reason.into(), hint: None });
    }

    /// Notes a mistake at `spot` and what to do about it.
    pub fn wrong_with(&self, spot: &Spot, reason: impl Into<String>, hint: impl Into<String>) {
        let (reason, hint) = (reason.into(), Some(hint.into()));
        self.note(Problem { severity: Severity::Error, spot: spot.clone(), reason, hint });
    }

    /// Notes a warning at `spot` and what to do about it.
    pub fn warn(&self, spot: &Spot, reason: impl Into<String>, hint: impl Into<String>) {
        let (reason, hint) = (reason.into(), Some(hint.into()));
        self.note(Problem { severity: Severity::Warning, spot: spot.clone(), reason, hint });
    }

    /// Notes a secret: from now on its bytes must not leave.
    pub fn secret(&self, secret: Secret) {
        self.secrets.borrow_mut().push(secret);
    }

    /// Paths in this source are relative to this directory.
    pub fn stands_in(&self, source: u32, directory: impl Into<PathBuf>) {
        self.directories.borrow_mut().insert(source, directory.into());
    }

    /// What paths at this place are relative to; none: to where the program runs.
    pub(crate) fn directory(&self, place: Place) -> Option<PathBuf> {
        self.directories.borrow().get(&place.source).cloned()
    }

    /// Whether it is known of this node, and of all in it, what stands there.
    pub fn knows(&self, node: &Node) -> bool {
        let inside = match &node.value {
            Value::List(nodes) => nodes.iter().all(|node| self.knows(node)),
            Value::Mapping(entries) => entries.iter().all(|entry| self.knows(&entry.node)),
            Value::Null | Value::Bool(_) | Value::Number(..) | Value::Text(_) => true,
        };
        inside && !self.unknown.borrow().contains(&node.place)
    }

    /// Everything noted so far.
    pub fn problems(&self) -> Ref<'_, Vec<Problem>> {
        self.problems.borrow()
    }

    /// Whether anything must be mended.
    pub fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The problems and the secrets.
    pub fn into_parts(self) -> (Vec<Problem>, Vec<Secret>) {
        (self.problems.into_inner(), self.secrets.into_inner())
    }
}

// === impl At ===

impl<'a> At<'a> {
    /// The root of a document.
    pub const fn root(node: &'a Node, findings: &'a Findings) -> Self {
        Self { node, path: String::new(), findings }
    }

    /// What a key of this mapping leads to.
    pub fn key(&self, key: &str, node: &'a Node) -> At<'a> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        At { node, path, findings: self.findings }
    }

    /// The element `index` of this list.
    pub fn index(&self, index: usize, node: &'a Node) -> At<'a> {
        At { node, path: format!("{}[{index}]", self.path), findings: self.findings }
    }

    /// The same node under a path of another document: an included file continues the list it is included into.
    pub fn under(self, path: impl Into<String>) -> At<'a> {
        At { path: path.into(), ..self }
    }

    /// `groups[0].probes[2].every`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where mistakes go.
    pub const fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// Place and path, to complain later.
    pub fn spot(&self) -> Spot {
        Spot { place: self.node.place, path: self.path.clone() }
    }

    /// Notes a mistake here.
    pub fn wrong(&self, reason: impl Into<String>) {
        self.findings.wrong(&self.spot(), reason);
    }

    /// Notes a mistake here and what to do about it.
    pub fn wrong_with(&self, reason: impl Into<String>, hint: impl Into<String>) {
        self.findings.wrong_with(&self.spot(), reason, hint);
    }

    /// Notes that something else was expected: "expected a mapping, got text".
    pub fn expected(&self, what: &str) {
        let got = match &self.node.value {
            // What stands under such a name is not repeated.
            other if self.is_secret() => other.sort().to_owned(),
            Value::Number(_, written) => format!("the number {written}"),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Text(text) if !text.is_secret() && text.text.chars().count() <= 40 => {
                format!("text {:?}", text.text)
            }
            Value::List(nodes) if nodes.is_empty() => "an empty list".to_owned(),
            other => other.sort().to_owned(),
        };
        self.wrong(format!("expected {what}, got {got}"));
    }

    /// Whether a name that led here speaks of a secret.
    fn is_secret(&self) -> bool {
        let names =
            self.path.split(['.', '[', ']']).filter(|name| !["set_keys", "init_keys", "host_key"].contains(name));
        names.into_iter().any(is_secret_name)
    }

    /// The text here; anything else is a mistake.
    pub fn text(&self) -> Option<&'a Text> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Number(..) | Value::Bool(_) => {
                self.expected("text");
                if let Some(last) = self.findings.problems.borrow_mut().last_mut() {
                    last.hint = Some("put it in quotes".to_owned());
                }
                None
            }
            _ => {
                self.expected("text");
                None
            }
        }
    }

    /// The text here, read by `parse`; what it refuses is a mistake with its reason.
    ///
    /// Substituted values become secrets of the program.
    pub fn parse<T, E: fmt::Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        text.secrets.iter().for_each(|secret| self.findings.secret(secret.clone()));
        match parse(&text.text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(error.to_string());
                None
            }
        }
    }
}
