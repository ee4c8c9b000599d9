//! What is expected of a command: its exit status, then its output, then the keys in it.

use probe_core::{Excerpt, Failure, FailureClass, Op, Span};
use probe_expect::{Answer, Assertions, Captures, Values};
use probe_keys::{At, Definitions, Findings, Read, Value};
use regex::Regex;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::keys::{Exits, SshKeys};

/// So much of the output is shown in a failure.
const EXCERPT: usize = 2 << 10;

/// What must hold of the output as text.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    value: Option<String>,
    contains: Vec<String>,
    not_contains: Vec<String>,
    matches: Option<Regex>,
}

probe_keys::keys! {
    /// What must hold of the output.
    struct Written {
        /// What it must be, but for line breaks at its end.
        optional value: String,
        /// What must stand in it: one text, or each of several.
        optional contains: probe_keys::OneOrMany<String>,
        /// What must not stand in it: one text, or none of several.
        optional not_contains: probe_keys::OneOrMany<String>,
        /// The regular expression that must match somewhere; `(?m)` lets `^` and `$` match at each line.
        optional matches: Pattern,
    }
}

/// A regular expression.
#[derive(Clone, Debug)]
struct Pattern(Regex);

/// What is expected.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    exits: Exits,
    output: Option<Wanted>,
    json: bool,
    captures: Option<Captures>,
    assertions: Option<Assertions>,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit status; none when it ended without one, as a killed one does.
    pub(crate) status: Option<u8>,
    /// The beginning of its standard output.
    pub(crate) output: Vec<u8>,
    /// Whether there was more.
    pub(crate) cut: bool,
    /// The last lines of its standard error.
    pub(crate) errors: String,
}

// === impl Wanted ===

impl Wanted {
    fn check(&self, output: &str) -> Result<(), Failure> {
        let broken = |expected: String| {
            let message = format!("expected the output to {expected}, got {}", short(output));
            Err(Failure::new(FailureClass::Body, message).expected(expected, short(output)).origin("standard output"))
        };
        if let Some(value) = self.value.as_ref().filter(|value| value.trim_end_matches(['\n', '\r']) != output) {
            return broken(format!("be {value:?}"));
        }
        if let Some(text) = self.contains.iter().find(|text| !output.contains(text.as_str())) {
            return broken(format!("contain {text:?}"));
        }
        if let Some(text) = self.not_contains.iter().find(|text| output.contains(text.as_str())) {
            return broken(format!("be without {text:?}"));
        }
        match &self.matches {
            Some(pattern) if !pattern.is_match(output) => broken(format!("match `{pattern}`")),
            _ => Ok(()),
        }
    }
}

impl Read for Wanted {
    fn read(at: &At<'_>) -> Option<Self> {
        if let Value::Mapping(_) = at.node.value {
            let Written { value, contains, not_contains, matches } = Written::read(at)?;
            return Some(Self {
                value,
                contains: contains.map_or_else(Vec::new, |contains| contains.0),
                not_contains: not_contains.map_or_else(Vec::new, |contains| contains.0),
                matches: matches.map(|pattern| pattern.0),
            });
        }
        String::read(at).map(|value| Self { value: Some(value), ..Self::default() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [{"type": "string"}, Written::schema(definitions)]})
    }
}

impl Read for Pattern {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            Regex::new(text).map(Self).map_err(|error| format!("this is not a regular expression: {error}"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "format": "regex"})
    }
}

// === impl Expected ===

impl Expected {
    /// As it was written; `None` when a mistake was noted.
    pub(crate) fn new(keys: &SshKeys, findings: &Findings) -> Option<Self> {
        let json = keys.json.as_ref().is_some_and(|json| json.value);
        let mut sound = true;
        let spots = [
            ("set_keys", keys.set_keys.as_ref().map(|keys| &keys.spot)),
            ("assertions", keys.assertions.as_ref().map(|assertions| &assertions.spot)),
        ];
        for (key, spot) in spots {
            if let (Some(spot), false) = (spot, json) {
                findings.wrong_with(spot, format!("`{key}` looks into JSON"), "say that the output is: `json: true`");
                sound = false;
            }
        }
        sound.then(|| Self {
            exits: keys.expected.as_ref().map(|expected| expected.value.clone()).unwrap_or_default(),
            output: keys.output.as_ref().map(|output| output.value.clone()),
            json,
            captures: keys.set_keys.as_ref().map(|captures| captures.value.clone()),
            assertions: keys.assertions.as_ref().map(|assertions| assertions.value.clone()),
        })
    }

    /// Whether the command exited as it should.
    pub(crate) fn exit(&self, finished: &Finished) -> Result<(), Failure> {
        let status = match finished.status {
            Some(status) if self.exits.contains(status) => return Ok(()),
            Some(status) => status.to_string(),
            None => "none".to_owned(),
        };
        let what = match finished.status {
            Some(126) => "126 (it could not be executed)".to_owned(),
            Some(127) => "127 (no such command)".to_owned(),
            Some(status @ 129..=192) => format!("{status} (a shell says so of signal {})", status - 128),
            Some(status) => status.to_string(),
            None => "none: the command was killed by a signal".to_owned(),
        };
        let mut message = format!("expected exit status {}, got {what}", self.exits);
        if !finished.errors.is_empty() {
            message = format!("{message}; standard error ends: {}", finished.errors);
        }
        let failure = Failure::new(FailureClass::Command, message)
            .expected(self.exits.to_string(), status)
            .origin("exit status")
            .excerpt(finished.excerpt());
        Err(failure)
    }

    /// Whether the output is as it should be. Each step begins where the one before it ended.
    pub(crate) fn output(&self, finished: &Finished, parent: &Span, ended: Instant) -> Result<(), Failure> {
        self.look_into(finished, parent, ended).map_err(|failure| failure.excerpt(finished.excerpt()))
    }

    fn look_into(&self, finished: &Finished, parent: &Span, ended: Instant) -> Result<(), Failure> {
        if self.output.is_none() && !self.json {
            return Ok(());
        }
        if finished.cut {
            let most = finished.output.len();
            let message = format!("the output is larger than {most} bytes: what is expected of it cannot be told");
            return Err(Failure::new(FailureClass::Body, message).expected(format!("at most {most} bytes"), "more"));
        }
        let text = String::from_utf8_lossy(&finished.output);
        let mut at = ended;
        let mut values = Values::default();
        if self.json {
            let span = parent.child_at(Op::JSON_PARSE, at);
            let parsed = parse(&text);
            at = Instant::now();
            let json = end(span, parsed, at)?;
            let answer = Answer { json: &json };
            values = self.captures.as_ref().map(|captures| captures.take(answer)).unwrap_or_default();
        }
        let span = parent.child_at(Op::JSON_ASSERT, at);
        span.set("keys", values.names().collect::<Vec<_>>());
        let wanted = self.output.as_ref().map_or(Ok(()), |wanted| wanted.check(text.trim_end_matches(['\n', '\r'])));
        let checked =
            wanted.and_then(|()| self.assertions.as_ref().map_or(Ok(()), |assertions| assertions.check(&values)));
        end(span, checked, Instant::now())
    }
}

// === impl Finished ===

impl Finished {
    /// The beginning of what it wrote, as people look at it.
    fn excerpt(&self) -> Excerpt {
        let body = String::from_utf8_lossy(&self.output[..self.output.len().min(EXCERPT)]).into_owned();
        Excerpt { head: self.errors.clone(), body, truncated: self.output.len() > EXCERPT || self.cut }
    }
}

fn parse(text: &str) -> Result<Json, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the output is not JSON: {error}");
        Failure::new(FailureClass::Body, message).expected("JSON", short(text)).origin("standard output")
    })
}

fn end<T>(span: Span, result: Result<T, Failure>, at: Instant) -> Result<T, Failure> {
    match &result {
        Ok(_) => span.finish_at(at),
        Err(failure) => span.fail_at(failure.class, at),
    }
    result
}

/// The first words of a text, quoted.
fn short(text: &str) -> String {
    const MOST: usize = 120;
    let beginning: String = text.chars().take(MOST).collect();
    if beginning.len() < text.len() { format!("{beginning:?}…") } else { format!("{beginning:?}") }
}
