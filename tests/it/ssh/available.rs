//! Is the service there: without credentials, without the ssh program, without a home.

use std::{process::Command, time::Duration};

use probe_core::FailureClass;
use serde_json::{Value, json};

use super::{again, assert_up, failure, phases, run, run_tiled, run_within, span};
use crate::support::sshd::{Slow, Sshd, installed};

#[tokio::test]
async fn a_service_shows_who_it_is_and_how_one_may_log_in() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let outcome = run_tiled(&sshd.service()).await;
    assert_up(&outcome);
    let tree = &outcome.tree;
    assert_eq!(phases(tree), ["ssh.connect", "ssh.banner", "ssh.kex", "ssh.auth"]);
    assert_eq!(span(tree, "net.tcp").datum("network.peer.port"), Some(&json!(sshd.address.port())));
    let version = span(tree, "ssh.banner").datum("ssh.server.version").and_then(Value::as_str).unwrap();
    assert!(version.starts_with("SSH-2.0-OpenSSH"), "{version}");
    let kex = span(tree, "ssh.kex");
    assert_eq!(kex.datum("ssh.host_key.type"), Some(&json!("ssh-ed25519")));
    assert_eq!(kex.datum("ssh.host_key.fingerprint"), Some(&json!(sshd.fingerprint())));
    assert!(kex.datum("ssh.kex.algorithm").is_some());
    assert_eq!(span(tree, "ssh.auth").datum("ssh.auth.methods"), Some(&json!(["publickey"])));
}

#[tokio::test]
async fn a_name_is_resolved_in_a_phase_of_its_own() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probe =
        format!("probe: ssh, host: localhost, port: {}, host_key: '{}'", sshd.address.port(), sshd.fingerprint());
    let outcome = run(&probe).await;
    assert_up(&outcome);
    let dns = span(&outcome.tree, "net.dns");
    assert_eq!(dns.datum("dns.question.name"), Some(&json!("localhost")));
    assert!(dns.end <= span(&outcome.tree, "net.tcp").start);
    assert_eq!(outcome.tree.spans[dns.parent.unwrap()].op.as_str(), "ssh.connect");
}

#[tokio::test]
async fn a_delay_is_where_it_was_and_nowhere_else() {
    if !installed() {
        return;
    }
    let delay = Duration::from_millis(150);
    for (slow, op, most) in [
        (Slow { banner: delay, ..Slow::default() }, "ssh.banner", Duration::from_millis(5)),
        // What the exchange itself takes comes on top.
        (Slow { exchange: delay, ..Slow::default() }, "ssh.kex", delay / 2),
    ] {
        let sshd = Sshd::with("", slow).await;
        let mut seen = Vec::new();
        // A busy machine gets more than one chance to be exact.
        let exact = loop {
            let outcome = run(&sshd.service()).await;
            assert_up(&outcome);
            let took = |op| span(&outcome.tree, op).duration();
            assert!(took(op) >= delay, "{op} took {:?}", took(op));
            let others = ["ssh.banner", "ssh.kex", "ssh.auth"].into_iter().filter(|other| *other != op);
            let exact = took(op) - delay < most && others.map(took).all(|other| other < delay / 2);
            seen.push(took(op));
            if exact || seen.len() == 20 {
                break exact;
            }
        };
        assert!(exact, "{op}: {seen:?}");
    }
}

#[tokio::test]
async fn it_needs_neither_the_ssh_program_nor_a_home() {
    const PROBE: &str = "SSH_TEST_PROBE";
    if let Ok(probe) = std::env::var(PROBE) {
        assert_eq!(std::env::var_os("HOME"), None);
        assert_up(&run(&probe).await);
        let login = format!("{probe}, username: somebody");
        let outcome = run(&login).await;
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::Internal);
        assert!(message.contains("no ssh program"), "{message}");
        return;
    }
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.env_clear().env("PATH", "/nowhere").env(PROBE, sshd.service());
    again(child, "available::it_needs_neither_the_ssh_program_nor_a_home").await;
}

#[tokio::test]
async fn an_rsa_key_is_good_enough() {
    if !installed() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("rsa");
    crate::support::sshd::keygen(&key, "rsa", "");
    let sshd = Sshd::with(&format!("HostKey {}", key.display()), Slow::default()).await;
    // Known by its RSA key alone: that one is asked for, though there is one of a kind that is preferred.
    let known = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let known = format!("[127.0.0.1]:{} {known}", sshd.address.port());
    std::fs::write(sshd.file("known_hosts"), known).unwrap();
    let outcome = run(&sshd.service()).await;
    assert_up(&outcome);
    let kind = span(&outcome.tree, "ssh.kex").datum("ssh.host_key.type").cloned();
    assert_eq!(kind, Some(json!("ssh-rsa")));
}

#[tokio::test]
async fn fifty_at_once_are_each_measured() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probe = sshd.service();
    let outcomes = futures_util::future::join_all((0..50).map(|_| run_within(&probe, 60_000))).await;
    for outcome in outcomes {
        assert_up(&outcome);
        assert_eq!(phases(&outcome.tree).len(), 4);
    }
}
