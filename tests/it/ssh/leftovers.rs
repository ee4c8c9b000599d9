//! Nothing is left behind: no process, no control socket, no directory, whatever ends a run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use probe_core::{Propagation, Run, run_probe};
use tokio::time::{self, Instant};

use super::{again, checks};
use crate::support::sshd::{Sshd, installed};

const PROBES: &str = "SSH_TEST_PROBES";

/// This program again, with a temporary directory of its own.
fn program(place: &Path, probes: &[&str]) -> Command {
    let mut program = Command::new(env::current_exe().unwrap());
    program.env("TMPDIR", place).env(PROBES, probes.join("\n"));
    program
}

/// The probes of this process, when it is the child.
fn probes() -> Option<Vec<String>> {
    env::var(PROBES).ok().map(|probes| probes.lines().map(str::to_owned).collect())
}

/// Processes whose command line names this place.
fn processes(place: &Path) -> Vec<String> {
    let text = place.display().to_string();
    let command_line =
        |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok();
    fs::read_dir("/proc").unwrap().filter_map(command_line).filter(|line| line.contains(&text)).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "not in time: {what}");
        time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn no_run_leaves_anything_however_it_ends() {
    let place = env::temp_dir();
    if let Some(probes) = probes() {
        let checks = checks(&probes.iter().map(String::as_str).collect::<Vec<_>>());
        for check in &checks {
            run_probe(&*check.probe, Run::new(Duration::from_millis(1_500), Propagation::none())).await;
            let stop = time::sleep(Duration::from_millis(30));
            let run = Run { timeout: Duration::from_secs(9), propagation: Propagation::none(), stop };
            run_probe(&*check.probe, run).await;
        }
        until("no process is left", || processes(&place).is_empty()).await;
        for entry in fs::read_dir(&place).unwrap() {
            let left: Vec<_> =
                fs::read_dir(entry.unwrap().path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["lock"]);
        }
        drop(checks);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
        return;
    }
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let login = sshd.login();
    let known_hosts = format!(", known_hosts: {}", sshd.file("known_hosts"));
    let key = format!("{}, username: nobody, identity: '${{file:{}}}'", sshd.service(), sshd.file("id"));
    let probes = [
        sshd.service(),
        login.clone(),
        format!("{login}, command: exit 3"),
        format!("{login}, command: sleep 60"),
        key,
        format!("{}, host_key: 'SHA256:{}'", login.replace(&known_hosts, ""), "A".repeat(43)),
    ];
    let place = tempfile::tempdir().unwrap();
    let probes: Vec<&str> = probes.iter().map(String::as_str).collect();
    again(program(place.path(), &probes), "leftovers::no_run_leaves_anything_however_it_ends").await;
}

#[tokio::test]
async fn a_killed_process_leaves_no_session_and_its_files_are_swept() {
    if let Some(probes) = probes() {
        for check in checks(&probes.iter().map(String::as_str).collect::<Vec<_>>()) {
            run_probe(&*check.probe, Run::new(Duration::from_mins(1), Propagation::none())).await;
        }
        return;
    }
    if !installed() {
        return;
    }
    let test = "leftovers::a_killed_process_leaves_no_session_and_its_files_are_swept";
    let sshd = Sshd::start().await;
    let (place, login) = (tempfile::tempdir().unwrap(), sshd.login());
    let probe = format!("{login}, command: sleep 60");
    let socket = |entry: &fs::DirEntry| entry.path().join("0/s").exists();
    for moment in ["logging in", "logged in"] {
        let mut killed = program(place.path(), &[&probe]);
        killed.args(["--exact", &format!("ssh::{test}")]).stdout(Stdio::null());
        let mut killed = killed.spawn().unwrap();
        if moment == "logged in" {
            let logged_in = || fs::read_dir(place.path()).unwrap().flatten().any(|entry| socket(&entry));
            until("a session is there", logged_in).await;
        } else {
            until("ssh is there", || processes(place.path()).iter().any(|line| line.starts_with("ssh\0"))).await;
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        until("ssh has ended", || processes(place.path()).is_empty()).await;
        assert_ne!(fs::read_dir(place.path()).unwrap().count(), 0, "a killed process cannot clean up");

        again(program(place.path(), &[&login]), test).await;
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{moment}");
    }
}
