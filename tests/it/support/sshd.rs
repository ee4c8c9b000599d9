//! A real OpenSSH server on loopback: each connection gets an sshd of its own (`-i`), so the port is the system's choice.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs, io,
    net::SocketAddr,
    os::{fd::OwnedFd, unix::fs::PermissionsExt, unix::net::UnixStream as StdStream},
    path::{Path, PathBuf},
    process::{Command as StdCommand, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    process::{Child, Command},
    task::JoinSet,
    time::{self, Instant},
};

const SSHD: &str = "/usr/sbin/sshd";

/// A server. Dropped, it ends, and its sessions with it.
pub(crate) struct Sshd {
    directory: TempDir,
    pub(crate) address: SocketAddr,
    sessions: Arc<Mutex<Vec<Child>>>,
    _serving: JoinSet<()>,
}

/// How it is slow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slow {
    /// From the connection to its identification.
    pub(crate) banner: Duration,
    /// From there to what follows.
    pub(crate) exchange: Duration,
}

/// Whether the programs are there. Where they are not, the test says what it misses; on a build machine that is a failure.
pub(crate) fn installed() -> bool {
    let missing: Vec<&str> = [SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/ssh-agent"]
        .into_iter()
        .filter(|program| !Path::new(program).exists())
        .collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{missing:?} are missing: install openssh-server and openssh-client");
    #[allow(clippy::print_stderr)]
    {
        eprintln!("skipped: {missing:?} are missing; install openssh-server and openssh-client");
    }
    false
}

// === impl Sshd ===

impl Sshd {
    /// A server with a key of its own that lets `id` in.
    pub(crate) async fn start() -> Self {
        Self::with("", Slow::default()).await
    }

    /// The same with more lines of sshd_config(5), or slow.
    pub(crate) async fn with(lines: &str, slow: Slow) -> Self {
        let directory = tempfile::Builder::new().prefix("sshd-").tempdir().unwrap();
        keygen(&directory.path().join("host_key"), "ed25519", "");
        keygen(&directory.path().join("id"), "ed25519", "");
        let at = |name: &str| directory.path().join(name).display().to_string();
        fs::copy(at("id.pub"), at("authorized_keys")).unwrap();
        // The first of two lines counts: those of the test come first.
        let config = format!(
            "{lines}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n",
            at("host_key"),
            at("authorized_keys"),
        );
        fs::write(at("sshd_config"), config).unwrap();
        if username() == "root" {
            // Where sshd's less privileged half lives; a machine that runs sshd has it.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let known = format!("[127.0.0.1]:{} {}", address.port(), fs::read_to_string(at("host_key.pub")).unwrap());
        fs::write(at("known_hosts"), known).unwrap();

        let sessions = Arc::<Mutex<Vec<Child>>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, PathBuf::from(at("sshd_config")), slow, sessions.clone()));
        Self { directory, address, sessions, _serving: serving }
    }

    /// A file of the server's: `id`, `known_hosts`, `host_key.pub`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The fingerprint of its host key, as `ssh-keygen` shows it.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(Path::new(&self.file("host_key.pub")))
    }

    /// Keys of an ssh probe: the server, and how its key is known.
    pub(crate) fn service(&self) -> String {
        let port = self.address.port();
        format!("probe: ssh, host: 127.0.0.1, port: {port}, known_hosts: {}", self.file("known_hosts"))
    }

    /// The same, and who logs in.
    pub(crate) fn login(&self) -> String {
        format!("{}, username: {}, identity: {}", self.service(), username(), self.file("id"))
    }

    /// Its sessions die, as when the machine does.
    pub(crate) fn die(&self) {
        for session in self.sessions.lock().unwrap().iter() {
            let group = session.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().unwrap()));
            group.iter().for_each(|group| {
                let _ = rustix::process::kill_process_group(*group, rustix::process::Signal::KILL);
            });
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.die();
    }
}

/// Who runs the tests: the one user that an unprivileged sshd lets in.
pub(crate) fn username() -> String {
    let answer = StdCommand::new("id").arg("-un").output().unwrap();
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair.
pub(crate) fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = StdCommand::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(path).status();
    assert!(made.unwrap().success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The fingerprint of a key.
pub(crate) fn fingerprint(path: &Path) -> String {
    let shown = StdCommand::new("ssh-keygen").arg("-lf").arg(path).output().unwrap();
    String::from_utf8(shown.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
}

async fn serve(listener: TcpListener, config: PathBuf, slow: Slow, sessions: Arc<Mutex<Vec<Child>>>) {
    let mut carried = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        client.set_nodelay(true).unwrap();
        let (ours, theirs) = StdStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let input = OwnedFd::from(theirs);
        let session = Command::new(SSHD)
            .arg("-i")
            .arg("-f")
            .arg(&config)
            .stdout(input.try_clone().unwrap())
            .stdin(input)
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        sessions.lock().unwrap().push(session);
        carried.spawn(carry(client, UnixStream::from_std(ours).unwrap(), slow));
    }
}

async fn carry(client: TcpStream, server: UnixStream, slow: Slow) {
    let begun = Instant::now();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        // What sshd takes to start is within the delay, so that the client sees that and no more.
        let mut first = vec![0; 8 << 10];
        let read = from_server.read(&mut first).await?;
        time::sleep_until(begun + slow.banner).await;
        to_client.write_all(&first[..read]).await?;
        time::sleep(slow.exchange).await;
        copy(&mut from_server, &mut to_client).await
    };
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = back => {}
    }
}

async fn copy(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    tokio::io::copy(from, to).await.map(drop)
}
