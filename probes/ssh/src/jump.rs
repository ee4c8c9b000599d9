//! Hosts to go through, as they are written.

use probe_keys::{At, Definitions, Read};
use serde_json::{Value as Json, json};

use crate::name::Name;

/// Hosts to go through, the nearest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jumps(pub Vec<Jump>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Who logs in there.
    pub username: Option<String>,
    /// Its name or address.
    pub host: String,
    /// Its port; 22, or what the configuration of ssh says.
    pub port: Option<u16>,
}

// === impl Jumps ===

impl Jumps {
    /// As `ssh -J` takes them.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(|one| Jump::parse(one.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl Read for Jumps {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(Self::parse)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "minLength": 1})
    }
}

// === impl Jump ===

impl Jump {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |part: &str, reason: String| format!("the {part} of `{text}`: {reason}");
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let (username, place) = match text.rsplit_once('@') {
            Some((username, place)) => (Some(Name::parse(username).map_err(|reason| wrong("user", reason))?.0), place),
            None => (None, text),
        };
        // An IPv6 address has colons of its own: with a port it stands in brackets.
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match place.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (place, None),
            },
        };
        let number = |port: &str| port.parse().ok().filter(|port| *port != 0);
        let port = match port {
            Some(port) => Some(number(port).ok_or_else(|| wrong("port", "1 to 65535 are ports".to_owned()))?),
            None => None,
        };
        Ok(Self { username, host: Name::parse(host).map_err(|reason| wrong("host", reason))?.0, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_read_as_ssh_reads_them() {
        let jump = |username: Option<&str>, host: &str, port| Jump {
            username: username.map(str::to_owned),
            host: host.to_owned(),
            port,
        };
        for (text, want) in [
            ("bastion", vec![jump(None, "bastion", None)]),
            ("me@bastion:2222", vec![jump(Some("me"), "bastion", Some(2222))]),
            ("a, ops@[::1]:22", vec![jump(None, "a", None), jump(Some("ops"), "::1", Some(22))]),
            ("fe80::1", vec![jump(None, "fe80::1", None)]),
            ("ssh://me@b:1", vec![jump(Some("me"), "b", Some(1))]),
        ] {
            assert_eq!(Jumps::parse(text), Ok(Jumps(want)), "{text}");
        }
        for text in ["", "a,", "-oProxyCommand=x", "me@", "a:0", "a:x", "a b", "a;b"] {
            assert!(Jumps::parse(text).is_err(), "{text}");
        }
    }
}
