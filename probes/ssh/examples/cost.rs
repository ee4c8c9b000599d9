//! What an availability run costs beside one `ssh -o PreferredAuthentications=none`, in processor time of the asking side.
//!
//! `cargo run --release -p probe-ssh --example cost` starts an sshd on loopback and prints both. Compare the ratio, never the times.
#![allow(clippy::print_stdout)]

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use probe_core::{Propagation, Run, Verdict, run_probe};
use probe_keys::{At, Entry, Findings, Node, Place, Read, Text, Value};
use probe_ssh::{Scratch, SshKeys, SshProbe};

/// Runs of each, after as many that warm up a tenth.
const RUNS: u32 = 100;

/// Processor time is counted in hundredths of a second (proc(5): `_SC_CLK_TCK` is 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        let _ = (self.0.kill(), self.0.wait());
    }
}

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &at("key")]).status();
    assert!(made.is_ok_and(|made| made.success()), "install openssh-client");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nPidFile none\nUsePAM no\nMaxStartups 1000\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
        at("key")
    );
    fs::write(at("config"), config).expect("a file");
    let public = fs::read_to_string(at("key.pub")).expect("a key");
    fs::write(at("known_hosts"), format!("[127.0.0.1]:{port} {public}")).expect("a file");
    let server = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f", &at("config")]).stderr(Stdio::null()).spawn();
    let _server = Server(server.expect("install openssh-server"));
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {}

    let own = availability(port, &at("known_hosts"));
    let plain = program(port, &at("known_hosts"), &[]);
    let pinned = program(port, &at("known_hosts"), &["-o", "KexAlgorithms=^curve25519-sha256"]);
    println!("availability          {own:>10.2?} of processor time a run");
    println!("ssh                   {plain:>10.2?}   {:.1} times as much", plain.div_duration_f64(own));
    println!("ssh, curve25519 first {pinned:>10.2?}   {:.1} times as much", pinned.div_duration_f64(own));
}

/// One availability run, without our own children.
fn availability(port: u16, known_hosts: &str) -> Duration {
    let entry = |(key, value): (&str, Value)| Entry {
        key: key.to_owned(),
        place: Place::default(),
        node: Node { value, place: Place::default() },
    };
    let text = |text: &str| Value::Text(Text::plain(text));
    let keys = [("host", text("127.0.0.1")), ("port", text(&port.to_string())), ("known_hosts", text(known_hosts))];
    let node = Node { value: Value::Mapping(keys.map(entry).into()), place: Place::default() };
    let findings = Findings::default();
    let keys = SshKeys::read(&At::root(&node, &findings)).expect("keys");
    let probe = SshProbe::new(keys, &Arc::<Scratch>::default(), &findings).expect("a probe");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let once = || {
        let outcome = runtime.block_on(run_probe(&probe, Run::new(Duration::from_secs(10), Propagation::none())));
        assert_eq!(outcome.verdict, Verdict::Up);
    };
    // The clock is coarse: it is given more to count.
    let runs = RUNS * 10;
    (0..runs / 10).for_each(|_| once());
    let before = spent()[0];
    (0..runs).for_each(|_| once());
    (spent()[0] - before) / runs
}

/// One run of the ssh program.
fn program(port: u16, known_hosts: &str, options: &[&str]) -> Duration {
    let once = || {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-p", &port.to_string(), "-o", "BatchMode=yes", "-o", "PreferredAuthentications=none"]);
        ssh.args(["-o", &format!("UserKnownHostsFile={known_hosts}")]).args(options).arg("root@127.0.0.1");
        let ended = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("ssh");
        assert_eq!(ended.code(), Some(255));
    };
    (0..RUNS / 10).for_each(|_| once());
    let before = spent()[1];
    (0..RUNS).for_each(|_| once());
    (spent()[1] - before) / RUNS
}

/// Processor time of this process, and of its children that have ended (proc(5): fields 14 to 17).
fn spent() -> [Duration; 2] {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks =
        |at: usize| -> u32 { fields[at..at + 2].iter().map(|field| field.parse::<u32>().expect("ticks")).sum() };
    [TICK * ticks(11), TICK * ticks(13)]
}
