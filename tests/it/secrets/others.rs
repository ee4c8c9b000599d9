//! Scripts, ssh, keys of TLS, the way to Sentry: what they hold, and what they learn in a run.

use std::fs;

use tempfile::TempDir;

use super::{CANARY, assert_silent, program, received, said};
use crate::support::{
    app::{App, SESSION, TOKEN},
    certificates::{Authority, Validity},
    sentry::{Sentry, Server},
    sshd::{self, Sshd},
    target::{Target, answer},
};

/// Each place of a step, with what the login gave and with what came from outside.
const PLACES: [&str; 9] = [
    "url: '{base}/fail/500/{token}'",
    "url: '{base}/fail/500', query: {q: token, o: '{outside}'}",
    "url: '{base}/fail/500', headers: {x-t: '{token}', x-o: '{outside}'}",
    "url: '{base}/fail/500', auth: {bearer: '{token}'}",
    "url: '{base}/fail/500', auth: {basic: {username: user, password: '{outside}'}}",
    "url: '{base}/open', body: {deep: [token, {o: '{outside}'}]}",
    "url: '{base}/open', form: {t: '{token}', o: outside}",
    "url: '{base}/me', set_keys: {token: $.token}, assertions: {token: {matches: '^short'}}",
    "url: '{base}/slow/5000', headers: {authorization: '{token}'}, timeout: 50ms",
];

fn scripts(app: &App) -> String {
    let login = "{url: '{base}/login', form: {p: 'opensesame'}, expected: 200, set_keys: {token: $.access_token}}";
    let script = |(number, place): (usize, &&str)| {
        format!(
            "      - probe: script\n        title: Script {number}\n        init_keys: {{base: '{}', outside: '${{env:CANARY}}'}}\n        \
             steps: [{login}, {{{place}, max_body: 1KiB}}]\n",
            app.base()
        )
    };
    PLACES.iter().enumerate().map(script).collect()
}

/// The lines of a PEM text that are nowhere by chance.
fn lines(pem: &str) -> Vec<String> {
    pem.lines().filter(|line| line.len() > 30 && !line.starts_with("-----")).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_a_script_learns_never_comes_out() {
    let (server, app) = (Server::plain(Sentry::new()).await, App::start().await);
    let directory = TempDir::new().expect("a directory");
    let text = format!("sentry: {{dsn: '${{env:SENTRY_DSN}}'}}\ngroups:\n  - probes:\n{}", scripts(&app));
    fs::write(directory.path().join("config.yaml"), text).expect("a file");
    let run = |arguments: &'static [&'static str]| said(program(directory.path(), &server, arguments, "trace"));
    let mut outputs = vec![
        run(&["validate"]).await,
        run(&["once"]).await,
        run(&["once", "--format", "json"]).await,
        run(&["once", "--format", "envelope", "--send"]).await,
    ];
    let seen = &outputs[1].1;
    for text in [
        "Script 8",
        "step 2: GET",
        "timeout:",
        "assertion:",
        "status:",
        "[redacted]",
        &format!("{} bytes", TOKEN.len()),
        "curl",
    ] {
        assert!(seen.contains(text), "`once` says {text}: {seen}");
    }
    outputs.push(received(&server.sentry));

    assert!(server.sentry.taken().len() >= 2 * PLACES.len());
    assert_silent(&outputs, &[CANARY, TOKEN, &TOKEN[..20], SESSION]);
}

#[tokio::test]
async fn keys_of_ssh_and_of_tls_never_come_out() {
    if !sshd::installed() {
        return;
    }
    let (server, sshd) = (Server::plain(Sentry::new()).await, Sshd::start().await);
    let (authority, directory) = (Authority::new("shop"), TempDir::new().expect("a directory"));
    let app = App::secure(authority.server(&["localhost"], Validity::now())).await;
    let (certificate, key) = authority.issue(&["probe"]);
    let other = directory.path().join("other");
    sshd::keygen(&other, "ed25519", "");
    fs::copy(sshd.file("id"), directory.path().join("id")).expect("a key");
    fs::write(directory.path().join("client.pem"), certificate).expect("a file");
    fs::write(directory.path().join("client.key"), &key).expect("a file");
    let login = |identity: &str| {
        let (port, user) = (sshd.address.port(), sshd::username());
        format!("probe: ssh, host: 127.0.0.1, port: {port}, username: {user}, identity: '${{file:{identity}}}'")
    };
    let fingerprint = format!("host_key: '{}'", sshd.fingerprint());
    let probes = [
        format!("{}, {fingerprint}, command: 'echo ${{env:CANARY}} >&2; exit 3', title: command", login("id")),
        format!("{}, {fingerprint}, command: 'echo ${{env:CANARY}}', output: other, title: output", login("id")),
        format!("{}, {fingerprint}, title: refused", login("other")),
        format!("{}, host_key: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', title: changed", login("id")),
        format!(
            "probe: http, url: '{}/fail/500', title: tls, tls: {{verify: false, cert: '${{file:client.pem}}', key: '${{file:client.key}}'}}",
            app.base()
        ),
    ];
    let probes: String = probes.iter().map(|probe| format!("      - {{{probe}}}\n")).collect();
    let text = format!("sentry: {{dsn: '${{env:SENTRY_DSN}}'}}\ngroups:\n  - probes:\n{probes}");
    fs::write(directory.path().join("config.yaml"), text).expect("a file");
    let run = |path: &'static str| {
        let mut command = program(directory.path(), &server, &["once", "--format", "json", "--send"], "trace");
        command.env("PATH", path).env("HOME", directory.path());
        said(command)
    };
    // Without a path to the ssh program, it is our own fault.
    let mut outputs = vec![run("/usr/bin:/bin").await, run("/nowhere").await];
    for (output, class) in [(0, "command"), (0, "auth"), (0, "host_key"), (0, "status"), (1, "internal")] {
        assert!(outputs[output].1.contains(&format!("\"class\":\"{class}\"")), "{class}: {}", outputs[output].1);
    }
    outputs.push(received(&server.sentry));
    let keys =
        [fs::read_to_string(sshd.file("id")), fs::read_to_string(&other), Ok(key)].map(Result::unwrap_or_default);
    let keys: Vec<String> = keys.iter().flat_map(|key| lines(key)).collect();
    assert!(keys.len() > 8, "{keys:?}");
    let secrets: Vec<&str> = keys.iter().map(String::as_str).chain([CANARY]).collect();
    assert_silent(&outputs, &secrets);
}

#[tokio::test]
async fn what_the_way_to_sentry_holds_never_comes_out() {
    let target = Target::always(vec![answer(200, "")]).await;
    // A proxy that takes nobody.
    let proxy = Target::always(vec![answer(407, "")]).await;
    let encoded = percent_encoding::utf8_percent_encode(CANARY, percent_encoding::NON_ALPHANUMERIC);
    let directory = TempDir::new().expect("a directory");
    let text = format!(
        "sentry: {{dsn: 'http://public:hunter22-hunter22@sentry.invalid/1', proxy: 'http://user:{encoded}@{}'}}\ngroups:\n  \
         - probes:\n      - {{probe: http, url: '{}'}}\n",
        proxy.address,
        target.url("/")
    );
    fs::write(directory.path().join("config.yaml"), text).expect("a file");
    let server = Server::plain(Sentry::new()).await;
    let run = |arguments: &'static [&'static str]| said(program(directory.path(), &server, arguments, "trace"));
    let outputs = [run(&["validate"]).await, run(&["once", "--send"]).await, run(&["spool", "--list"]).await];
    assert!(!proxy.seen().is_empty(), "{}", outputs[1].1);
    assert_silent(&outputs, &[CANARY, "hunter22-hunter22"]);
}
