//! The watch over a self-hosted Sentry, against stand-ins for its commands on a real server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use probe_core::{Propagation, Run, Verdict, run_probe};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::read;
use crate::support::sshd::{Slow, Sshd, installed, username};

/// What the commands of a Sentry that is well answer.
const WELL: [(&str, &str); 5] = [
    ("sudo", r#"while [ "${1#-}" != "$1" ]; do [ "$1" = -u ] && shift; shift; done; exec "$@""#),
    (
        "supervisorctl",
        "echo 'sentry-cron                      RUNNING   pid 11, uptime 3 days, 1:02:03'\n\
         echo 'sentry-web                       RUNNING   pid 12, uptime 3 days, 1:02:03'\n\
         echo 'sentry-worker                    RUNNING   pid 13, uptime 3 days, 1:02:03'",
    ),
    ("redis-cli", "echo PONG"),
    ("pg_isready", "echo '127.0.0.1:5432 - accepting connections'"),
    ("sentry", "echo 'alerts 0'\necho 'events.preprocess_event 17'\necho 'default 1000'"),
];

fn stand_in(place: &Path, name: &str, script: &str) {
    let path = place.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A web front that answers everything with this status and these headers.
async fn front(status: &'static str, headers: &'static str) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = [0; 4 << 10];
            let _ = client.read(&mut request).await;
            let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    (port, serving)
}

/// Runs all checks of the example against these; by their titles, the messages of those that are not up.
async fn watch(sshd: &Sshd, front: u16) -> BTreeMap<String, String> {
    let server = format!(
        "host: 127.0.0.1\n        port: {}\n        known_hosts: {}\n        identity: {}\n",
        sshd.address.port(),
        sshd.file("known_hosts"),
        sshd.file("id"),
    );
    let example = fs::read_to_string("examples/self-hosted-sentry.yaml").unwrap();
    let text = example
        .replace("host: sentry.internal.example\n", &server)
        .replace("username: probe\n", &format!("username: {}\n", username()))
        .replace("https://sentry.example.com/", &format!("http://127.0.0.1:{front}/"));
    assert!(!text.contains("example.com/\n"), "{text}");
    let checks = read(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(checks.len(), 7);
    let mut down = BTreeMap::new();
    for check in &checks {
        assert!(check.runbook.is_some(), "{}", check.title);
        let outcome = run_probe(&*check.probe, Run::new(Duration::from_secs(20), Propagation::none())).await;
        match &outcome.verdict {
            Verdict::Up => {}
            Verdict::Down(failure) => drop(down.insert(check.title.clone(), failure.message.clone())),
            Verdict::Inconclusive(failure) => panic!("{}: {failure}", check.title),
        }
    }
    down
}

#[tokio::test]
async fn a_sentry_that_is_well_is_found_well_and_each_fault_at_its_place() {
    if !installed() {
        return;
    }
    let place = tempfile::Builder::new().prefix("bin-").tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    WELL.iter().for_each(|(name, script)| stand_in(place.path(), name, script));
    let sshd = Sshd::with(&format!("SetEnv PATH={}:/usr/bin:/bin", place.path().display()), Slow::default()).await;
    let (well, _well) = front("200 OK", "set-cookie: sentrysid=abc; HttpOnly; Path=/\r\n").await;
    assert_eq!(watch(&sshd, well).await, BTreeMap::new());

    let (broken, _broken) = front("500 Internal Server Error", "").await;
    let down = watch(&sshd, broken).await;
    assert_eq!(down.keys().collect::<Vec<_>>(), ["Sentry login page", "Sentry web front"]);
    let (sessionless, _sessionless) = front("200 OK", "").await;
    let down = watch(&sshd, sessionless).await;
    assert_eq!(down.keys().collect::<Vec<_>>(), ["Sentry login page"]);

    for (name, script, title, told) in [
        (
            "supervisorctl",
            "echo 'sentry-web RUNNING'; echo 'sentry-worker FATAL Exited too quickly'; echo 'sentry-cron RUNNING'",
            "Sentry processes",
            "be without \"FATAL\"",
        ),
        ("supervisorctl", "echo 'sentry-web RUNNING'", "Sentry processes", "contain \"sentry-worker\""),
        ("redis-cli", "echo 'MISCONF Redis is configured to save RDB snapshots'", "Sentry Redis", "be \"PONG\""),
        ("redis-cli", "echo 'Could not connect: Connection refused' >&2; exit 1", "Sentry Redis", "Connection refused"),
        ("pg_isready", "echo '127.0.0.1:5432 - no response'; exit 2", "Sentry PostgreSQL", "exit status 0, got 2"),
        ("sentry", "echo 'alerts 0'; echo 'events.save_event 51234'", "Sentry queues", "events.save_event 51234"),
        ("sentry", "exit 1", "Sentry queues", "got 2"),
    ] {
        stand_in(place.path(), name, script);
        let down = watch(&sshd, well).await;
        assert_eq!(down.keys().collect::<Vec<_>>(), [title], "{script}: {down:?}");
        assert!(down[title].contains(told), "{script}: {}", down[title]);
        WELL.iter().for_each(|(name, script)| stand_in(place.path(), name, script));
    }
}
