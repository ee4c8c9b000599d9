//! Who the server is: known hosts, fingerprints, changes.

use std::{fs, path::Path};

use probe_core::{FailureClass, SpanStatus};

use super::{assert_up, failure, phases, run, span};
use crate::support::sshd::{Sshd, fingerprint, installed, keygen, username};

/// The same server as a service and as a login.
fn both(sshd: &Sshd, rule: &str) -> [String; 2] {
    let service = format!("probe: ssh, host: 127.0.0.1, port: {}, {rule}", sshd.address.port());
    let login = format!("{service}, username: {}, identity: {}", username(), sshd.file("id"));
    [service, login]
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_its_fingerprint() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    fs::write(sshd.file("known_hosts"), "# nobody\n").unwrap();
    for probe in both(&sshd, &format!("known_hosts: {}", sshd.file("known_hosts"))) {
        let outcome = run(&probe).await;
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::HostKey, "{message}");
        assert!(message.contains(&format!("host_key: {}", sshd.fingerprint())), "{message}");
        assert_eq!(phases(&outcome.tree).last(), Some(&"ssh.kex"));
        assert_eq!(span(&outcome.tree, "ssh.kex").status, SpanStatus::PermissionDenied);
    }
}

#[tokio::test]
async fn a_changed_key_is_told_with_both_fingerprints() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other");
    keygen(&other, "ed25519", "");
    let public = fs::read_to_string(other.with_extension("pub")).unwrap();
    fs::write(sshd.file("known_hosts"), format!("\n[127.0.0.1]:{} {public}", sshd.address.port())).unwrap();
    let was = fingerprint(&other);
    let known = format!("known_hosts: {}", sshd.file("known_hosts"));
    for rule in [known.clone(), format!("{known}, host_key: accept-new")] {
        for probe in both(&sshd, &rule) {
            let outcome = run(&probe).await;
            let (class, message) = failure(&outcome);
            assert_eq!(class, FailureClass::HostKey, "{message}");
            for part in ["has changed", "known_hosts:2", was.as_str(), sshd.fingerprint().as_str(), "ssh-keygen -R"] {
                assert!(message.contains(part), "{part} is not in: {message}");
            }
            let told = outcome.verdict.failure().unwrap();
            assert_eq!(told.expected.as_ref(), Some(&was));
            assert_eq!(told.actual.as_ref(), Some(&sshd.fingerprint()));
        }
    }
}

#[tokio::test]
async fn a_fingerprint_is_enough_and_another_one_is_not() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    for probe in both(&sshd, &format!("host_key: '{}'", sshd.fingerprint())) {
        assert_up(&run(&probe).await);
    }
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for probe in both(&sshd, &format!("host_key: '{other}'")) {
        let outcome = run(&probe).await;
        let (class, message) = failure(&outcome);
        assert_eq!(class, FailureClass::HostKey, "{message}");
        assert!(message.contains(other) && message.contains(&sshd.fingerprint()), "{message}");
        // Nothing of us has gone to a server that is not the right one.
        assert!(!phases(&outcome.tree).contains(&"ssh.auth"));
    }
}

#[tokio::test]
async fn a_new_key_is_kept_and_any_key_is_not_looked_at() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    for (mode, probe) in both(&sshd, "host_key: any").iter().enumerate() {
        assert_up(&run(probe).await);
        let kept = sshd.file(&format!("new/known_hosts{mode}"));
        let probe = &both(&sshd, &format!("host_key: accept-new, known_hosts: {kept}"))[mode];
        assert_up(&run(probe).await);
        let text = fs::read_to_string(&kept).unwrap();
        assert!(text.starts_with(&format!("[127.0.0.1]:{} ssh-ed25519 ", sshd.address.port())), "{text}");
        assert_up(&run(probe).await);
        assert_eq!(fs::read_to_string(&kept).unwrap(), text);
    }
    // Where it cannot be kept it is accepted all the same, as ssh does.
    fs::write(sshd.file("file"), "").unwrap();
    let nowhere = format!("host_key: accept-new, known_hosts: {}/known_hosts", sshd.file("file"));
    assert!(!Path::new(&sshd.file("file/known_hosts")).exists());
    assert_up(&run(&both(&sshd, &nowhere)[0]).await);
}
