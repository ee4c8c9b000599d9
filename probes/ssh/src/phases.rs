//! Marks become spans: banner, key exchange and authentication side by side without a gap, also when it fails or is cut
//! off.

use probe_core::{End, FailureClass, Op, Span};
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
        self.settle(End::well(at));
    }

    /// The phase that is open failed, at this moment.
    pub(crate) fn fail(mut self, class: FailureClass, at: Instant) {
        self.settle(End::failed(class, at));
    }

    fn settle(&mut self, end: End) {
        self.settled = true;
        let noted = self.marks.noted();
        let banner = self.parent.child_at(Op::SSH_BANNER, self.start);
        let Some((identification, identified)) = &noted.identified else { return end.close(banner, None) };
        banner.set("ssh.server.version", identification.as_str());
        end.close(banner, Some(*identified));

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
        let encrypted = encrypted.filter(|_| end.class() != Some(FailureClass::HostKey));
        end.close(kex, encrypted);

        let Some(encrypted) = encrypted else { return };
        let auth = self.parent.child_at(Op::SSH_AUTH, encrypted);
        if !self.methods.is_empty() {
            auth.set("ssh.auth.methods", self.methods.clone());
        }
        if let Some(method) = &self.method {
            auth.set("ssh.auth.method", method.as_str());
        }
        end.close(auth, None);
    }
}

impl Drop for Phases<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(End::cut_off(Instant::now()));
        }
    }
}
