//! Marks become spans: the phases of one request, side by side without a gap, also when it fails or is cut off.

use probe_core::{FailureClass, Op, Span};
use tokio::time::Instant;

use crate::{
    body::Sent,
    certificate::Certificate,
    connect::{Attempt, Attempts, Ends},
};

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
    /// Who tells the addresses.
    source: &'a str,
    host: &'a str,
    sent: Sent,
    head: Option<Instant>,
    ends: Option<Ends>,
    /// Bytes to send, and bytes received.
    sizes: (usize, usize),
    /// Whether the answer's body went on where reading stopped.
    body_cut: bool,
    settled: bool,
}

/// How the open phase ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Failed(FailureClass),
    CutOff,
}

// === impl Phases ===

impl<'a> Phases<'a> {
    /// The phases of a request that began at `start`.
    pub(crate) fn begin(
        request: &'a Span,
        start: Instant,
        attempts: &'a Attempts,
        (source, host): (&'a str, &'a str),
        size: usize,
    ) -> Self {
        Self {
            request,
            start,
            attempts,
            from: attempts.len(),
            source,
            host,
            sent: Sent::default(),
            head: None,
            ends: None,
            sizes: (size, 0),
            body_cut: false,
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
    pub(crate) const fn received(&mut self, size: usize, cut: bool) {
        self.sizes.1 = size;
        self.body_cut = cut;
    }

    /// The connection attempt of this request; none when it found a connection that was there.
    pub(crate) fn attempt(&self) -> Option<Attempt> {
        match self.ends {
            Some(ends) => self.attempts.of(ends, self.from),
            None => self.attempts.latest(self.from),
        }
    }

    /// The answer is there: all phases ended, now.
    pub(crate) fn done(self) -> Instant {
        self.end(End::Well)
    }

    /// The phase that is open failed, now.
    pub(crate) fn fail(self, class: FailureClass) -> Instant {
        self.end(End::Failed(class))
    }

    fn end(mut self, how: End) -> Instant {
        let now = Instant::now();
        self.settle(now, how);
        self.settled = true;
        now
    }

    fn settle(&self, end: Instant, how: End) {
        let (request, mut from) = (self.request, self.start);
        match (self.attempt(), self.ends) {
            (Some(attempt), _) => {
                let conn = request.child_at(Op::NET_CONN, from);
                self.connection(&conn, &attempt, end, how);
                close(conn, attempt.established, end, how);
                match attempt.established {
                    Some(at) => from = at,
                    None => return,
                }
            }
            (None, Some(ends)) => {
                let conn = request.child_at(Op::NET_CONN, from);
                conn.set("connection.reused", true);
                peer(&conn, ends.remote());
                conn.finish_at(from);
            }
            (None, None) => {}
        }

        // An early answer ends the sending, however much of the body was left.
        let sent = match (self.sent.at(), self.head) {
            (Some(sent), Some(head)) => Some(sent.min(head)),
            (sent, head) => sent.or(head),
        };
        let send = request.child_at(Op::HTTP_SEND, from);
        send.set("http.request.body.size", self.sizes.0);
        close(send, sent.map(|sent| sent.max(from)), end, how);

        let Some(sent) = sent else { return };
        close(request.child_at(Op::HTTP_WAIT, sent.max(from)), self.head, end, how);

        let Some(head) = self.head else { return };
        let recv = request.child_at(Op::HTTP_RECV, head);
        recv.set("http.response.body.size", self.sizes.1);
        if self.body_cut {
            recv.set("http.response.body.truncated", true);
        }
        close(recv, None, end, how);
    }

    fn connection(&self, conn: &Span, attempt: &Attempt, end: Instant, how: End) {
        if let Some(remote) = attempt.remote {
            peer(conn, remote);
        }
        if let Some(local) = attempt.local {
            conn.set("network.local.port", local.port());
        }
        let mut from = self.start;
        if attempt.asked.is_some() {
            let dns = conn.child_at(Op::NET_DNS, from);
            dns.set("dns.question.name", self.host);
            dns.set("dns.source", self.source);
            if attempt.resolved.is_some() {
                let listed: Vec<String> = attempt.addresses.iter().take(LISTED).map(ToString::to_string).collect();
                dns.set("dns.answers", listed);
                dns.set("dns.answers.count", attempt.addresses.len());
            }
            close(dns, attempt.resolved, end, how);
            match attempt.resolved {
                Some(at) => from = at,
                None => return,
            }
        }

        let connected = attempt.tls.or(attempt.established);
        let tcp = conn.child_at(Op::NET_TCP, from);
        match (attempt.remote, attempt.addresses.as_slice()) {
            (Some(remote), _) => peer(&tcp, remote),
            (None, [address]) => tcp.set("network.peer.address", address.to_string()),
            // No look-up: the host is an address.
            (None, []) => tcp.set("network.peer.address", self.host.trim_matches(['[', ']'])),
            (None, _) => {}
        }
        close(tcp, connected, end, how);

        if let Some(begun) = attempt.tls {
            let tls = conn.child_at(Op::NET_TLS, begun);
            handshake(&tls, attempt);
            close(tls, attempt.established, end, how);
        }
    }
}

impl Drop for Phases<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(Instant::now(), End::CutOff);
        }
    }
}

/// Ends a phase: well where it has its own end, else as the whole does.
fn close(span: Span, finished: Option<Instant>, end: Instant, how: End) {
    match (finished, how) {
        (Some(at), _) => span.finish_at(at),
        (None, End::Well) => span.finish_at(end),
        (None, End::Failed(class)) => span.fail_at(class, end),
        (None, End::CutOff) => span.cut_at(end),
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
