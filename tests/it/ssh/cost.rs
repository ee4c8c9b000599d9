//! What an availability run costs beside one `ssh -o PreferredAuthentications=none`: processor time of the asking side.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use super::{again, assert_up, checks};
use crate::support::sshd::{Sshd, installed};

/// Runs of each.
const RUNS: u32 = 40;

/// Processor time is counted in hundredths of a second (proc(5): `_SC_CLK_TCK` is 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

#[tokio::test]
async fn it_is_at_most_half() {
    const PROBE: &str = "SSH_TEST_PROBE";
    const PORT: &str = "SSH_TEST_PORT";
    let Ok(probe) = std::env::var(PROBE) else {
        if !installed() {
            return;
        }
        let sshd = Sshd::start().await;
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.env(PROBE, sshd.service()).env(PORT, sshd.address.port().to_string());
        return again(child, "cost::it_is_at_most_half").await;
    };
    // A process with nothing else to do, so that all it spends is the probe's.
    let check = checks(&[&probe]).remove(0);
    let before = spent()[0];
    for _ in 0..RUNS {
        let run = probe_core::Run::new(Duration::from_secs(20), probe_core::Propagation::none());
        assert_up(&probe_core::run_probe(&*check.probe, run).await);
    }
    let own = (spent()[0] - before) / RUNS;

    let before = spent()[1];
    for _ in 0..RUNS {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", "PreferredAuthentications=none"]);
        ssh.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        ssh.args(["-p", &std::env::var(PORT).unwrap(), "root@127.0.0.1"]);
        let ended = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(ended.code(), Some(255));
    }
    let ssh = (spent()[1] - before) / RUNS;
    assert!(own * 2 <= ssh, "a run costs {own:?}, an ssh process {ssh:?}");
}

/// Processor time of this process, and of its children that have ended (proc(5): fields 14 to 17).
fn spent() -> [Duration; 2] {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| -> u32 { fields[at..at + 2].iter().map(|field| field.parse::<u32>().unwrap()).sum() };
    [TICK * ticks(11), TICK * ticks(13)]
}
