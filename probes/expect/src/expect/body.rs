//! What is expected of a body's text.

use probe_core::{Failure, FailureClass};
use probe_keys::{At, Definitions, OneOrMany, Read, Text};
use serde_json::{Value as Json, json};

use crate::{Answer, Pattern, shown::shown};

probe_keys::keys! {
    /// What must be in a body's text, and what must not.
    struct BodyKeys {
        /// Text that must be in it.
        optional contains: OneOrMany<Part>,
        /// Text that must not be in it.
        optional not_contains: OneOrMany<Part>,
        /// Regular expression that must match somewhere in it.
        optional matches: OneOrMany<Pattern>,
        /// Regular expression that must match nowhere in it.
        optional not_matches: OneOrMany<Pattern>,
    }
}

/// What must be in a body's text, and what must not; nothing that must be there is among what must not.
#[derive(Clone, Debug)]
pub(super) struct ExpectBody(BodyKeys);

/// Text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part(String);

// === impl ExpectBody ===

impl ExpectBody {
    /// Checks what must be there first: it may be there also in a body that was cut.
    pub(super) fn check(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        let wrong = |message: String, expected: String| {
            Failure::new(FailureClass::Body, message)
                .expected(expected, shown(answer.beginning()))
                .origin("text of the body")
        };
        let read = answer.beginning();
        if let Some(Part(part)) = each(self.0.contains.as_ref()).find(|part| !read.contains(&part.0)) {
            // In what was not read it may stand.
            answer.whole()?;
            return Err(wrong(format!("the body does not contain {part:?}"), format!("{part:?} in it")));
        }
        if let Some(Part(part)) = each(self.0.not_contains.as_ref()).find(|part| read.contains(&part.0)) {
            return Err(wrong(format!("the body contains {part:?}"), format!("no {part:?} in it")));
        }
        if self.0.not_contains.is_none() && self.0.matches.is_none() && self.0.not_matches.is_none() {
            return Ok(());
        }
        let text = answer.text()?;
        if let Some(pattern) = each(self.0.matches.as_ref()).find(|pattern| !pattern.is_match(&text)) {
            return Err(wrong(format!("the body does not match `{pattern}`"), format!("a match of `{pattern}`")));
        }
        match each(self.0.not_matches.as_ref()).find(|pattern| pattern.is_match(&text)) {
            Some(pattern) => Err(wrong(format!("the body matches `{pattern}`"), format!("no match of `{pattern}`"))),
            None => Ok(()),
        }
    }
}

impl Read for ExpectBody {
    fn read(at: &At<'_>) -> Option<Self> {
        let keys = BodyKeys::read(at)?;
        for Part(part) in each(keys.contains.as_ref()) {
            if let Some(Part(forbidden)) = each(keys.not_contains.as_ref()).find(|other| part.contains(&other.0)) {
                at.wrong(format!("no body contains {part:?} and does not contain {forbidden:?}"));
                return None;
            }
        }
        Some(Self(keys))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        BodyKeys::schema(definitions)
    }
}

fn each<T>(written: Option<&OneOrMany<T>>) -> impl Iterator<Item = &T> {
    written.into_iter().flat_map(|written| &written.0)
}

// === impl Part ===

impl Read for Part {
    fn read(at: &At<'_>) -> Option<Self> {
        let text = Text::read(at)?.text;
        if text.is_empty() {
            at.wrong("it is empty: every body contains that");
        }
        (!text.is_empty()).then_some(Self(text))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "minLength": 1})
    }
}
