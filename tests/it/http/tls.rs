//! Certificates that do not hold, and what does not speak TLS.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use probe_core::{FailureClass, SpanStatus};
use rustls::ServerConfig;

use crate::support::{
    certificates::{Authority, DAY, Validity, self_signed},
    dns::NameServer,
    probe::{Ran, probe},
    target::{Act, Target, answer},
};

/// What a probe of `https://api.example` finds at a target with this certificate.
async fn shown(config: Arc<ServerConfig>, keys: &str) -> Ran {
    let dns = NameServer::loopback(Duration::ZERO).await;
    let target = Target::secure(config, Duration::ZERO, |_| vec![answer(200, "")]).await;
    let port = target.address.port();
    probe(&format!("url: 'https://api.example:{port}/', dns: '{}', {keys}", dns.address)).await
}

fn trusting(authority: &Authority) -> String {
    format!("tls: {{ca: {}}}", authority.quoted())
}

fn date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y-%m-%d").to_string()
}

/// The handshake failed, the span says that the certificate did not hold, and the message is this.
#[track_caller]
fn refused(ran: &Ran, message: &str) {
    assert_eq!(ran.down(), (FailureClass::Tls, "net.tls", message));
    assert_eq!(ran.datum("net.tls", "tls.verified"), "false");
    assert_eq!(ran.span("net.tcp").status, SpanStatus::Ok);
    assert_eq!(ran.phases(), ["http.request", "net.conn", "net.dns", "net.tcp", "net.tls"]);
}

#[tokio::test]
async fn a_certificate_that_holds_is_described() {
    let authority = Authority::new("House Authority");
    let validity = Validity::now();
    let ran = shown(authority.server(&["api.example"], validity), &trusting(&authority)).await;
    let tls = |key| ran.is_up().datum("net.tls", key);
    assert_eq!(tls("tls.verified"), "true");
    assert_eq!(tls("tls.protocol.version"), "\"1.3\"");
    assert!(tls("tls.cipher").starts_with("\"TLS_"), "{ran:#?}");
    assert_eq!(tls("tls.server.issuer"), "\"House Authority\"");
    assert!(tls("tls.server.not_after").starts_with(&format!("\"{}T", date(validity.until))), "{ran:#?}");
}

#[tokio::test]
async fn an_expired_certificate_says_since_when_and_whose_it_is() {
    let authority = Authority::new("House Authority");
    let until = SystemTime::now() - 3 * DAY - DAY / 24;
    let server = authority.server(&["api.example"], Validity { from: until - DAY, until });
    let expired = date(until);
    let message = format!("certificate of api.example expired 3 days ago ({expired}), issued by House Authority");
    refused(&shown(server, &trusting(&authority)).await, &message);
}

#[tokio::test]
async fn a_certificate_from_the_future_says_from_when() {
    let authority = Authority::new("House Authority");
    let from = SystemTime::now() + 2 * DAY + DAY / 24;
    let server = authority.server(&["api.example"], Validity { from, until: from + DAY });
    let date = date(from);
    let message =
        format!("certificate of api.example is not valid for another 2 days (from {date}), issued by House Authority");
    refused(&shown(server, &trusting(&authority)).await, &message);
}

#[tokio::test]
async fn a_certificate_for_another_host_says_for_which() {
    let authority = Authority::new("House Authority");
    let server = authority.server(&["www.example", "cdn.example"], Validity::now());
    let message = "the certificate shown for api.example is for www.example, cdn.example, issued by House Authority";
    refused(&shown(server, &trusting(&authority)).await, message);
}

#[tokio::test]
async fn a_self_signed_certificate_is_called_that() {
    refused(&shown(self_signed("api.example"), "every: 60").await, "certificate of api.example is self-signed");
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_named() {
    let (authority, other) = (Authority::new("Unknown Authority"), Authority::new("House Authority"));
    let server = authority.server(&["api.example"], Validity::now());
    let message = "certificate of api.example is signed by an unknown authority, issued by Unknown Authority";
    refused(&shown(server.clone(), &trusting(&other)).await, message);
    refused(&shown(server, "every: 60").await, message);
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_can_be_taken_and_the_span_says_so() {
    let ran = shown(self_signed("www.example"), "tls: {verify: false}").await;
    assert_eq!(ran.is_up().datum("net.tls", "tls.verified"), "false");
}

#[tokio::test]
async fn a_plain_text_port_is_recognised() {
    let target = Target::blind(vec![answer(400, "speak plainly")]).await;
    let ran = probe(&format!("url: 'https://{}/'", target.address)).await;
    let message = format!(
        "{} does not speak TLS: it answered the handshake with something else (a plain-text port?)",
        target.address
    );
    assert_eq!(ran.down(), (FailureClass::Tls, "net.tls", message.as_str()));
}

#[tokio::test]
async fn a_connection_lost_in_the_handshake_is_a_failure_of_tls() {
    for (acts, lost) in [(vec![Act::Read, Act::Reset], "reset"), (vec![Act::Read], "closed")] {
        let target = Target::blind(acts).await;
        let ran = probe(&format!("url: 'https://{}/'", target.address)).await;
        let message = format!("connection {lost} by {} during the TLS handshake", target.address);
        assert_eq!(ran.down(), (FailureClass::Tls, "net.tls", message.as_str()));
    }
}
