//! Marks become spans: the phases of one request, side by side without a gap, also when it fails or is cut off.

use std::time::Duration;

use probe_core::{End, FailureClass, Op, Span};
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;
use url::Url;

use crate::{
    body::{Received, Sent},
    certificate::Certificate,
    connect::{Attempt, Attempts, Ends},
    decode::Encoding,
    wire::{Via, Way},
};

/// The spans of a request that looks up a name, connects, speaks TLS, and is answered: it, its connection, the phases.
pub const SPANS: usize = 8;

/// The same over a connection that was there.
pub const SPANS_REUSED: usize = 4;

/// A wait before a connection is made is told from here on.
const NOTABLE: Duration = Duration::from_millis(1);

/// More addresses than this are counted, not listed.
const LISTED: usize = 16;

/// The phases of a request under way. Dropped before it has settled, they end there, as cut off.
#[derive(Debug)]
pub(crate) struct Phases<'a> {
    /// The request's own span: ended by whoever holds it, after its phases.
    request: &'a Span,
    /// Each phase begins where the one before it ended: what lies between belongs to the later one.
    start: Instant,
    attempts: &'a Attempts,
    /// The attempts from here on are this request's.
    from: usize,
    way: &'a Way,
    url: &'a Url,
    sent: Sent,
    head: Option<Instant>,
    ends: Option<Ends>,
    /// Bytes to send.
    size: usize,
    /// What is known of the answer's body: its size on the wire, decoded, its encoding, and whether it went on.
    body: Option<(usize, usize, Option<Encoding>, bool)>,
    /// The connection attempt of this request, once it was looked for.
    found: Option<Attempt>,
    settled: bool,
}

// === impl Phases ===

impl<'a> Phases<'a> {
    /// The phases of a request that began at `start`.
    pub(crate) fn begin(
        request: &'a Span,
        start: Instant,
        attempts: &'a Attempts,
        (way, url): (&'a Way, &'a Url),
        size: usize,
    ) -> Self {
        Self {
            request,
            start,
            attempts,
            from: attempts.len(),
            way,
            url,
            sent: Sent::default(),
            head: None,
            ends: None,
            size,
            body: None,
            found: None,
            settled: false,
        }
    }

    /// Where the request's body marks its end.
    pub(crate) fn sent(&self) -> Sent {
        self.sent.clone()
    }

    /// The answer's head is there, over the connection between these ends.
    pub(crate) fn head(&mut self, ends: Option<Ends>) {
        self.head = Some(Instant::now());
        self.ends = ends;
    }

    /// The head says this.
    pub(crate) fn answered(&self, status: u16, version: &'static str) {
        self.request.set("http.response.status_code", status);
        self.request.set("network.protocol.version", version);
        if let Some(ends) = self.ends {
            self.request.set("network.peer.address", ends.remote().ip().to_string());
        }
    }

    /// So much of the answer's body is there.
    pub(crate) const fn received(&mut self, body: &Received) {
        self.body = Some((body.wire, body.bytes.len(), body.encoding, body.cut));
    }

    /// The connection attempt of this request; none when it found a connection that was there.
    pub(crate) fn attempt(&self) -> Option<Attempt> {
        match self.ends {
            Some(ends) => self.attempts.of(ends, self.from),
            None => self.attempts.latest(self.from),
        }
    }

    /// What the target showed in the handshake of the connection, also when that was made for an earlier request; none
    /// without TLS.
    pub(crate) fn certificate(&mut self) -> Option<CertificateDer<'static>> {
        self.found = self.attempt();
        match (&self.found, self.ends) {
            (Some(attempt), _) => attempt.certificate.clone(),
            (None, Some(ends)) => self.attempts.of(ends, 0)?.certificate,
            (None, None) => None,
        }
    }

    /// Whether it went out although no connection was made for it.
    pub(crate) fn is_over_a_kept_connection(&self) -> bool {
        self.way.reuse && self.sent.at().is_some() && self.attempt().is_none()
    }

    /// The answer is there: all phases ended, now.
    pub(crate) fn done(self) -> Instant {
        self.end(End::well)
    }

    /// The phase that is open failed, now.
    pub(crate) fn fail(self, class: FailureClass) -> Instant {
        self.end(|now| End::failed(class, now))
    }

    fn end(mut self, how: impl FnOnce(Instant) -> End) -> Instant {
        let now = Instant::now();
        self.settle(how(now));
        self.settled = true;
        now
    }

    fn settle(&mut self, end: End) {
        let (request, mut from) = (self.request, self.start);
        match (self.found.take().or_else(|| self.attempt()), self.ends) {
            (Some(attempt), _) => {
                // What we waited before it is not the target's.
                let begun = attempt.begun.unwrap_or(from);
                if self.way.reuse && begun.saturating_duration_since(from) >= NOTABLE {
                    request.child_at(Op::NET_POOL, from).finish_at(begun);
                }
                from = begun;
                let conn = request.child_at(Op::NET_CONN, from);
                self.connection(&conn, &attempt, from, end);
                end.close(conn, attempt.established);
                match attempt.established {
                    Some(at) => from = at,
                    None => return,
                }
            }
            // Nothing of the network was done for it.
            (None, Some(_)) => request.set("connection.reused", true),
            (None, None) if self.is_over_a_kept_connection() => request.set("connection.reused", true),
            (None, None) => {}
        }

        // An early answer ends the sending, however much of the body was left.
        let sent = match (self.sent.at(), self.head) {
            (Some(sent), Some(head)) => Some(sent.min(head)),
            (sent, head) => sent.or(head),
        };
        let send = request.child_at(Op::HTTP_SEND, from);
        send.set("http.request.body.size", self.size);
        end.close(send, sent.map(|sent| sent.max(from)));

        let Some(sent) = sent else { return };
        end.close(request.child_at(Op::HTTP_WAIT, sent.max(from)), self.head);

        let Some(head) = self.head else { return };
        let recv = request.child_at(Op::HTTP_RECV, head);
        if let Some((wire, decoded, encoding, cut)) = self.body {
            recv.set("http.response.body.size", wire);
            if let Some(encoding) = encoding {
                recv.set("http.response.body.encoding", encoding.name());
                recv.set("http.response.body.decoded_size", decoded);
            }
            if cut {
                recv.set("http.response.body.truncated", true);
            }
        }
        end.close(recv, None);
    }

    fn connection(&self, conn: &Span, attempt: &Attempt, mut from: Instant, end: End) {
        if let Some(remote) = attempt.remote {
            peer(conn, remote);
        }
        if let Some(local) = attempt.local {
            conn.set("network.local.port", local.port());
        }
        if attempt.configured {
            conn.set("dns.source", "configured");
        }
        if let Some(via) = &self.way.proxy {
            conn.set("network.proxy", via.shown.as_str());
        }
        if attempt.asked.is_some() {
            let dns = conn.child_at(Op::NET_DNS, from);
            dns.set("dns.question.name", attempt.name.as_deref().unwrap_or_default());
            dns.set("dns.source", self.way.resolver.source());
            if attempt.resolved.is_some() {
                let listed: Vec<String> = attempt.addresses.iter().take(LISTED).map(ToString::to_string).collect();
                dns.set("dns.answers", listed);
                dns.set("dns.answers.count", attempt.addresses.len());
            }
            end.close(dns, attempt.resolved);
            match attempt.resolved {
                Some(at) => from = at,
                None => return,
            }
        }

        let tunnel = self.way.proxy.as_ref().filter(|via| via.tunnels(self.url.scheme()));
        // The handshake with the proxy itself is part of connecting through it.
        let tls = attempt.tls.filter(|_| !tunnel.is_some_and(Via::is_secure) || attempt.tls_before.is_some());
        let connected = tls.or(attempt.established);
        let tcp = conn.child_at(if tunnel.is_some() { Op::NET_PROXY } else { Op::NET_TCP }, from);
        match (attempt.remote, attempt.addresses.as_slice()) {
            (Some(remote), _) => peer(&tcp, remote),
            (None, [address]) => tcp.set("network.peer.address", address.to_string()),
            // No look-up: the host is an address.
            (None, []) if self.way.proxy.is_none() => {
                tcp.set("network.peer.address", self.url.host_str().unwrap_or_default().trim_matches(['[', ']']));
            }
            (None, _) => {}
        }
        end.close(tcp, connected);

        if let Some(begun) = tls {
            let tls = conn.child_at(Op::NET_TLS, begun);
            handshake(&tls, attempt);
            end.close(tls, attempt.established);
        }
    }
}

impl Drop for Phases<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(End::cut_off(Instant::now()));
        }
    }
}

fn peer(span: &Span, remote: std::net::SocketAddr) {
    span.set("network.peer.address", remote.ip().to_string());
    span.set("network.peer.port", remote.port());
    span.set("network.type", if remote.is_ipv4() { "ipv4" } else { "ipv6" });
}

fn handshake(tls: &Span, attempt: &Attempt) {
    if let Some(agreed) = attempt.agreed {
        tls.set("tls.protocol.version", agreed.version);
        tls.set("tls.cipher", agreed.cipher());
    }
    if let Some(certificate) = attempt.certificate.as_ref().and_then(Certificate::read) {
        if let Some(not_after) = certificate.not_after {
            tls.set("tls.server.not_after", not_after.to_rfc3339());
        }
        tls.set("tls.server.issuer", certificate.issuer);
    }
    if let Some(verified) = attempt.verified {
        tls.set("tls.verified", verified);
    }
}
