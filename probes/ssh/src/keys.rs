//! What can be written of an ssh probe.

use std::fmt;

use probe_expect::{Assertions, Captures};
use probe_keys::{At, Definitions, FileOrText, Placed, Ranges, Read, Text, Value};
use serde_json::{Value as Json, json};

use crate::{jump::Jumps, name::Name, wanted::Wanted};

probe_keys::keys! {
    /// A host, and what is expected of its ssh service.
    pub struct SshKeys {
        /// The host: a name or an address.
        required host: Placed<Name>,
        /// The port; 22 unless given.
        optional port: Port,
        /// Who logs in. Without it only the service is checked, which needs no credentials.
        optional username: Placed<Name>,
        /// The private key: a file's path, or the key itself; the agent's and the default keys unless given.
        optional identity: Placed<FileOrText>,
        /// What is run once logged in; without it only the login is checked.
        optional command: Placed<Text>,
        /// The file with the host's key; the user's and the system's unless given.
        optional known_hosts: Placed<FileOrText>,
        /// In place of known_hosts: a fingerprint (`SHA256:…`), `accept-new` or `any`.
        optional host_key: Placed<HostKeyRule>,
        /// The exit statuses that are well: 0 unless given.
        optional expected: Placed<Exits>,
        /// What must hold of the command's output.
        optional output: Placed<Wanted>,
        /// Whether the output is JSON.
        optional json: Placed<bool>,
        /// Keys to take from the output.
        optional set_keys: Placed<Captures>,
        /// What must hold of the keys.
        optional assertions: Placed<Assertions>,
        /// How the command learns of the run's trace (SENTRY_TRACE, SENTRY_BAGGAGE, TRACEPARENT): `prefix` puts `env` with
        /// these before it, unless given otherwise; `setenv` leaves it as it is, for a server that accepts them
        /// (AcceptEnv); `false` does neither.
        optional propagate: Placed<Propagate>,
        /// Hosts to go through, `user@host:port`, separated by commas.
        optional jump: Placed<Jumps>,
        /// An ssh_config(5) file.
        optional config: Placed<FileOrText>,
    }
    where needs(command, username), needs(expected, command), needs(output, command), needs(json, command), needs(set_keys, json)
}

/// A TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(pub u16);

/// Which host keys are accepted, where it is not those of known_hosts alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKeyRule {
    /// The one with this fingerprint, as OpenSSH writes it: `SHA256:` and base64 without padding.
    Fingerprint(String),
    /// One that known_hosts has, or any of a host that it does not have; that one is added.
    AcceptNew,
    /// Any.
    Any,
}

/// Exit statuses that are well: numbers from 0 to 255, and ranges of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exits(Ranges<u8>);

/// How a command learns of the run's trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagate {
    /// By `env` before it, and as the server accepts.
    #[default]
    Prefix,
    /// As the server accepts.
    SetEnv,
    /// Not at all.
    Off,
}

// === impl Port ===

impl Read for Port {
    fn read(at: &At<'_>) -> Option<Self> {
        let port = match &at.node.value {
            Value::Number(number, _) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
            // A substituted value is always text.
            Value::Text(text) => text.text.parse().ok(),
            _ => None,
        };
        let port = port.filter(|port| *port != 0);
        if port.is_none() {
            at.expected("a port, 1 to 65535");
        }
        port.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"type": "integer", "minimum": 1, "maximum": u16::MAX},
            {"type": "string", "pattern": "^[0-9]+$"},
        ]})
    }
}

// === impl HostKeyRule ===

impl Read for HostKeyRule {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| match text {
            "accept-new" => Ok(Self::AcceptNew),
            "any" => Ok(Self::Any),
            _ => {
                let digest = text.strip_prefix("SHA256:").map(|digest| digest.trim_end_matches('='));
                let base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
                match digest {
                    Some(digest) if digest.len() == 43 && digest.chars().all(base64) => {
                        Ok(Self::Fingerprint(format!("SHA256:{digest}")))
                    }
                    Some(_) => Err("this is not a fingerprint: SHA256: and 43 characters, as `ssh-keygen -l` shows it"),
                    None => Err("expected a fingerprint (SHA256:…), accept-new or any"),
                }
            }
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"enum": ["accept-new", "any"]},
            {"type": "string", "pattern": "^SHA256:[A-Za-z0-9+/]{43}=?$"},
        ]})
    }
}

// === impl Exits ===

impl Exits {
    /// Whether it is one of them.
    pub fn contains(&self, status: u8) -> bool {
        self.0.contains(status)
    }
}

impl Default for Exits {
    fn default() -> Self {
        Self(Ranges::only(0))
    }
}

impl fmt::Display for Exits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Read for Exits {
    fn read(at: &At<'_>) -> Option<Self> {
        Ranges::read(at, "an exit status: 0 to 255, or 0-2", |written| {
            let (start, end) = written.split_once('-').unwrap_or((written, written));
            Some(start.trim().parse().ok()?..=end.trim().parse().ok()?)
        })
        .map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        Ranges::<u8>::schema(&json!({"anyOf": [
            {"type": "integer", "minimum": 0, "maximum": u8::MAX},
            {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"},
        ]}))
    }
}

// === impl Propagate ===

impl Read for Propagate {
    fn read(at: &At<'_>) -> Option<Self> {
        let how = match &at.node.value {
            Value::Bool(true) => Some(Self::Prefix),
            Value::Bool(false) => Some(Self::Off),
            Value::Text(text) => match text.text.as_str() {
                "prefix" => Some(Self::Prefix),
                "setenv" => Some(Self::SetEnv),
                _ => None,
            },
            _ => None,
        };
        if how.is_none() {
            at.expected("prefix, setenv or false");
        }
        how
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": ["prefix", "setenv", true, false]})
    }
}
