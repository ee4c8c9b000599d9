//! Why a run did not meet its expectation.

use thiserror::Error;

use crate::SpanStatus;

/// The first broken expectation of a run.
///
/// The message is for a person who was woken up: what was expected, what was there, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Failure {
    /// What broke.
    pub class: FailureClass,
    /// The sentence a person reads first.
    pub message: String,
    /// What should have been there, when that can be said in a word (`200`).
    pub expected: Option<String>,
    /// What was there instead (`503`).
    pub actual: Option<String>,
    /// Where the actual value came from (`$.status of the body`).
    pub origin: Option<String>,
    /// What the target said, when it said something.
    pub excerpt: Option<Box<Excerpt>>,
    /// A command line that asks the target the same question.
    pub reproduce: Option<String>,
}

/// The beginning of an answer that broke an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The answer's head as text, one header a line; empty when there is none.
    pub head: String,
    /// The first bytes of its body, as text.
    pub body: String,
    /// Whether the body was longer than what is kept here.
    pub truncated: bool,
}

/// OpenTelemetry's `error.type`: a closed, low-cardinality list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// The name did not resolve.
    Dns,
    /// No connection to any address.
    Connect,
    /// The handshake failed, or the certificate did not hold.
    Tls,
    /// Not done within its time.
    Timeout,
    /// The answer was not one in the protocol's terms.
    Protocol,
    /// A redirect that cannot be followed, or one too many.
    Redirect,
    /// Another status than expected.
    Status,
    /// A body that is not as expected, or larger than allowed.
    Body,
    /// An assertion did not hold.
    Assertion,
    /// The target refused the credentials.
    Auth,
    /// The remote command failed.
    Command,
    /// Another host key than expected.
    HostKey,
    /// A fault on the prober's side: it says nothing of the target.
    Internal,
}

// === impl Failure ===

impl Failure {
    /// A failure with its class and message, and nothing else known yet.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            expected: None,
            actual: None,
            origin: None,
            excerpt: None,
            reproduce: None,
        }
    }

    /// Adds what was expected and what was there instead.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }

    /// Adds where the actual value came from.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Adds the beginning of the answer.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(Box::new(excerpt));
        self
    }

    /// Adds a command line that asks the target the same question.
    #[must_use]
    pub fn reproduce(mut self, command: impl Into<String>) -> Self {
        self.reproduce = Some(command.into());
        self
    }

    /// Every text in it, to be changed: secrets are masked through here.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let optional = [&mut self.expected, &mut self.actual, &mut self.origin, &mut self.reproduce];
        let excerpt = self.excerpt.as_deref_mut().map(|excerpt| [&mut excerpt.head, &mut excerpt.body]);
        [&mut self.message].into_iter().chain(optional.into_iter().flatten()).chain(excerpt.into_iter().flatten())
    }
}

// === impl Excerpt ===

impl Excerpt {
    /// The first `most` bytes of a body, no character cut in two. `cut` says that the body had more than is given here.
    pub fn new(head: String, body: &[u8], most: usize, cut: bool) -> Self {
        let truncated = cut || body.len() > most;
        let kept = &body[..body.len().min(most)];
        let whole = if truncated { kept.len() - begun(kept) } else { kept.len() };
        Self { head, body: String::from_utf8_lossy(&kept[..whole]).into_owned(), truncated }
    }
}

// === impl FailureClass ===

impl FailureClass {
    /// Every class, in the order of a request's life.
    pub const ALL: [Self; 13] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Redirect,
        Self::Status,
        Self::Body,
        Self::Assertion,
        Self::Auth,
        Self::Command,
        Self::HostKey,
        Self::Internal,
    ];

    /// As `error.type` and in programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Body => "body",
            Self::Assertion => "assertion",
            Self::Auth => "auth",
            Self::Command => "command",
            Self::HostKey => "host_key",
            Self::Internal => "internal",
        }
    }

    /// In words, as the type of an exception.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dns => "DnsFailure",
            Self::Connect => "ConnectFailure",
            Self::Tls => "TlsFailure",
            Self::Timeout => "Timeout",
            Self::Protocol => "ProtocolViolation",
            Self::Redirect => "RedirectFailure",
            Self::Status => "StatusMismatch",
            Self::Body => "BodyMismatch",
            Self::Assertion => "AssertionFailure",
            Self::Auth => "AuthenticationFailure",
            Self::Command => "CommandFailure",
            Self::HostKey => "HostKeyMismatch",
            Self::Internal => "ProberFault",
        }
    }

    /// The span status of a step that failed this way.
    pub const fn status(self) -> SpanStatus {
        match self {
            Self::Dns | Self::Connect | Self::Tls | Self::Protocol => SpanStatus::Unavailable,
            Self::Timeout => SpanStatus::DeadlineExceeded,
            Self::Redirect | Self::Status | Self::Body | Self::Assertion | Self::Command => {
                SpanStatus::FailedPrecondition
            }
            Self::Auth => SpanStatus::Unauthenticated,
            Self::HostKey => SpanStatus::PermissionDenied,
            Self::Internal => SpanStatus::InternalError,
        }
    }
}

/// How many bytes at the end begin a character that is not whole (RFC 3629, 3).
fn begun(bytes: &[u8]) -> usize {
    let is_inner = |byte: &&u8| (0x80..0xc0).contains(*byte);
    let inner = bytes.iter().rev().take(3).take_while(is_inner).count();
    let size = match bytes.iter().rev().nth(inner) {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 0,
    };
    if size > inner + 1 { inner + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_cuts_no_character_in_two() {
        let body = "aäß€😀z";
        for most in 0..=body.len() + 1 {
            let excerpt = Excerpt::new(String::new(), body.as_bytes(), most, false);
            assert!(
                body.starts_with(&excerpt.body) && most - excerpt.body.len() <= 3 || most > body.len(),
                "{most}: {excerpt:?}"
            );
            assert_eq!(excerpt.truncated, most < body.len());
        }
        assert_eq!(Excerpt::new(String::new(), b"a\xff\xe2", 9, false).body, "a\u{fffd}\u{fffd}");
    }
}
