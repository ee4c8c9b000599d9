//! What can be written of a request: the keys of the http probe, and of a script's step.

use std::net::{IpAddr, SocketAddr};

use http::Method;
use probe_expect::{Assertions, Captures, Expect, StatusSet};
use probe_keys::{At, Definitions, Map, OneOrMany, Placed, Read, Text, Value};
use serde_json::{Value as Json, json};

/// The keys of the http probe: it is one request, so they are a request's.
pub type HttpKeys = RequestKeys;

probe_keys::keys! {
    /// A request, and what is expected of its answer.
    pub struct RequestKeys {
        /// Where to ask: an http or https URL.
        required url: Placed<Text>,
        /// The method, `GET` unless given; `POST` when there is a body.
        optional method: Verb,
        /// Added to the URL's own query, encoded; a list repeats its name.
        optional query: Map<OneOrMany<Scalar>>,
        /// Headers of the request.
        optional headers: Map<Placed<Scalar>>,
        /// The body: text is sent as it is, anything else as JSON with its content type.
        optional body: Body,
        /// The statuses that are well: 200 unless given, 201 for POST.
        optional expected: StatusSet,
        /// Keys to take from the answer.
        optional set_keys: Captures,
        /// What must hold of the keys.
        optional assertions: Assertions,
        /// What is expected of the answer itself.
        optional expect: Expect,
        /// The most redirects to follow (10 unless given), or `false` to follow none.
        optional redirects: Redirects,
        /// How the target's certificate is judged.
        optional tls: TlsKeys,
        /// Name servers to ask in place of the system's, as `ip` or `ip:port`.
        optional dns: OneOrMany<NameServer>,
        /// Reading of the answer's body stops there; 1MiB unless given.
        optional max_body: ByteSize,
    }
}

probe_keys::keys! {
    /// How the target's certificate is judged.
    pub struct TlsKeys {
        /// Whether it must hold; `true` unless given.
        optional verify: bool,
        /// The only authorities to trust: a PEM file's path, or the PEM text itself.
        optional ca: Placed<Text>,
    }
}

/// A method: any token of RFC 9110, written in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verb(pub Method);

/// A single value as it goes into a query or a header; numbers are taken as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub Text);

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Sent as it is.
    Text(Text),
    /// Sent as JSON.
    Json(Json),
}

/// How many redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirects(pub usize);

/// A name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServer(pub SocketAddr);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub usize);

// === impl Verb ===

impl Read for Verb {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok();
            let method = method.filter(|method| *method != Method::CONNECT);
            method.map(Self).ok_or_else(|| format!("{text:?} is not a method that can be sent"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"})
    }
}

// === impl Scalar ===

impl Read for Scalar {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Number(_, written) => Some(Self(Text::plain(written))),
            Value::Bool(value) => Some(Self(Text::plain(value.to_string()))),
            Value::Text(_) => Text::read(at).map(Self),
            Value::Null | Value::List(_) | Value::Mapping(_) => {
                at.expected("a single value");
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

// === impl Body ===

impl Read for Body {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Text(_) => Text::read(at).map(Self::Text),
            _ => Json::read(at).map(Self::Json),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Json::schema(definitions)
    }
}

// === impl Redirects ===

impl Redirects {
    /// More than anybody follows on purpose.
    const MOST: u64 = 100;
}

impl Default for Redirects {
    fn default() -> Self {
        Self(10)
    }
}

impl Read for Redirects {
    fn read(at: &At<'_>) -> Option<Self> {
        let most = match &at.node.value {
            Value::Bool(false) => Some(Self(0)),
            Value::Bool(true) => Some(Self::default()),
            Value::Number(number, _) => number.as_u64().filter(|most| *most <= Self::MOST).and_then(|most| {
                let most = usize::try_from(most).ok()?;
                Some(Self(most))
            }),
            _ => None,
        };
        if most.is_none() {
            at.expected(&format!("false, or how many to follow (at most {})", Self::MOST));
        }
        most
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": Self::MOST}]})
    }
}

// === impl NameServer ===

impl Read for NameServer {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)).or_else(|_| text.parse());
            let address = address.ok().filter(|address| address.port() != 0);
            address.map(Self).ok_or_else(|| format!("{text:?} is not a name server: write `ip` or `ip:port`"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

// === impl ByteSize ===

/// Units and their bytes.
const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// What one run may hold in memory.
const LARGEST: u64 = 1 << 30;

impl Default for ByteSize {
    fn default() -> Self {
        Self(1 << 20)
    }
}

impl Read for ByteSize {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = match &at.node.value {
            Value::Number(_, written) => written,
            _ => &at.text()?.text,
        };
        let digits = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
        let (amount, unit) = written.split_at(digits);
        let factor = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor);
        let bytes = amount.parse::<u64>().ok().zip(factor).and_then(|(amount, factor)| amount.checked_mul(factor));
        let size = bytes.filter(|bytes| *bytes <= LARGEST).and_then(|bytes| usize::try_from(bytes).ok());
        if size.is_none() {
            at.expected("a size in bytes, like 65536, 512KiB or 1MiB, at most 1GiB");
        }
        size.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"type": "integer", "minimum": 0, "maximum": LARGEST},
            {"type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|KiB|MiB|GiB)?$"},
        ]})
    }
}
