//! What went wrong, by its class and in words for a person: the order of the questions matters.

use std::{
    error::Error,
    io::{self, ErrorKind},
    net::SocketAddr,
};

use http::header::CONTENT_LENGTH;
use probe_core::{Failure, FailureClass, own_fault};
use rustls::AlertDescription;

use crate::{
    certificate::refusal,
    connect::{Attempt, NoHttp2},
    decode::Encoding,
    exchange::Answer,
    keys::Family,
    request::Request,
    resolve::{self, ResolveError},
    target::literal,
    wire::{Via, Way},
};

/// What is known of a request that failed.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) request: &'a Request,
    pub(crate) way: &'a Way,
    /// The connection's marks; none when there was a connection before.
    pub(crate) attempt: Option<Attempt>,
    /// The answer, as far as it came.
    pub(crate) answer: Option<&'a Answer>,
}

/// What `error` means.
pub(crate) fn of(error: &reqwest::Error, scene: &Scene<'_>) -> Failure {
    let causes = causes(error);
    let find = |class, message| Failure::new(class, message);
    if error.is_builder() {
        return find(FailureClass::Internal, format!("the request could not be built: {}", deepest(&causes)));
    }
    let io = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    if let Some(cause) = causes.iter().find_map(|cause| cause.downcast_ref::<ResolveError>()) {
        return dns(cause, scene);
    }
    if causes.iter().any(|cause| cause.is::<NoHttp2>()) {
        let message = format!("{} does not speak HTTP/2: none was agreed upon in the TLS handshake", scene.target());
        return find(FailureClass::Protocol, message);
    }
    if let Some(via) = scene.in_proxy() {
        return proxy(via, io, &causes);
    }
    if let Some(cause) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return find(FailureClass::Tls, tls(cause, scene));
    }
    match (&scene.attempt, io) {
        (Some(attempt), Some(io)) if attempt.established.is_none() => connect(io, attempt, scene),
        (Some(attempt), None) if attempt.established.is_none() => {
            find(FailureClass::Connect, format!("no connection to {}: {}", scene.target(), deepest(&causes)))
        }
        _ => match scene.answer {
            Some(answer) => {
                let message = broken_off(answer, io, scene, &causes);
                Failure::new(FailureClass::Protocol, message).excerpt(answer.excerpt())
            }
            None => find(FailureClass::Protocol, no_answer(io, scene, &causes)),
        },
    }
}

/// A body that is not encoded as its head says.
pub(crate) fn encoding(encoding: Encoding, error: &io::Error, scene: &Scene<'_>) -> Failure {
    let (name, came) = (encoding.name(), scene.answer.map_or(0, |answer| answer.body.wire));
    let how = if error.kind() == ErrorKind::UnexpectedEof { "it ends too early".to_owned() } else { error.to_string() };
    let message = format!("the body of the answer ({came} bytes) is not {name}, as its head says: {how}");
    let failure = Failure::new(FailureClass::Body, message).expected(name, "something else").origin("content-encoding");
    match scene.answer {
        Some(answer) => failure.excerpt(answer.excerpt()),
        None => failure,
    }
}

fn dns(cause: &ResolveError, scene: &Scene<'_>) -> Failure {
    let asked_for = scene.attempt.as_ref().and_then(|attempt| attempt.name.as_deref());
    let (host, asked) = (asked_for.unwrap_or(scene.request.host()), scene.way.resolver.asked());
    let records = match scene.way.family {
        Family::Any | Family::Both => "neither an A nor an AAAA record",
        Family::V4 => "no A record",
        Family::V6 => "no AAAA record",
    };
    let message = match cause {
        ResolveError::NoName => format!("no such name: {host} (NXDOMAIN, asked {asked})"),
        ResolveError::NoAddress => format!("{host} has no address: {records} (asked {asked})"),
        ResolveError::Refused(code) => format!("{host} could not be resolved: the answer was {code} (asked {asked})"),
        ResolveError::Silence => {
            format!("{host} could not be resolved: no answer within {:?} (asked {asked})", resolve::LIMIT)
        }
        ResolveError::Io(error) => match own_fault(error) {
            Some(fault) => {
                return Failure::new(FailureClass::Internal, format!("{fault} (asking {asked} for {host})"));
            }
            None => format!("{host} could not be resolved: {error} (asked {asked})"),
        },
        ResolveError::Other(error) => format!("{host} could not be resolved: {error} (asked {asked})"),
    };
    Failure::new(FailureClass::Dns, message)
}

/// What failed before the proxy had made a connection to the target.
fn proxy(via: &Via, io: Option<&io::Error>, causes: &[&(dyn Error + 'static)]) -> Failure {
    let (shown, deepest) = (&via.shown, deepest(causes));
    if let Some(fault) = io.and_then(own_fault) {
        return Failure::new(FailureClass::Internal, format!("{fault} (on the way to the proxy {shown})"));
    }
    // The errors of tunnels have no types that could be asked.
    if deepest.contains("proxy authorization required") || deepest.contains("credentials not accepted") {
        let message = format!("the proxy {shown} does not take our credentials, or lacks them: {deepest}");
        return Failure::new(FailureClass::Auth, message);
    }
    let message = match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => format!("connection refused by the proxy {shown}"),
        Some(ErrorKind::ConnectionReset) => format!("connection reset by the proxy {shown}"),
        _ => format!("no connection through the proxy {shown}: {deepest}"),
    };
    Failure::new(FailureClass::Connect, message)
}

fn connect(error: &io::Error, attempt: &Attempt, scene: &Scene<'_>) -> Failure {
    let target = scene.target();
    if attempt.tls.is_some() {
        let message = match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                format!("connection reset by {target} during the TLS handshake")
            }
            ErrorKind::UnexpectedEof => format!("connection closed by {target} during the TLS handshake"),
            _ => format!("TLS handshake with {target} failed: {error}"),
        };
        return Failure::new(FailureClass::Tls, message);
    }
    if let Some(fault) = own_fault(error) {
        return Failure::new(FailureClass::Internal, format!("{fault} (on the way to {target})"));
    }
    let message = match error.kind() {
        ErrorKind::ConnectionRefused => format!("connection refused by {target}"),
        ErrorKind::ConnectionReset => format!("connection reset by {target}"),
        ErrorKind::HostUnreachable => format!("no way to {target}: a router on the way says it cannot be reached"),
        ErrorKind::TimedOut => format!("no answer from {target}: the system gave up connecting"),
        _ => format!("no connection to {target}: {error}"),
    };
    Failure::new(FailureClass::Connect, message)
}

fn tls(error: &rustls::Error, scene: &Scene<'_>) -> String {
    let target = scene.target();
    match error {
        rustls::Error::InvalidCertificate(reason) => {
            let certificate = scene.attempt.as_ref().and_then(|attempt| attempt.certificate.as_ref());
            refusal(scene.request.host(), reason, certificate)
        }
        rustls::Error::InvalidMessage(_) => {
            format!("{target} does not speak TLS: it answered the handshake with something else (a plain-text port?)")
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("{target} does not serve the name {}: TLS alert unrecognized_name", scene.request.host())
        }
        rustls::Error::AlertReceived(alert) => format!("{target} refused the TLS handshake: alert {alert:?}"),
        rustls::Error::PeerIncompatible(reason) => format!("no TLS in common with {target}: {reason:?}"),
        other => format!("TLS handshake with {target} failed: {other}"),
    }
}

fn no_answer(io: Option<&io::Error>, scene: &Scene<'_>, causes: &[&(dyn Error + 'static)]) -> String {
    let target = scene.target();
    let hyper = causes.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>());
    match (hyper, io.map(io::Error::kind)) {
        (Some(error), _) if error.is_parse_too_large() => format!("the head of {target}'s answer is too large"),
        (Some(error), _) if error.is_parse() => format!("{target} did not answer in HTTP: {}", deepest(causes)),
        (_, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)) => {
            format!("connection reset by {target} before it answered")
        }
        (Some(error), _) if error.is_incomplete_message() => {
            format!("connection closed by {target} before it answered")
        }
        (_, Some(ErrorKind::UnexpectedEof)) => format!("connection closed by {target} before it answered"),
        _ => format!("no answer from {target}: {}", deepest(causes)),
    }
}

fn broken_off(answer: &Answer, io: Option<&io::Error>, scene: &Scene<'_>, causes: &[&(dyn Error + 'static)]) -> String {
    let announced = answer.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let came = match (answer.body.wire, announced) {
        (came, Some(announced)) => format!("{came} of {announced} bytes"),
        (came, None) => format!("{came} bytes"),
    };
    let (target, status) = (scene.target(), answer.status.as_u16());
    let how = match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => format!("connection reset by {target}"),
        Some(ErrorKind::UnexpectedEof) => format!("connection closed by {target}"),
        _ => deepest(causes),
    };
    format!("the body of the answer ({status}) broke off after {came}: {how}")
}

/// An error and what caused it. An `io::Error` hides the one it was made of behind `get_ref`.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut current = error;
    loop {
        let inner = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| current.source()) {
            Some(next) => current = next,
            None => return causes,
        }
        causes.push(current);
    }
}

fn deepest(causes: &[&(dyn Error + 'static)]) -> String {
    causes.last().map(ToString::to_string).unwrap_or_default()
}

// === impl Scene ===

impl Scene<'_> {
    /// The proxy, when the connection was not through it yet.
    fn in_proxy(&self) -> Option<&Via> {
        let attempt = self.attempt.as_ref().filter(|attempt| attempt.established.is_none())?;
        let via = self.way.proxy.as_ref()?;
        let beyond = match (via.tunnels(self.request.url.scheme()), via.is_secure()) {
            (true, true) => attempt.tls_before.is_some(),
            (true, false) => attempt.tls.is_some(),
            (false, _) => false,
        };
        (!beyond).then_some(via)
    }

    /// The addresses that were, or would have been, connected to, and the name: `127.0.0.1:1 (api.example)`.
    fn target(&self) -> String {
        /// A name can have many addresses; a message cannot.
        const SHOWN: usize = 4;
        let (host, port) = (self.request.host(), self.request.port());
        if let Some(via) = &self.way.proxy {
            return format!("{host}:{port} (through the proxy {})", via.shown);
        }
        let literal = literal(host);
        let addresses: Vec<SocketAddr> = match (&self.attempt, literal) {
            (Some(Attempt { remote: Some(remote), .. }), _) => vec![*remote],
            (_, Some(literal)) => vec![SocketAddr::new(literal, port)],
            (Some(attempt), None) => attempt.addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect(),
            (None, None) => Vec::new(),
        };
        let shown: Vec<String> = addresses.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if addresses.len() > SHOWN { ", …" } else { "" };
        match (shown.is_empty(), literal) {
            (true, _) => format!("{host}:{port}"),
            (false, Some(_)) => shown.join(", "),
            (false, None) => format!("{}{more} ({host})", shown.join(", ")),
        }
    }
}
