//! All mistakes and warnings of a configuration, as a compiler shows them.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use probe_core::Secret;
use probe_keys::{Problem, Severity};
use serde::Serialize;

use super::{mask, source::Sources};
use crate::redact::Redactor;

/// All mistakes and warnings, in file order, secrets masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    /// The file that was to be loaded.
    #[serde(skip)]
    file: String,
}

/// One mistake or warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    #[serde(serialize_with = "word")]
    pub severity: Severity,
    /// The path of the file.
    pub file: String,
    /// The line, from 1; absent when the file could not be read.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// `groups[0].probes[2].every`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line as it may be shown, and the bytes of it that are meant.
    #[serde(skip)]
    shown: Option<(String, Range<usize>)>,
}

// === impl Diagnostics ===

impl Diagnostics {
    /// Puts problems in order and masks these secrets in them, and those `known` from before.
    pub(super) fn new(sources: &Sources, mut problems: Vec<Problem>, secrets: &[Secret], known: &Redactor) -> Self {
        problems.sort_by_key(|problem| (problem.spot.place.source, problem.spot.place.start));
        let mut kept: Vec<Problem> = Vec::with_capacity(problems.len());
        // One value that aliases put into many places is one mistake.
        problems.retain(|problem| {
            let same = |other: &Problem| other.spot.place == problem.spot.place && other.reason == problem.reason;
            let new = !kept.iter().rev().take_while(|other| other.spot.place == problem.spot.place).any(same);
            if new {
                kept.push(problem.clone());
            }
            new
        });
        let redactor = known.with(secrets.iter().cloned());
        let all = kept.into_iter().map(|problem| Diagnostic::new(sources, problem, secrets, &redactor)).collect();
        Self { all, file: sources.get(0).map(|source| source.name.clone()).unwrap_or_default() }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.all.iter().filter(|one| one.severity == severity).count()
    }

    /// All of them as text, in colour for a terminal; the last line sums up. Empty when there are none.
    pub fn render(&self, colour: bool) -> String {
        if self.all.is_empty() {
            return String::new();
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text: String = self.all.iter().map(|one| one.render(&renderer) + "\n\n").collect();
        text.push_str(&self.sum());
        text.push('\n');
        text
    }

    /// `3 errors, 1 warning in config.yaml`.
    fn sum(&self) -> String {
        let count = |severity, word: &str| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        };
        let counts = [count(Severity::Error, "error"), count(Severity::Warning, "warning")];
        format!("{} in {}", counts.into_iter().flatten().collect::<Vec<_>>().join(", "), self.file)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

// === impl Diagnostic ===

impl Diagnostic {
    fn new(sources: &Sources, problem: Problem, secrets: &[Secret], redactor: &Redactor) -> Self {
        let Problem { severity, spot, reason, hint } = problem;
        let source = sources.get(spot.place.source);
        let mut literals = Vec::new();
        let (mut position, mut shown) = (None, None);
        if let Some(source) = source.filter(|source| !source.text.is_empty()) {
            let (range, line) = source.first_line(spot.place);
            let (text, masked) = mask::line(&source.text, line.clone(), &spot.path, secrets);
            literals = masked;
            position = Some(source.line_column(range.start));
            shown = Some((text, range.start - line.start..range.end - line.start));
        }
        let here = redactor.with(literals);
        let mask = |text: String| here.redact(&text).into_owned();
        Self {
            severity,
            file: source.map(|source| source.name.clone()).unwrap_or_default(),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            path: spot.path,
            reason: mask(reason),
            hint: hint.map(mask),
            shown,
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.reason.as_str());
        let mut group = match (&self.shown, self.line) {
            (Some((text, range)), Some(line)) => {
                let label = Some(self.path.as_str()).filter(|path| !path.is_empty());
                let annotation = AnnotationKind::Primary.span(range.clone()).label(label);
                title.element(
                    Snippet::source(text.as_str()).line_start(line).path(self.file.as_str()).annotation(annotation),
                )
            }
            _ => title.element(Origin::path(self.file.as_str())),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let report: [Group<'_>; 1] = [group];
        renderer.render(&report)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn word<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    })
}
