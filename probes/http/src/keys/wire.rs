//! What can be written of the way to the target.

use std::net::{IpAddr, SocketAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use probe_core::Secret;
use probe_keys::{At, Definitions, FileOrText, OneOrMany, Placed, Read, Text, Value};
use serde_json::{Value as Json, json};
use url::Url;

use super::ByteSize;

probe_keys::keys! {
    /// How the target is reached.
    pub struct WireKeys {
        /// The most redirects to follow (10 unless given), or `false` to follow none.
        optional redirects: Redirects,
        /// How the target's certificate is judged, and which one is shown to it.
        optional tls: TlsKeys,
        /// The version of HTTP, `1.1` or `2`; negotiated unless given.
        optional http_version: Placed<Version>,
        /// The version of IP: `4`, `6`, `any` (RFC 8305), or `both`, which asks twice, side by side.
        optional family: Placed<Family>,
        /// An address, or several, in place of asking for the URL's host; what the target is told of the host stays.
        optional resolve: Placed<OneOrMany<Address>>,
        /// Name servers to ask in place of the system's, as `ip` or `ip:port`.
        optional dns: OneOrMany<NameServer>,
        /// A proxy to go through: an http, https, socks5 or socks5h URL. The environment is ignored.
        optional proxy: Placed<ProxyUrl>,
        /// Whether a connection of the same run may be used again; `false` unless given.
        optional reuse: bool,
        /// Reading of the answer's body stops there, after decoding; 1MiB unless given.
        optional max_body: ByteSize,
    }
}

probe_keys::keys! {
    /// How the target's certificate is judged, and which one is shown to it.
    pub struct TlsKeys {
        /// Whether it must hold; `true` unless given.
        optional verify: bool,
        /// The only authorities to trust: a PEM file's path, or the PEM text itself.
        optional ca: Placed<FileOrText>,
        /// Our own certificate, with those that lead to its authority: a PEM file's path, or the PEM text itself.
        optional cert: Placed<FileOrText>,
        /// Our certificate's private key: a PEM file's path, or the PEM text itself.
        optional key: Placed<FileOrText>,
        /// The name that is asked for and that the certificate must be for, in place of the URL's host.
        optional server_name: Placed<Text>,
        /// The oldest version of TLS, `1.2` or `1.3`; 1.2 unless given.
        optional min_version: TlsVersion,
    }
    where needs(cert, key), needs(key, cert)
}

/// How many redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirects(pub usize);

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: agreed upon in the TLS handshake, and taken for granted without TLS.
    Http2,
}

/// Which versions of IP are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// The one that connects first (RFC 8305).
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Each, by a request of its own.
    Both,
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub IpAddr);

/// A name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServer(pub SocketAddr);

/// The URL of a proxy, credentials included.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(pub Url);

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsVersion {
    /// RFC 5246.
    V12,
    /// RFC 8446.
    V13,
}

/// A word or a number, as it was written.
fn written<'a>(at: &At<'a>) -> Option<&'a str> {
    match &at.node.value {
        Value::Number(_, written) => Some(written),
        Value::Text(text) => Some(&text.text),
        _ => None,
    }
}

/// One of a few words or numbers.
fn one_of<T: Copy>(at: &At<'_>, all: &[(&str, T)], expected: &str) -> Option<T> {
    let found = written(at).and_then(|word| all.iter().find(|(name, _)| *name == word).map(|(_, value)| *value));
    if found.is_none() {
        at.expected(expected);
    }
    found
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

// === impl Version ===

impl Read for Version {
    fn read(at: &At<'_>) -> Option<Self> {
        one_of(at, &[("1.1", Self::Http1), ("2", Self::Http2), ("2.0", Self::Http2)], "1.1 or 2")
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": [1.1, 2, "1.1", "2", "2.0"]})
    }
}

// === impl Family ===

impl Family {
    /// Whether this address is of the family.
    pub(crate) const fn holds(self, address: IpAddr) -> bool {
        match self {
            Self::Any | Self::Both => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    /// For people: `IPv6`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Any | Self::Both => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

impl Read for Family {
    fn read(at: &At<'_>) -> Option<Self> {
        let all = [("4", Self::V4), ("6", Self::V6), ("any", Self::Any), ("both", Self::Both)];
        one_of(at, &all, "4, 6, any or both")
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": [4, 6, "4", "6", "any", "both"]})
    }
}

// === impl Address ===

impl Read for Address {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| text.parse().map(Self).map_err(|_| format!("{text:?} is not an IP address")))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
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

// === impl ProxyUrl ===

impl ProxyUrl {
    /// Without credentials: `http://proxy.example:3128`.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default());
        if let Some(port) = self.0.port() {
            shown.push_str(&format!(":{port}"));
        }
        shown
    }

    /// User name and password, decoded.
    pub(crate) fn credentials(&self) -> Option<(String, String)> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let some = !self.0.username().is_empty() || self.0.password().is_some();
        some.then(|| (decoded(self.0.username()), decoded(self.0.password().unwrap_or_default())))
    }
}

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProxyUrl").field(&self.shown()).finish()
    }
}

impl Read for ProxyUrl {
    fn read(at: &At<'_>) -> Option<Self> {
        const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
        let proxy = at.parse(|text| match Url::parse(text) {
            Ok(url) if !SCHEMES.contains(&url.scheme()) => {
                Err("a proxy is an http, https, socks5 or socks5h URL".to_owned())
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => Err("this proxy has no host".to_owned()),
            Ok(url) if url.port() == Some(0) => Err("port 0 cannot be connected to".to_owned()),
            Ok(url) if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() => {
                Err("a proxy is a scheme, a host and a port: there is no path to it".to_owned())
            }
            Ok(url) => Ok(Self(url)),
            Err(error) => Err(format!("this is not the URL of a proxy: {error}")),
        })?;
        if let Some((user, password)) = proxy.credentials() {
            at.findings().secret(Secret::new(STANDARD.encode(format!("{user}:{password}"))));
            at.findings().secret(Secret::new(password));
        }
        Some(proxy)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "pattern": r"^(https?|socks5h?)://|\$\{"})
    }
}

// === impl TlsVersion ===

impl Read for TlsVersion {
    fn read(at: &At<'_>) -> Option<Self> {
        one_of(at, &[("1.2", Self::V12), ("1.3", Self::V13)], "1.2 or 1.3")
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": [1.2, 1.3, "1.2", "1.3"]})
    }
}
