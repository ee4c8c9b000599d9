//! Through a proxy: what the target sees, what the spans say, and whose fault it is.

use std::{fs, time::Duration};

use probe_core::FailureClass;
use tempfile::TempDir;
use tokio::process::Command;

use super::proxies::Proxy;
use crate::support::{
    certificates::{Authority, Validity},
    probe::{Ran, probe},
    program::{self, Server},
    target::{Target, answer},
};

/// A tinyproxy of our own.
struct Tinyproxy {
    _server: Server,
    _directory: TempDir,
    port: u16,
}

// === impl Tinyproxy ===

impl Tinyproxy {
    async fn start(more: &str) -> Option<Self> {
        let program = program::find("tinyproxy", "tinyproxy")?;
        let directory = tempfile::tempdir().unwrap();
        let (port, path) = (program::port(), directory.path().join("conf"));
        fs::write(&path, format!("Port {port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\n{more}\n")).unwrap();
        let mut command = Command::new(program);
        command.arg("-d").arg("-c").arg(&path);
        let server = Server::start(command, port).await;
        Some(Self { _server: server, _directory: directory, port })
    }
}

async fn secure_target() -> (Target, Authority) {
    let authority = Authority::new("House Authority");
    let server = authority.server(&["127.0.0.1", "api.example"], Validity::now());
    (Target::secure(server, Duration::ZERO, |_| vec![answer(200, "")]).await, authority)
}

/// It says that it was proxied, and by whom.
#[track_caller]
fn proxied(ran: &Ran, by: &str) {
    assert_eq!(ran.is_up().datum("http.request", "network.proxy"), format!("\"{by}\""));
    assert_eq!(ran.datum("net.conn", "network.proxy"), format!("\"{by}\""));
}

#[tokio::test]
async fn an_http_proxy_forwards_plain_requests_and_tunnels_tls() {
    let Some(proxy) = Tinyproxy::start("").await else { return };
    let by = format!("http://127.0.0.1:{}", proxy.port);
    let plain = Target::always(vec![answer(200, "")]).await;
    let ran = probe(&format!("url: '{}', proxy: '{by}'", plain.url("/x?y=z"))).await;
    proxied(&ran, &by);
    assert_eq!(ran.phases(), ["http.request", "net.conn", "net.tcp", "http.send", "http.wait", "http.recv"]);
    let request = plain.seen()[0].request.clone();
    assert_eq!((request.path.as_str(), request.header("via").is_some()), ("/x?y=z", true), "{request:?}");

    let (target, authority) = secure_target().await;
    let keys = format!("url: 'https://{}/', proxy: '{by}', tls: {{ca: {}}}", target.address, authority.quoted());
    let ran = probe(&keys).await;
    proxied(&ran, &by);
    assert_eq!(ran.phases()[..4], ["http.request", "net.conn", "net.proxy", "net.tls"]);
    assert_eq!(ran.datum("net.tls", "tls.server.issuer"), "\"House Authority\"");
}

#[tokio::test]
async fn a_proxy_that_asks_who_we_are_is_told_and_one_that_refuses_is_named() {
    let Some(proxy) = Tinyproxy::start("BasicAuth me hush-hush").await else { return };
    let (target, authority) = secure_target().await;
    let keys = |user: &str| {
        let ca = authority.quoted();
        format!("url: 'https://{}/', proxy: 'http://{user}127.0.0.1:{}', tls: {{ca: {ca}}}", target.address, proxy.port)
    };
    let ran = probe(&keys("me:hush-hush@")).await;
    proxied(&ran, &format!("http://127.0.0.1:{}", proxy.port));
    assert!(!format!("{ran:?}").contains("hush-hush"));
    for user in ["", "me:other@"] {
        let ran = probe(&keys(user)).await;
        let (class, phase, message) = ran.down();
        assert_eq!(phase, "net.proxy");
        let wanted = format!("the proxy http://127.0.0.1:{}", proxy.port);
        assert!(message.contains(&wanted), "{message}");
        // tinyproxy answers 401 where others answer 407.
        assert!([FailureClass::Auth, FailureClass::Connect].contains(&class), "{class:?} {message}");
    }
    let plain = Target::always(vec![answer(200, "")]).await;
    let port = proxy.port;
    let ran = probe(&format!("url: '{}', proxy: 'http://me:hush-hush@127.0.0.1:{port}'", plain.url("/"))).await;
    ran.is_up();
    assert_eq!(plain.seen()[0].request.header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_not_taken_for_the_target() {
    let gone = program::port();
    for (scheme, target) in [("http", "http"), ("http", "https"), ("socks5", "http"), ("https", "https")] {
        let ran = probe(&format!("url: '{target}://127.0.0.1:9/', proxy: '{scheme}://127.0.0.1:{gone}'")).await;
        let (class, _, message) = ran.down();
        assert_eq!(class, FailureClass::Connect, "{scheme} {target}");
        assert!(message.contains(&format!("the proxy {scheme}://127.0.0.1:{gone}")), "{message}");
    }
}

#[tokio::test]
async fn a_socks_proxy_is_given_an_address_or_by_its_other_name_the_host() {
    let proxy = Proxy::socks(Some(("me", "hush-hush"))).await;
    let (target, authority) = secure_target().await;
    let (port, ca) = (target.address.port(), authority.quoted());
    let by = |scheme: &str, user: &str| format!("proxy: '{scheme}://{user}{}', tls: {{ca: {ca}}}", proxy.address);
    let ran = probe(&format!("url: 'https://127.0.0.1:{port}/', {}", by("socks5", "me:hush-hush@"))).await;
    proxied(&ran, &format!("socks5://{}", proxy.address));
    let ran = probe(&format!("url: 'https://api.example:{port}/', {}", by("socks5h", "me:hush-hush@"))).await;
    proxied(&ran, &format!("socks5h://{}", proxy.address));
    assert_eq!(ran.phases()[..4], ["http.request", "net.conn", "net.proxy", "net.tls"]);
    assert_eq!(proxy.asked(), [format!("127.0.0.1:{port}"), format!("api.example:{port}")]);

    let refused = probe(&format!("url: 'https://api.example:{port}/', {}", by("socks5h", "me:other@"))).await;
    assert_eq!(refused.down().0, FailureClass::Auth);
    assert!(refused.failure().message.contains("does not take our credentials"), "{}", refused.failure());
}

#[tokio::test]
async fn a_proxy_behind_tls_has_its_own_handshake_and_the_target_its_own() {
    let (target, authority) = secure_target().await;
    let proxy = Proxy::secure(authority.server(&["127.0.0.1"], Validity::now())).await;
    let keys = format!("proxy: 'https://{}', tls: {{ca: {}}}", proxy.address, authority.quoted());
    let ran = probe(&format!("url: 'https://{}/', {keys}", target.address)).await;
    proxied(&ran, &format!("https://{}", proxy.address));
    assert_eq!(ran.phases()[..4], ["http.request", "net.conn", "net.proxy", "net.tls"]);
    assert_eq!(ran.datum("net.tls", "tls.verified"), "true");
    assert_eq!(proxy.asked(), [target.address.to_string()]);
    let line = probe(&format!("url: 'https://{}/', {keys}, expected: 500", target.address)).await;
    let line = line.failure().reproduce.clone().unwrap();
    assert!(line.contains("--proxy-cacert ca.pem") && line.contains("--cacert ca.pem"), "{line}");
}
