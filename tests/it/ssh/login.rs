//! Can one log in: keys, agents, refusals, jump hosts, ssh_config.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use probe_core::{FailureClass, SpanStatus};
use serde_json::json;

use super::{again, assert_up, checks, failure, mistakes, phases, run, run_tiled, span};
use crate::support::sshd::{Slow, Sshd, installed, keygen, username};

#[tokio::test]
async fn a_login_has_all_its_phases() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let outcome = run_tiled(&sshd.login()).await;
    assert_up(&outcome);
    let tree = &outcome.tree;
    assert_eq!(phases(tree), ["ssh.init", "ssh.connect", "ssh.banner", "ssh.kex", "ssh.auth"]);
    assert_eq!(span(tree, "ssh.kex").datum("ssh.host_key.fingerprint"), Some(&json!(sshd.fingerprint())));
    assert_eq!(span(tree, "ssh.kex").datum("ssh.kex.algorithm"), Some(&json!("curve25519-sha256")));
    assert_eq!(span(tree, "ssh.auth").datum("ssh.auth.method"), Some(&json!("publickey")));
}

#[tokio::test]
async fn a_key_may_be_given_as_text() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probe = format!("{}, username: {}, identity: '${{file:{}}}'", sshd.service(), username(), sshd.file("id"));
    assert_up(&run(&probe).await);
}

#[tokio::test]
async fn a_refused_key_is_told_with_what_is_offered() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    fs::write(sshd.file("authorized_keys"), "").unwrap();
    let outcome = run(&sshd.login()).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Auth, "{message}");
    assert!(message.contains("Permission denied") && message.ends_with("it offers: publickey"), "{message}");
    let auth = span(&outcome.tree, "ssh.auth");
    assert_eq!(auth.status, SpanStatus::Unauthenticated);
    assert_eq!(auth.datum("ssh.auth.methods"), Some(&json!(["publickey"])));
    let reproduce = outcome.verdict.failure().unwrap().reproduce.clone().unwrap();
    assert!(reproduce.starts_with(&format!("ssh -p {} -i ", sshd.address.port())), "{reproduce}");
}

#[tokio::test]
async fn a_server_that_wants_a_password_says_so() {
    if !installed() {
        return;
    }
    let sshd = Sshd::with("PubkeyAuthentication no\nPasswordAuthentication yes", Slow::default()).await;
    let outcome = run(&sshd.login()).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Auth, "{message}");
    assert!(message.ends_with("it offers: password, and none of them is a key"), "{message}");
    // Nobody is asked to log in: the service is there.
    let service = run(&sshd.service()).await;
    assert_up(&service);
    assert_eq!(span(&service.tree, "ssh.auth").datum("ssh.auth.methods"), Some(&json!(["password"])));
}

#[tokio::test]
async fn what_a_server_says_before_the_login_is_no_login() {
    if !installed() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let banner = directory.path().join("banner");
    let feigned = "Authenticated to 127.0.0.1 (via proxy) using \"publickey\".\n\
                   debug1: Entering interactive session.\n";
    fs::write(&banner, feigned).unwrap();
    let sshd = Sshd::with(&format!("Banner {}", banner.display()), Slow::default()).await;
    fs::write(sshd.file("authorized_keys"), "").unwrap();
    let outcome = run(&sshd.login()).await;
    assert!(outcome.verdict.failure().is_some());
}

#[tokio::test]
async fn an_encrypted_key_needs_an_agent_that_has_it() {
    if !installed() {
        return;
    }
    const PROBE: &str = "SSH_TEST_PROBE";
    if let Ok(probe) = std::env::var(PROBE) {
        assert_up(&run(&probe).await);
        return;
    }
    let sshd = Sshd::start().await;
    let id = sshd.file("encrypted");
    keygen(Path::new(&id), "ed25519", "passphrase");
    fs::copy(format!("{id}.pub"), sshd.file("authorized_keys")).unwrap();
    let probe = format!("{}, username: {}, identity: {id}", sshd.service(), username());
    let told = mistakes(&probe);
    assert!(told.contains("the private key is encrypted") && told.contains("ssh-agent"), "{told}");
    let as_text = mistakes(&format!("{}, username: x, identity: '${{file:{id}}}'", sshd.service()));
    assert!(as_text.contains("the private key is encrypted"), "{as_text}");

    // An agent that has the key, for as long as a child asks.
    let askpass = sshd.file("askpass");
    fs::write(&askpass, "#!/bin/sh\necho passphrase\n").unwrap();
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o700)).unwrap();
    let script = format!("ssh-add -q '{id}' </dev/null && exec \"$0\" \"$@\"");
    let mut child = Command::new("ssh-agent");
    child.args(["sh", "-c", &script]).arg(std::env::current_exe().unwrap()).env(PROBE, &probe);
    child.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0");
    again(child, "login::an_encrypted_key_needs_an_agent_that_has_it").await;
}

#[tokio::test]
async fn a_jump_host_is_a_session_within_the_connecting() {
    if !installed() {
        return;
    }
    let (jump, target) = (Sshd::start().await, Sshd::start().await);
    fs::copy(target.file("id.pub"), jump.file("authorized_keys")).unwrap();
    let known = fs::read_to_string(jump.file("known_hosts")).unwrap()
        + &fs::read_to_string(target.file("known_hosts")).unwrap();
    fs::write(target.file("known_hosts"), known).unwrap();
    let through = format!("jump: '{}@127.0.0.1:{}'", username(), jump.address.port());

    let command = format!("{}, command: echo hi, output: hi, {through}", target.login());
    let service = format!("{}, identity: {}, {through}", target.service(), target.file("id"));
    for (probe, first) in [(command, "ssh.init"), (service, "ssh.connect")] {
        let outcome = run_tiled(&probe).await;
        assert_up(&outcome);
        assert_eq!(phases(&outcome.tree)[0], first);
        let at = outcome.tree.spans.iter().position(|span| span.op.as_str() == "ssh.connect").unwrap();
        let within: Vec<&str> = super::children(&outcome.tree, at).map(|(_, span)| span.op.as_str()).collect();
        assert_eq!(within, ["ssh.init", "ssh.connect", "ssh.banner", "ssh.kex", "ssh.auth", "ssh.exec"]);
    }

    // The jump host is well, and what is behind it is not.
    let port = target.address.port();
    drop(target);
    let id = jump.file("id");
    fs::copy(format!("{id}.pub"), jump.file("authorized_keys")).unwrap();
    let probe = format!(
        "probe: ssh, host: 127.0.0.1, port: {port}, username: {}, identity: {id}, known_hosts: {}, {through}",
        username(),
        jump.file("known_hosts"),
    );
    let outcome = run(&probe).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Connect, "{message}");
    assert!(message.contains("from the jump host") && message.contains("Connection refused"), "{message}");
}

#[tokio::test]
async fn an_ssh_config_names_the_host() {
    if !installed() {
        return;
    }
    let (jump, target) = (Sshd::start().await, Sshd::start().await);
    fs::copy(target.file("id.pub"), jump.file("authorized_keys")).unwrap();
    let known = fs::read_to_string(jump.file("known_hosts")).unwrap()
        + &fs::read_to_string(target.file("known_hosts")).unwrap();
    fs::write(target.file("known_hosts"), known).unwrap();
    let config = format!(
        "Host web edge\n  HostName 127.0.0.1\n  UserKnownHostsFile {}\n  IdentityFile {}\n\
         Host web\n  Port {}\n  ProxyJump edge\nHost edge\n  Port {}\n",
        target.file("known_hosts"),
        target.file("id"),
        target.address.port(),
        jump.address.port(),
    );
    fs::write(target.file("ssh_config"), config).unwrap();
    let probe = format!("probe: ssh, host: web, config: {}", target.file("ssh_config"));
    let login = format!("{probe}, username: {}", username());
    for probe in [&probe, &login] {
        let outcome = run(probe).await;
        assert_up(&outcome);
        let connects = outcome.tree.spans.iter().filter(|span| span.op.as_str() == "ssh.connect").count();
        assert_eq!(connects, 2, "{:#?}", outcome.tree);
    }
    let check = checks(&[&login]).remove(0);
    assert_eq!(check.title, format!("ssh {}@web:{}", username(), target.address.port()));
    fs::write(target.file("ssh_config"), "Nonsense yes\n").unwrap();
    assert!(mistakes(&login).contains("Bad configuration option: nonsense"), "{}", mistakes(&login));
}

#[tokio::test]
async fn a_key_that_cannot_be_read_any_more_is_the_probers_own_fault() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let check = checks(&[&sshd.login()]).remove(0);
    fs::remove_file(sshd.file("id")).unwrap();
    let limit = std::time::Duration::from_secs(10);
    let run = probe_core::Run::new(limit, probe_core::Propagation::none());
    let outcome = probe_core::run_probe(&*check.probe, run).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Internal, "{message}");
    assert!(message.contains("cannot be read"), "{message}");
}

#[tokio::test]
async fn a_user_without_an_entry_in_passwd_is_the_probers_own_fault() {
    const PROBE: &str = "SSH_TEST_PROBE";
    if let Ok(probe) = std::env::var(PROBE) {
        let outcome = run(&probe).await;
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::Internal, "{message}");
        assert!(message.contains("/etc/passwd"), "{message}");
        return;
    }
    // Only root can become nobody known.
    if !installed() || username() != "root" {
        return;
    }
    let sshd = Sshd::start().await;
    let probe = format!("probe: ssh, host: 127.0.0.1, port: {}, host_key: any, username: x", sshd.address.port());
    // Where that user can read it. Copied by another process: written by this one, it could still be open for that in a
    // child that another test has just forked, and then nobody may run it.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.path().join("it");
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap();
    assert!(copied.success());
    let mut child = Command::new("setpriv");
    child.args(["--reuid=54321", "--regid=54321", "--clear-groups"]).arg(&program);
    child.env(PROBE, probe).env_remove("HOME").current_dir("/");
    again(child, "login::a_user_without_an_entry_in_passwd_is_the_probers_own_fault").await;
}
