//! One request and its answer: a hop.

use std::{fmt::Write as _, net::IpAddr};

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Version,
    header::{AUTHORIZATION, PROXY_AUTHORIZATION, SET_COOKIE},
};
use probe_core::{Excerpt, Failure, Op, Propagation, Span};
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;

use crate::{
    body::{MarkedBody, ReadError, Received},
    client::Client,
    connect::Ends,
    decode::Encoding,
    failure::{self, Scene},
    phases::Phases,
    request::Request,
    target::shown_whole,
    wire::Way,
};

/// What an excerpt keeps of a head, of one header's value, and of a body, in bytes.
const HEAD: usize = 4 << 10;
const VALUE: usize = 256;
const BODY: usize = 2 << 10;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) version: Version,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Received,
}

/// A request that was answered. Its span is still open: the answer has not been judged.
///
/// Dropped unjudged, its span ends there, as cut off.
#[derive(Debug)]
pub struct Hop {
    pub(crate) span: Span,
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) answer: Answer,
    /// What the target showed; none without TLS.
    pub(crate) certificate: Option<CertificateDer<'static>>,
    /// When the first request of the chain that led here began.
    pub(crate) chain_begun: Instant,
    /// How it came to this answer.
    pub(crate) seen: Seen,
}

/// What was seen on the way to an answer, or to a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The address that the first request of a chain went to.
    pub(crate) peer: Option<IpAddr>,
    /// The redirects that were followed.
    pub(crate) redirects: usize,
    /// Whether there were cookies on the way.
    pub(crate) cookies: bool,
    /// The cookies that the first request brought.
    pub(crate) brought: Option<HeaderValue>,
}

/// Who asks, and what of the answer is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) client: &'a Client,
    pub(crate) way: &'a Way,
    /// The span above the request's.
    pub(crate) parent: &'a Span,
    pub(crate) max_body: usize,
}

// === impl Asking ===

impl Asking<'_> {
    /// Sends the request with these headers and receives the whole answer; `trace` goes along where the target may see
    /// it. What was done for the request since it had `begun` is part of it.
    pub(crate) async fn ask(
        &self,
        request: &Request,
        headers: HeaderMap,
        begun: Instant,
        trace: Option<&Propagation>,
    ) -> Result<Hop, (Failure, Seen)> {
        let span = self.parent.child_at(Op::HTTP_REQUEST, begun);
        describe(&span, request, self.way);
        let headers = with_trace(headers, trace.map(|trace| trace.headers(span.id())));

        let way = (self.way, &request.url);
        let mut phases = Phases::begin(&span, begun, &self.client.attempts, way, request.body.len());
        let mut outgoing = reqwest::Request::new(request.method.clone(), request.url.clone());
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = Some(reqwest::Body::wrap(MarkedBody::new(request.body.clone(), phases.sent())));
        self.client.rename(&mut outgoing);
        self.client.returning.awaits(&request.url, phases.sent());

        let mut response = match self.client.http.execute(outgoing).await {
            Ok(response) => response,
            Err(error) => {
                self.client.returning.lost();
                let (failure, seen, ended) = self.failed(phases, request, None, ReadError::Transport(error));
                return Err((failed(span, failure, ended), seen));
            }
        };
        let ends = Ends::of(response.extensions());
        phases.head(ends);
        let mut answer = Answer {
            version: response.version(),
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: Received::default(),
        };
        answer.body.encoding = Encoding::of(&answer.headers);
        phases.answered(answer.status.as_u16(), version(answer.version));
        let read = answer.body.read(&mut response, self.max_body).await;
        match read {
            Ok(()) if !answer.body.cut => {
                self.client.returning.answered(&request.url, answer.version, &answer.headers);
            }
            _ => self.client.returning.lost(),
        }
        phases.received(&answer.body);
        match read {
            Ok(()) => {
                let certificate = phases.certificate();
                let seen = Seen { peer: ends.map(|ends| ends.remote().ip()), ..Seen::default() };
                let ended = phases.done();
                Ok(Hop { span, begun, ended, answer, certificate, chain_begun: begun, seen })
            }
            Err(error) => {
                let (failure, seen, ended) = self.failed(phases, request, Some(&answer), error);
                Err((failed(span, failure, ended), seen))
            }
        }
    }

    fn failed(
        &self,
        phases: Phases<'_>,
        request: &Request,
        answer: Option<&Answer>,
        error: ReadError,
    ) -> (Failure, Seen, Instant) {
        let scene = Scene { request, way: self.way, attempt: phases.attempt(), answer };
        let mut failure = match error {
            ReadError::Transport(error) => failure::of(&error, &scene),
            ReadError::Encoding(encoding, error) => failure::encoding(encoding, &error, &scene),
        };
        // The target may have closed it just then, as it may with any that is idle.
        if answer.is_none() && phases.is_over_a_kept_connection() {
            failure
                .message
                .push_str(", over a connection kept from an earlier request (`reuse: false` makes a new one)");
        }
        // A name can have many addresses: which one it was is known only of a single one.
        let peer = scene.attempt.as_ref().and_then(|attempt| match (attempt.remote, attempt.addresses.as_slice()) {
            (Some(remote), _) => Some(remote.ip()),
            (None, [address]) => Some(*address),
            (None, _) => None,
        });
        let ended = phases.fail(failure.class);
        (failure, Seen { peer, ..Seen::default() }, ended)
    }
}

// === impl Hop ===

impl Hop {
    /// What was seen on the way to it.
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// It was as expected.
    pub(crate) fn finish(self, at: Instant) {
        self.span.finish_at(at);
    }

    /// It was not, and that was known `at` this moment.
    pub(crate) fn fail(self, failure: Failure, at: Instant) -> Failure {
        failed(self.span, failure, at)
    }
}

// === impl Answer ===

impl Answer {
    /// Its beginning, as people look at it.
    pub(crate) fn excerpt(&self) -> Excerpt {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let status = format!("HTTP/{} {} {reason}", version(self.version), self.status.as_u16());
        let mut head = status.trim_end().to_owned();
        for (name, value) in &self.headers {
            if head.len() >= HEAD {
                head.push_str("\n…");
                break;
            }
            // Writing to a String cannot fail.
            let _ = write!(head, "\n{name}: {}", header_shown(name, value));
        }
        Excerpt::new(head, &self.body.bytes, BODY, self.body.cut)
    }
}

/// A header's value for a person: session secrets cut, long ones shortened.
fn header_shown(name: &HeaderName, value: &HeaderValue) -> String {
    if [SET_COOKIE, AUTHORIZATION, PROXY_AUTHORIZATION].contains(name) || name.as_str().ends_with("-token") {
        return "[cut]".to_owned();
    }
    let text = String::from_utf8_lossy(value.as_bytes());
    let mut shown: String = text.chars().take(VALUE).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn failed(span: Span, failure: Failure, at: Instant) -> Failure {
    span.fail_at(failure.class, at);
    failure
}

fn describe(span: &Span, request: &Request, way: &Way) {
    span.describe(request.shown());
    span.set("http.request.method", request.method.as_str());
    span.set("url.full", shown_whole(&request.url));
    span.set("server.address", request.host());
    span.set("server.port", request.port());
    if let Some(via) = &way.proxy {
        span.set("network.proxy", via.shown.as_str());
    }
}

/// What the user wrote is stronger than our own.
fn with_trace(mut headers: HeaderMap, trace: Option<Vec<(&'static str, String)>>) -> HeaderMap {
    for (name, value) in trace.into_iter().flatten() {
        if let (false, Ok(value)) = (headers.contains_key(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// As OpenTelemetry writes it.
const fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        Answer {
            version: Version::HTTP_11,
            status: StatusCode::SERVICE_UNAVAILABLE,
            headers: headers.iter().map(header).collect(),
            body: Received { bytes: body.to_vec(), ..Received::default() },
        }
    }

    #[test]
    fn an_excerpt_is_for_people_and_tells_no_secret() {
        let headers = [("server", "x"), ("set-cookie", "session=abc"), ("x-csrf-token", "def")];
        let excerpt = answer(&headers, b"down \xff").excerpt();
        assert_eq!(excerpt.head, "HTTP/1.1 503 Service Unavailable\nserver: x\nset-cookie: [cut]\nx-csrf-token: [cut]");
        assert_eq!((excerpt.body.as_str(), excerpt.truncated), ("down \u{fffd}", false));
    }

    #[test]
    fn an_excerpt_is_bounded_whatever_came() {
        let long = "x".repeat(100_000);
        let mut answer = answer(&[("a", &long)], long.as_bytes());
        for number in 0..1_000 {
            answer.headers.append("b", HeaderValue::from_str(&format!("{number} {long}")).unwrap());
        }
        let excerpt = answer.excerpt();
        assert!(excerpt.head.len() < HEAD + 2 * VALUE && excerpt.head.ends_with('…'));
        assert_eq!((excerpt.body.len(), excerpt.truncated), (BODY, true));
    }
}
