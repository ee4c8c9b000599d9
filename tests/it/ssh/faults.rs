//! Servers that are no servers, and faults that are our own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{process::Command, time::Duration};

use probe_core::{FailureClass, SpanStatus, Verdict};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{again, checks, failure, longest_gap, phases, run, run_within, span};
use crate::support::sshd::installed;

/// A server that says `words` and then ends the connection, or keeps it.
async fn odd(words: &'static [u8], stays: bool) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let _ = client.write_all(words).await;
            tokio::spawn(async move {
                let mut heard = [0; 64 << 10];
                while client.read(&mut heard).await.is_ok_and(|read| read > 0) && stays {}
            });
        }
    });
    (port, serving)
}

/// The same place as a service and as a login.
fn both(port: u16) -> Vec<String> {
    let service = format!("probe: ssh, host: 127.0.0.1, port: {port}, host_key: any");
    let login = format!("{service}, username: somebody");
    if installed() { vec![service, login] } else { vec![service] }
}

#[tokio::test]
async fn a_server_that_is_no_ssh_server_is_told_by_what_it_says() {
    for (words, told, phase) in [
        (&b""[..], "no SSH banner came", "ssh.banner"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "does not speak SSH: it answered \"HTTP/1.1 400 Bad Request",
            "ssh.banner",
        ),
        (b"Exceeded MaxStartups\r\n", "\"Exceeded MaxStartups\"", "ssh.banner"),
        (b"SSH-2.0-odd\r\n", "(SSH-2.0-odd) closed the connection during the key exchange", "ssh.kex"),
        (b"SSH-2.0-odd\r\nnonsense nonsense", "no host key could be seen", "ssh.kex"),
    ] {
        let (port, _serving) = odd(words, false).await;
        for probe in both(port) {
            let outcome = run(&probe).await;
            let (class, message) = failure(&outcome);
            assert_eq!(class, FailureClass::Protocol, "{message}");
            assert!(message.contains(told), "{message}");
            assert_eq!(phases(&outcome.tree).last(), Some(&phase), "{:#?}", outcome.tree);
            assert_eq!(span(&outcome.tree, phase).status, SpanStatus::Unavailable);
        }
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_timed_out_in_its_phase() {
    for (words, phase) in [(&b""[..], "ssh.banner"), (b"SSH-2.0-odd\r\n", "ssh.kex")] {
        let (port, _serving) = odd(words, true).await;
        for probe in both(port) {
            let outcome = run_within(&probe, 500).await;
            let (class, message) = failure(&outcome);
            assert_eq!(class, FailureClass::Timeout);
            assert!(message.contains(phase), "{message}");
            assert_eq!(phases(&outcome.tree).last(), Some(&phase));
            assert!(outcome.tree.duration() < Duration::from_millis(900));
            assert!(longest_gap(&outcome.tree).0 < Duration::from_millis(20), "{:#?}", outcome.tree);
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_the_connection_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for probe in both(port) {
        let outcome = run(&probe).await;
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::Connect);
        assert_eq!(message, format!("connection refused by 127.0.0.1:{port}"));
        assert_eq!(span(&outcome.tree, "net.tcp").status, SpanStatus::Unavailable);
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_matter_of_dns() {
    // Too long for any name server: it is refused without being asked for.
    let host = "x".repeat(70);
    let outcome = run(&format!("probe: ssh, host: {host}, host_key: any")).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Dns, "{message}");
    assert!(message.contains("could not be resolved"), "{message}");
    assert_eq!(span(&outcome.tree, "net.dns").status, SpanStatus::Unavailable);
}

#[tokio::test]
async fn without_file_descriptors_nothing_is_known_of_the_target() {
    const CHILD: &str = "SSH_TEST_PROBE";
    if std::env::var_os(CHILD).is_none() {
        let mut child = Command::new("sh");
        child.args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        let place = tempfile::tempdir().unwrap();
        child.env(CHILD, "1").env("TMPDIR", place.path());
        again(child, "faults::without_file_descriptors_nothing_is_known_of_the_target").await;
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
        return;
    }
    let probes = both(22);
    let checks = checks(&probes.iter().map(String::as_str).collect::<Vec<_>>());
    for check in checks {
        let mut held = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            held.push(file);
        }
        let run = probe_core::Run::new(Duration::from_secs(5), probe_core::Propagation::none());
        let outcome = probe_core::run_probe(&*check.probe, run).await;
        drop(held);
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::Internal, "{message}");
        assert!(matches!(outcome.verdict, Verdict::Inconclusive(_)));
    }
}
