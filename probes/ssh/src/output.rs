//! What is expected of a command: its exit status, then its output, then the keys in it.

use http::HeaderMap;
use probe_core::{Context, Excerpt, Failure, FailureClass, Learnt, Op, Span};
use probe_expect::{Answer, Assertions, Captures};
use probe_keys::Findings;
use tokio::time::Instant;

use crate::{
    keys::{Exits, SshKeys},
    wanted::Wanted,
};

/// So much of the output is shown in a failure.
const EXCERPT: usize = 2 << 10;

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

// === impl Expected ===

impl Expected {
    /// As it was written; `None` when a mistake was noted.
    pub(crate) fn new(keys: &SshKeys, findings: &Findings) -> Option<Self> {
        let json = keys.json.as_ref().is_some_and(|json| json.value);
        let captures = keys.set_keys.as_ref().map(|captures| &captures.value);
        let mut sound = keys
            .assertions
            .as_ref()
            .is_none_or(|assertions| assertions.value.are_on_keys(captures, |_| false, findings));
        if let Some(captures) = keys.set_keys.as_ref().filter(|captures| !json && captures.value.needs_json()) {
            findings.wrong_with(&captures.spot, "a JSONPath looks into JSON", "say that the output is: `json: true`");
            sound = false;
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
    pub(crate) fn output(&self, finished: &Finished, context: &Context, ended: Instant) -> Result<(), Failure> {
        self.look_into(finished, context, ended).map_err(|failure| failure.excerpt(finished.excerpt()))
    }

    fn look_into(&self, finished: &Finished, context: &Context, ended: Instant) -> Result<(), Failure> {
        if self.output.is_none() && !self.json && self.captures.is_none() && self.assertions.is_none() {
            return Ok(());
        }
        if finished.cut {
            let most = finished.output.len();
            let message = format!("the output is larger than {most} bytes: what is expected of it cannot be told");
            return Err(Failure::new(FailureClass::Body, message).expected(format!("at most {most} bytes"), "more"));
        }
        let headers = HeaderMap::new();
        let answer = Answer::new(finished.status.unwrap_or_default().into(), &headers, &finished.output);
        let mut at = ended;
        if self.json {
            let span = context.root.child_at(Op::JSON_PARSE, at);
            let parsed = answer.json().map(|_| ());
            at = Instant::now();
            end(span, parsed, at)?;
        }
        let span = context.root.child_at(Op::JSON_ASSERT, at);
        let checked = self.check(&answer, &span, &context.learnt);
        end(span, checked, Instant::now())
    }

    fn check(&self, answer: &Answer<'_>, span: &Span, learnt: &Learnt) -> Result<(), Failure> {
        if let Some(wanted) = &self.output {
            wanted.check(answer.text()?.trim_end_matches(['\n', '\r']))?;
        }
        let values = self.captures.as_ref().map(|captures| captures.take(answer)).transpose()?.unwrap_or_default();
        learnt.learn(values.secrets());
        span.set("keys", values.iter().map(|(key, ..)| key).collect::<Vec<_>>());
        self.assertions.as_ref().map_or(Ok(()), |assertions| assertions.check(|key| values.get(key)))
    }
}

// === impl Finished ===

impl Finished {
    /// The beginning of what it wrote, as people look at it.
    fn excerpt(&self) -> Excerpt {
        Excerpt::new(self.errors.clone(), &self.output, EXCERPT, self.cut)
    }
}

fn end<T>(span: Span, result: Result<T, Failure>, at: Instant) -> Result<T, Failure> {
    match &result {
        Ok(_) => span.finish_at(at),
        Err(failure) => span.fail_at(failure.class, at),
    }
    result
}
