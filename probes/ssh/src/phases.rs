//! Marks become spans: banner, key exchange and authentication side by side without a gap, also when it fails or is cut
//! off.

use probe_core::{FailureClass, Op, Span};
use tokio::time::Instant;

use crate::wire::Marks;

/// The phases of a session under way. Dropped before it has settled, they end there, as cut off.
#[derive(Debug)]
pub(crate) struct Phases<'a> {
    parent: &'a Span,
    /// When the connection was there.
    start: Instant,
    marks: Marks,
    /// The ways to log in that the server named.
    methods: Vec<String>,
    /// The way in which it went.
    method: Option<String>,
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
    /// The phases of a session whose connection was there at `start`.
    pub(crate) fn begin(parent: &'a Span, start: Instant, marks: Marks) -> Self {
        Self { parent, start, marks, methods: Vec::new(), method: None, settled: false }
    }

    /// The server named these ways to log in.
    pub(crate) fn offered(&mut self, methods: Vec<String>) {
        self.methods = methods;
    }

    /// The login went this way.
    pub(crate) fn logged_in(&mut self, method: String) {
        self.method = Some(method);
    }

    /// All phases ended, at this moment.
    pub(crate) fn done(mut self, at: Instant) {
        self.settle(at, End::Well);
    }

    /// The phase that is open failed, at this moment.
    pub(crate) fn fail(mut self, class: FailureClass, at: Instant) {
        self.settle(at, End::Failed(class));
    }

    fn settle(&mut self, end: Instant, how: End) {
        self.settled = true;
        let noted = self.marks.noted();
        let banner = self.parent.child_at(Op::SSH_BANNER, self.start);
        let Some((identification, identified)) = &noted.identified else { return close(banner, None, end, how) };
        banner.set("ssh.server.version", identification.as_str());
        close(banner, Some(*identified), end, how);

        let kex = self.parent.child_at(Op::SSH_KEX, *identified);
        if let Some(exchange) = &noted.exchange {
            kex.set("ssh.kex.algorithm", exchange.as_str());
        }
        if let Some(key) = &noted.host_key {
            kex.set("ssh.host_key.type", key.kind.as_str());
            kex.set("ssh.host_key.fingerprint", key.fingerprint.as_str());
        }
        // A key exchange that was refused is no ended one, whatever the other side had sent already.
        let encrypted = noted.encrypted.filter(|_| noted.refused.is_none());
        let encrypted = encrypted.filter(|_| !matches!(how, End::Failed(FailureClass::HostKey)));
        close(kex, encrypted, end, how);

        let Some(encrypted) = encrypted else { return };
        let auth = self.parent.child_at(Op::SSH_AUTH, encrypted);
        if !self.methods.is_empty() {
            auth.set("ssh.auth.methods", self.methods.clone());
        }
        if let Some(method) = &self.method {
            auth.set("ssh.auth.method", method.as_str());
        }
        close(auth, None, end, how);
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
