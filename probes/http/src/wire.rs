//! The way to a target, compiled.

use std::{net::IpAddr, sync::Arc};

use probe_keys::{Findings, Placed};
use rustls::ClientConfig;
use rustls_pki_types::{DnsName, ServerName};

use crate::{
    Network,
    keys::{Family, ProxyUrl, TlsKeys, Version, WireKeys},
    request::Request,
    resolve::Resolver,
    target::literal,
    tls::{Trust, TrustError},
};

/// How a request reaches its target, and how much of the answer is taken.
#[derive(Clone, Debug)]
pub struct Wire {
    pub(crate) way: Arc<Way>,
    /// The same without our certificate, when there is one: to hosts that a redirect names.
    elsewhere: Option<Arc<Way>>,
    /// Addresses in place of asking for the host.
    pub(crate) resolve: Arc<[IpAddr]>,
    /// The name for TLS in place of the host.
    pub(crate) server_name: Option<DnsName<'static>>,
    pub(crate) redirects: usize,
    pub(crate) max_body: usize,
    /// As it was written, for a command line that does the same.
    pub(crate) tls: Option<Arc<TlsKeys>>,
}

/// How connections are made: those made in the same way can be shared.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) family: Family,
    pub(crate) version: Option<Version>,
    pub(crate) proxy: Option<Via>,
    pub(crate) reuse: bool,
}

/// A proxy.
#[derive(Clone, Debug)]
pub(crate) struct Via {
    pub(crate) url: ProxyUrl,
    /// Without credentials.
    pub(crate) shown: String,
    proxy: reqwest::Proxy,
}

// === impl Wire ===

impl Wire {
    /// Compiles what was written; `None` when a mistake was noted. `names_host` says that the request has a `host` header of
    /// its own.
    pub fn compile(keys: &WireKeys, names_host: bool, network: &Network, findings: &Findings) -> Option<Self> {
        let server_name = server_name(keys, findings);
        let written = keys.http_version.as_ref();
        let version = match &server_name {
            Some(Some(_)) => Some(Version::Http1),
            // HTTP/2 tells the host of the URL; targets refuse a second one beside it (RFC 9113, 8.3.1).
            _ if names_host => Some(Version::Http1),
            _ => written.map(|version| version.value),
        };
        if let Some(version) = written.filter(|version| names_host && version.value == Version::Http2) {
            let hint =
                "with a `host` header, HTTP/1.1 is used; or put the name into the URL, and the address into `resolve`";
            findings.wrong_with(&version.spot, "HTTP/2 tells the host of the URL, and no other", hint);
            return None;
        }
        let trust = Trust::compile(keys.tls.as_ref(), version, findings);
        let config = |trust| network.tls(trust).map_err(|error| note(keys, &error, findings)).ok();
        let stranger = trust.clone().filter(|trust| trust.identity.is_some());
        let stranger = stranger.and_then(|trust| config(Trust { identity: None, ..trust }));
        let tls = trust.and_then(config);
        let sound = family_fits(keys, findings) & proxy_fits(keys, findings);
        let servers = keys.dns.as_ref().map(|servers| servers.0.iter().map(|server| server.0).collect());
        let proxy = match &keys.proxy {
            None => Some(None),
            Some(Placed { value, spot }) => {
                let via = Via::new(value).map_err(|error| findings.wrong(spot, error.to_string()));
                via.ok().map(Some)
            }
        };
        let way = Way {
            resolver: network.resolver(servers),
            tls: tls?,
            family: keys.family.as_ref().map(|family| family.value).unwrap_or_default(),
            version,
            proxy: proxy?,
            reuse: keys.reuse.unwrap_or(false),
        };
        let elsewhere = stranger.map(|tls| Arc::new(Way { tls, ..way.clone() }));
        let resolve = keys.resolve.iter().flat_map(|addresses| &addresses.value.0).map(|address| address.0);
        let wire = Self {
            way: Arc::new(way),
            elsewhere,
            resolve: resolve.collect(),
            server_name: server_name?,
            redirects: keys.redirects.unwrap_or_default().0,
            max_body: keys.max_body.unwrap_or_default().0,
            tls: keys.tls.clone().map(Arc::new),
        };
        sound.then_some(wire)
    }

    /// Notes what this wire cannot do for a request that is known at load; false when there is something.
    pub fn fits(&self, request: &Request, keys: &WireKeys, findings: &Findings) -> bool {
        let literal = literal(request.host());
        let mut fits = true;
        if let (Some(resolve), Some(_)) = (&keys.resolve, literal) {
            findings.wrong(&resolve.spot, "the URL's host is an address already");
            fits = false;
        }
        if let (Some(family), Some(address)) = (&keys.family, literal)
            && (family.value == Family::Both || !family.value.holds(address))
        {
            findings.wrong(&family.spot, format!("the URL's host is an {} address", name_of(address)));
            fits = false;
        }
        let tls = keys.tls.as_ref().and_then(|tls| tls.server_name.as_ref());
        if let Some(server_name) = tls.filter(|_| request.url.scheme() == "http") {
            findings.wrong(&server_name.spot, "there is no TLS on the way to an http URL");
            fits = false;
        }
        fits
    }

    /// The way to a host: with our certificate only to one that is `trusted` with what is secret.
    pub(crate) fn way(&self, trusted: bool) -> &Arc<Way> {
        self.elsewhere.as_ref().filter(|_| !trusted).unwrap_or(&self.way)
    }

    /// Whether every request is asked twice, by IPv4 and by IPv6: see [`split`](Self::split).
    pub fn is_both(&self) -> bool {
        self.way.family == Family::Both
    }

    /// The wires to ask over, each with what it is called: one, or one for each version of IP.
    pub fn split(self) -> Vec<(Option<&'static str>, Self)> {
        if !self.is_both() {
            return vec![(None, self)];
        }
        let only = |family: Family| {
            let of = |way: &Arc<Way>| Arc::new(Way { family, ..(**way).clone() });
            let (way, elsewhere) = (of(&self.way), self.elsewhere.as_ref().map(of));
            (Some(family.name()), Self { way, elsewhere, ..self.clone() })
        };
        vec![only(Family::V4), only(Family::V6)]
    }
}

// === impl Way ===

impl Way {
    /// Whether a connection of this way can be used for that one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let proxy = |way: &Self| way.proxy.as_ref().map(|via| via.url.clone());
        Arc::ptr_eq(&self.resolver, &other.resolver)
            && Arc::ptr_eq(&self.tls, &other.tls)
            && (self.family, self.version, self.reuse) == (other.family, other.version, other.reuse)
            && proxy(self) == proxy(other)
    }
}

// === impl Via ===

impl Via {
    fn new(url: &ProxyUrl) -> Result<Self, reqwest::Error> {
        Ok(Self { url: url.clone(), shown: url.shown(), proxy: reqwest::Proxy::all(url.0.as_str())? })
    }

    /// For the client.
    pub(crate) fn proxy(&self) -> reqwest::Proxy {
        self.proxy.clone()
    }

    /// Whether it makes a connection of its own to the target, through which ours goes: for TLS, and by SOCKS.
    pub(crate) fn tunnels(&self, scheme: &str) -> bool {
        scheme == "https" || self.url.0.scheme().starts_with("socks")
    }

    /// Whether it is itself reached by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.0.scheme() == "https"
    }
}

const fn name_of(address: IpAddr) -> &'static str {
    if address.is_ipv4() { Family::V4.name() } else { Family::V6.name() }
}

/// The name for TLS; the outer `None` is a mistake.
#[allow(clippy::option_option)]
fn server_name(keys: &WireKeys, findings: &Findings) -> Option<Option<DnsName<'static>>> {
    let Some(written) = keys.tls.as_ref().and_then(|tls| tls.server_name.as_ref()) else { return Some(None) };
    let name = match ServerName::try_from(written.value.text.to_ascii_lowercase()) {
        Ok(ServerName::DnsName(name)) => name,
        Ok(_) => {
            findings.wrong(&written.spot, "this is an address: TLS asks for names");
            return None;
        }
        Err(_) => {
            findings.wrong(&written.spot, "this is not the name of a host");
            return None;
        }
    };
    if let Some(proxy) = &keys.proxy {
        findings.wrong_with(
            &proxy.spot,
            "a proxy would be asked for the `server_name`, not for the host",
            "leave one of the two out",
        );
        return None;
    }
    if let Some(version) = keys.http_version.as_ref().filter(|version| version.value == Version::Http2) {
        findings.wrong_with(
            &version.spot,
            "HTTP/2 has one name for TLS and for the request",
            "with `server_name`, HTTP/1.1 is used",
        );
        return None;
    }
    Some(Some(name))
}

fn family_fits(keys: &WireKeys, findings: &Findings) -> bool {
    let (Some(resolve), Some(family)) = (&keys.resolve, &keys.family) else { return true };
    let wanted: &[Family] = match &family.value {
        Family::Both => &[Family::V4, Family::V6],
        one => std::slice::from_ref(one),
    };
    let missing = wanted.iter().find(|family| !resolve.value.0.iter().any(|address| family.holds(address.0)));
    if let Some(missing) = missing {
        findings.wrong(&resolve.spot, format!("there is no {} address here", missing.name()));
    }
    missing.is_none()
}

/// With a proxy, it is the proxy that is connected to.
fn proxy_fits(keys: &WireKeys, findings: &Findings) -> bool {
    if keys.proxy.is_none() {
        return true;
    }
    let family = keys.family.as_ref().filter(|family| family.value != Family::Any).map(|family| &family.spot);
    let resolve = keys.resolve.as_ref().map(|resolve| &resolve.spot);
    for (spot, key) in [(family, "family"), (resolve, "resolve")] {
        if let Some(spot) = spot {
            let reason = format!("`{key}` has no use with a proxy: the proxy connects to the target");
            findings.wrong(spot, reason);
        }
    }
    family.is_none() && resolve.is_none()
}

fn note(keys: &WireKeys, error: &TrustError, findings: &Findings) {
    let tls = keys.tls.as_ref();
    let placed = match error {
        TrustError::Authorities(_) => tls.and_then(|tls| tls.ca.as_ref()),
        TrustError::Identity(_) => tls.and_then(|tls| tls.key.as_ref()),
    };
    if let Some(placed) = placed {
        findings.wrong(&placed.spot, error.to_string());
    }
}
