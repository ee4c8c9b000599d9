//! Where the value of a key comes from.

use std::fmt;

use http::{
    HeaderName,
    header::{AUTHORIZATION, SET_COOKIE},
};
use probe_core::{Failure, FailureClass, is_secret_name};
use probe_keys::{At, Definitions, Keys as _, Read, Value};
use serde_json::{Value as Json, json};

use crate::{Answer, JsonPath, Pattern};

/// A place in an answer.
#[derive(Clone, Debug)]
pub enum Capture {
    /// A place in the body, read as JSON.
    JsonPath(JsonPath),
    /// A header of the answer.
    Header(HeaderName),
    /// A cookie that the answer sets.
    Cookie(String),
    /// A place in the body, read as text.
    Regex(Pattern),
    /// The status code.
    Status,
    /// The whole body, as text.
    Body,
}

probe_keys::keys! {
    /// Where a value is taken from: one of these.
    struct CaptureKeys {
        /// A JSONPath (RFC 9535) into the body.
        optional jsonpath: JsonPath,
        /// A header of the answer.
        optional header: Name,
        /// A cookie that the answer sets.
        optional cookie: String,
        /// A regular expression on the body's text: its first group, or the whole match where it has none.
        optional regex: Pattern,
        /// The status code.
        optional status: Wanted,
        /// The whole body, as text.
        optional body: Wanted,
    }
}

/// The names above, to be told.
const SOURCES: [&str; 6] = ["jsonpath", "header", "cookie", "regex", "status", "body"];

/// The name of a header, in any case.
#[derive(Clone, Debug)]
pub(crate) struct Name(pub(crate) HeaderName);

/// `true`: there is nothing to say but that it is wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted;

// === impl Capture ===

impl Capture {
    /// What stands there: one match is that value, several are a list.
    ///
    /// # Errors
    /// The body is needed and was cut, or is needed as JSON and is not, or is too large for the JSONPath.
    pub fn take(&self, answer: &Answer<'_>) -> Result<Option<Json>, Failure> {
        Ok(match self {
            Self::JsonPath(path) => one_or_many(find(path, answer)?.into_iter().cloned()),
            Self::Header(name) => one_or_many(answer.header(name).map(|value| value.as_ref().into())),
            Self::Cookie(name) => one_or_many(answer.cookie(name).map(Json::from)),
            Self::Regex(pattern) => one_or_many(pattern.find(&answer.text()?).map(Json::from)),
            Self::Status => Some(answer.status().into()),
            Self::Body => Some(answer.text()?.into()),
        })
    }

    /// Whether something stands there in every answer.
    pub const fn is_certain(&self) -> bool {
        matches!(self, Self::Status | Self::Body)
    }

    /// Whether what stands there must not be told: cookies, headers that carry a session, and what a path or a pattern names
    /// in words that speak of a secret.
    pub fn is_private(&self) -> bool {
        match self {
            Self::Cookie(_) => true,
            Self::Header(name) => is_private(name),
            Self::JsonPath(path) => speaks_of_a_secret(&path.to_string()),
            Self::Regex(pattern) => speaks_of_a_secret(&pattern.to_string()),
            Self::Status | Self::Body => false,
        }
    }

    /// Whether there must be a body.
    pub(crate) const fn needs_body(&self) -> bool {
        matches!(self, Self::JsonPath(_) | Self::Regex(_) | Self::Body)
    }

    /// Whether the body must be JSON.
    pub(crate) const fn needs_json(&self) -> bool {
        matches!(self, Self::JsonPath(_))
    }
}

/// How it is captured: `from $.access_token`, `from header x-id`.
impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JsonPath(path) => write!(f, "from {path}"),
            Self::Header(name) => write!(f, "from header {name}"),
            Self::Cookie(name) => write!(f, "from cookie {name}"),
            Self::Regex(pattern) => write!(f, "from the body, by `{pattern}`"),
            Self::Status => f.write_str("from the status"),
            Self::Body => f.write_str("from the body"),
        }
    }
}

impl Read for Capture {
    fn read(at: &At<'_>) -> Option<Self> {
        if let Value::Text(_) = at.node.value {
            return JsonPath::read(at).map(Self::JsonPath);
        }
        let Value::Mapping(entries) = &at.node.value else {
            at.expected(&format!("a JSONPath, or a mapping with one of {}", SOURCES.join(", ")));
            return None;
        };
        let keys = CaptureKeys::read(at)?;
        let captures = [
            keys.jsonpath.map(Self::JsonPath),
            keys.header.map(|name| Self::Header(name.0)),
            keys.cookie.map(Self::Cookie),
            keys.regex.map(Self::Regex),
            keys.status.map(|Wanted| Self::Status),
            keys.body.map(|Wanted| Self::Body),
        ];
        let mut captures = captures.into_iter().flatten();
        let (capture, other) = (captures.next(), captures.next());
        let capture = capture.filter(|_| other.is_none());
        // A misspelt name has been noted already.
        if capture.is_none() && entries.iter().all(|entry| SOURCES.contains(&entry.key.as_str())) {
            at.wrong(format!("a value comes from just one of {}", SOURCES.join(", ")));
        }
        capture
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let keys = definitions.define("CaptureKeys", |definitions| {
            let about = "Where a value is taken from: one of these.";
            let mut keys = definitions.mapping(about, CaptureKeys::properties);
            (keys["minProperties"], keys["maxProperties"]) = (1.into(), 1.into());
            keys
        });
        json!({"anyOf": [JsonPath::schema(definitions), keys]})
    }
}

// === impl Name ===

impl Read for Name {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| HeaderName::try_from(text).map(Self).map_err(|_| format!("{text:?} is not a header's name")))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"})
    }
}

// === impl Wanted ===

impl Read for Wanted {
    fn read(at: &At<'_>) -> Option<Self> {
        let wanted = bool::read(at)?;
        if !wanted {
            at.wrong("`false` takes no value: write `true`, or leave it out");
        }
        wanted.then_some(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"const": true})
    }
}

/// Whether a header of an answer carries a session.
pub(crate) fn is_private(name: &HeaderName) -> bool {
    *name == SET_COOKIE || *name == AUTHORIZATION || name.as_str().ends_with("-token")
}

/// Whether there is a name in this path, or pattern, that speaks of a secret.
pub(crate) fn speaks_of_a_secret(path: &str) -> bool {
    path.split(|letter: char| !letter.is_alphanumeric() && !"_-".contains(letter)).any(is_secret_name)
}

/// The places of a JSONPath in an answer's body.
pub(crate) fn find<'a>(path: &JsonPath, answer: &'a Answer<'_>) -> Result<Vec<&'a Json>, Failure> {
    path.find(answer.json()?, answer.read().len())
        .map_err(|error| Failure::new(FailureClass::Body, error.to_string()).origin(format!("from {path}")))
}

/// One match is that value, several are a list, none is nothing.
pub(crate) fn one_or_many(mut found: impl Iterator<Item = Json>) -> Option<Json> {
    let first = found.next()?;
    Some(match found.next() {
        Some(second) => [first, second].into_iter().chain(found).collect(),
        None => first,
    })
}
