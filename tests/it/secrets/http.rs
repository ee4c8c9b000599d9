//! Requests: a canary in each place of one, asked of targets that fail in each way.

use std::fs;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sentrynet::demo::Demo;
use tempfile::TempDir;

use super::{CANARY, assert_silent, program, received, said};
use crate::support::{
    sentry::{Sentry, Server},
    target::{Target, redirect},
};

/// A canary in each place, asked of targets that fail in each way.
fn configuration(demo: &Demo, proxy: &str, mute: &str, circle: &str) -> String {
    let own = demo.configuration();
    let port = |after: &str| {
        let rest = own.split_once(after).expect("the demo has it").1;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    let (plain, refusing) = (port("http://www.demo.test:"), port("http://db.demo.test:"));
    let (secure, names) = (port("https://shop.demo.test:"), port("dns: \"127.0.0.1:"));
    let places = [
        "headers: {x-token: '${env:CANARY}'}",
        "headers: {authorization: 'Token ${env:CANARY}'}",
        "query: {key: '${env:CANARY}'}",
        "body: {deep: [{password: '${env:CANARY}'}]}",
        "body: 'plain ${env:CANARY}'",
        "form: {secret: '${env:CANARY}'}",
        "auth: {bearer: '${env:CANARY}'}",
        "auth: {basic: {username: user, password: '${env:CANARY}'}}",
        "auth: {oauth2: {token_url: 'http://127.0.0.1:PLAIN/status', client_id: user, client_secret: '${env:CANARY}'}}",
        "headers: {x-file: '${file:canary.txt}'}",
        "proxy: 'http://user:KANARIENVOGEL@PROXY'",
        "expect: {body: {contains: '${env:CANARY}'}}",
        "set_keys: {k: $.status}, assertions: {k: '${env:CANARY}'}",
    ];
    let urls = [
        format!("http://127.0.0.1:{plain}/status"),
        format!("http://127.0.0.1:{plain}/broken"),
        format!("http://127.0.0.1:{plain}/moved"),
        format!("http://127.0.0.1:{refusing}/"),
        format!("https://127.0.0.1:{secure}/"),
        format!("http://127.0.0.1:{secure}/"),
        format!("http://{mute}/"),
        circle.to_owned(),
        // The rest of a mapping, with a name server that knows no such name.
        format!("http://nowhere.demo.test/', dns: '127.0.0.1:{names}"),
    ];
    let mut text = "sentry: {dsn: '${env:SENTRY_DSN}'}\nlocation: here\ndefaults: {every: 1s, timeout: 900ms}\ngroups:\n  - probes:\n".to_owned();
    for (number, place) in places.iter().enumerate() {
        for (other, url) in urls.iter().enumerate() {
            let place = place.replace("PLAIN", &plain).replace("PROXY", proxy);
            text +=
                &format!("      - {{probe: http, title: 'Place {number} target {other}', url: '{url}', {place}}}\n");
        }
    }
    // A password in a URL is written with its special characters encoded.
    text.replace("KANARIENVOGEL", &utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string())
}

#[tokio::test]
async fn a_canary_never_comes_out() {
    let (server, demo) = (Server::plain(Sentry::new()).await, Demo::start().await.expect("the targets start"));
    let directory = TempDir::new().expect("a directory");
    let refusing = tokio::net::TcpSocket::new_v4().expect("a socket");
    refusing.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let proxy = refusing.local_addr().expect("an address").to_string();
    // Leads back to itself, with whatever it was asked.
    let circle = Target::answering(|request| vec![redirect(302, &request.path)]).await;
    // Accepts and says nothing.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mute = mute.local_addr().map(|address| (mute, address.to_string())).expect("an address");
    fs::write(directory.path().join("config.yaml"), configuration(&demo, &proxy, &mute.1, &circle.url("/")))
        .expect("a file");
    fs::write(directory.path().join("canary.txt"), CANARY).expect("a file");

    let run = |arguments: &'static [&'static str], level| said(program(directory.path(), &server, arguments, level));
    let mut outputs = vec![
        run(&["validate"], "trace").await,
        run(&["once"], "trace").await,
        run(&["once", "--format", "json", "--log-format", "json"], "trace").await,
        run(&["once", "--format", "envelope", "--send"], "debug").await,
    ];
    let seen = outputs[1].1.clone();
    for text in
        ["Place 0 target 0", "[redacted]", "connection refused", "not done within", "NXDOMAIN", "curl", "redirect:"]
    {
        assert!(seen.contains(text), "`once` says {text}");
    }
    outputs.push(received(&server.sentry));
    assert!(server.sentry.taken().len() > 100);
    assert_silent(&outputs, &[CANARY]);
}
