//! The name, the version and the protocol that TLS is to agree upon.

use std::{sync::Arc, time::Duration};

use probe_core::FailureClass;
use rustls::{ServerConfig, crypto::ring, version::TLS12};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::support::{
    certificates::{Authority, Validity},
    probe::probe,
    target::{Target, answer},
};

#[tokio::test]
async fn a_server_name_is_what_tls_asks_for_and_the_host_stays() {
    let authority = Authority::new("House Authority");
    let server = authority.server(&["inside.example"], Validity::now());
    let target = Target::secure(server, Duration::ZERO, |_| vec![answer(200, "")]).await;
    let url = format!("https://{}/x", target.address);
    let ca = authority.quoted();
    let ran = probe(&format!("url: '{url}', tls: {{server_name: inside.example, ca: {ca}}}")).await;
    assert_eq!(ran.is_up().datum("net.tls", "tls.verified"), "true");
    assert_eq!(ran.datum("http.request", "url.full"), format!("\"{url}\""));
    assert_eq!(target.seen()[0].request.header("host"), Some(target.address.to_string().as_str()));

    let refused = probe(&format!("url: '{url}', tls: {{server_name: outside.example, ca: {ca}}}")).await;
    assert_eq!(refused.down().0, FailureClass::Tls);
    let line = refused.failure().reproduce.clone().unwrap();
    let port = target.address.port();
    assert!(line.contains(&format!("--connect-to outside.example:{port}:127.0.0.1:{port}")), "{line}");
}

#[tokio::test]
async fn an_older_version_than_wanted_is_refused() {
    let authority = Authority::new("House Authority");
    let (certificate, key) = authority.issue(&["127.0.0.1"]);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let server = builder.with_protocol_versions(&[&TLS12]).unwrap().with_no_client_auth().with_single_cert(
        vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
        PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
    );
    let target = Target::secure(Arc::new(server.unwrap()), Duration::ZERO, |_| vec![answer(200, "")]).await;
    let keys = format!("url: 'https://{}/'", target.address);
    let ca = authority.quoted();
    let ran = probe(&format!("{keys}, tls: {{ca: {ca}, min_version: 1.2}}")).await;
    assert_eq!(ran.is_up().datum("net.tls", "tls.protocol.version"), "\"1.2\"");
    let ran = probe(&format!("{keys}, tls: {{ca: {ca}, min_version: 1.3}}")).await;
    assert_eq!((ran.down().0, ran.down().1), (FailureClass::Tls, "net.tls"));
}

#[tokio::test]
async fn http_2_that_was_not_agreed_upon_is_a_failure_that_says_so() {
    let authority = Authority::new("House Authority");
    let server = authority.server(&["127.0.0.1"], Validity::now());
    let target = Target::secure(server, Duration::ZERO, |_| vec![answer(200, "")]).await;
    let keys = format!("url: 'https://{}/', tls: {{ca: {}}}", target.address, authority.quoted());
    let ran = probe(&format!("{keys}, http_version: 2")).await;
    let message = format!("{} does not speak HTTP/2: none was agreed upon in the TLS handshake", target.address);
    assert_eq!(ran.down(), (FailureClass::Protocol, "net.tls", message.as_str()));
    assert!(ran.failure().reproduce.as_ref().is_some_and(|line| line.contains("--http2 ")));
    let ran = probe(&format!("{keys}, http_version: 1.1")).await;
    assert_eq!(ran.is_up().datum("http.request", "network.protocol.version"), "\"1.1\"");
}
