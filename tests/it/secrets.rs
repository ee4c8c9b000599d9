//! Nothing secret leaves: a canary in every place where a secret may stand, every byte that comes out searched for it.

use std::{fs, process::Stdio, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sentrynet::demo::Demo;
use tempfile::TempDir;
use tokio::{process::Command, time};

use crate::support::sentry::{Sentry, Server};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Long enough to be nowhere by chance, with characters that change when they are encoded.
const CANARY: &str = "kanarienvogel/7+singt=laut&hell";

/// Forms in which it could come out.
fn forms() -> Vec<String> {
    let encoded = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string();
    let base64 = STANDARD.encode(CANARY);
    let basic = STANDARD.encode(format!("user:{CANARY}"));
    let json = serde_json::to_string(CANARY).expect("a text");
    [CANARY.to_owned(), encoded.clone(), encoded.to_lowercase(), base64, basic, json.trim_matches('"').to_owned()]
        .into()
}

/// A canary in each place, asked of targets that fail in each way.
fn configuration(demo: &Demo, proxy: &str, mute: &str) -> String {
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
    // Accepts and says nothing.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mute = mute.local_addr().map(|address| (mute, address.to_string())).expect("an address");
    fs::write(directory.path().join("config.yaml"), configuration(&demo, &proxy, &mute.1)).expect("a file");
    fs::write(directory.path().join("canary.txt"), CANARY).expect("a file");

    let run = async |arguments: &[&str], level: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_sentrynet"))
            .args(arguments)
            .current_dir(directory.path())
            .env_clear()
            .envs([("CANARY", CANARY), ("SENTRY_DSN", &server.dsn_text()), ("RUST_LOG", level)])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs");
        let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
        all += &String::from_utf8_lossy(&output.stderr);
        assert!(!all.is_empty());
        (format!("{arguments:?} at {level}"), all)
    };
    let mut outputs = vec![
        run(&["validate"], "trace").await,
        run(&["once"], "trace").await,
        run(&["once", "--format", "json", "--log-format", "json"], "trace").await,
        run(&["once", "--format", "envelope", "--send"], "debug").await,
    ];
    let seen = outputs[1].1.clone();
    for text in ["Place 0 target 0", "[redacted]", "connection refused", "not done within", "NXDOMAIN", "curl"] {
        assert!(seen.contains(text), "`once` says {text}");
    }
    let taken = server.sentry.taken();
    assert!(taken.len() > 100, "{}", taken.len());
    let sent = taken.iter().flat_map(|envelope| {
        let items = envelope.items.iter().map(|item| String::from_utf8_lossy(&item.payload).into_owned());
        items.chain([envelope.header.to_string()])
    });
    outputs.push(("what Sentry received".to_owned(), sent.collect()));
    for (what, all) in outputs {
        for form in forms() {
            let found = all.find(&form).map(|at| {
                let begin = (0..=at.saturating_sub(160)).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
                all[begin..at].to_owned()
            });
            assert_eq!(found, None, "{form} comes out of {what}");
        }
    }
}
