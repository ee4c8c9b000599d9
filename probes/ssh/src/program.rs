//! The ssh program of one session: its options, its start, its words.

use std::{
    io::ErrorKind,
    os::{fd::OwnedFd, unix::net::UnixStream as StdStream},
    path::{Path, PathBuf},
    process::Stdio,
};

use probe_core::{Failure, FailureClass};
use russh::keys::Algorithm;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
    time::Instant,
};

use crate::{
    failure,
    keys::HostKeyRule,
    paths::{literal, quoted},
    route::{Access, Hop},
    scratch::{Desk, Scratch},
    talk::Talk,
};

/// A Unix socket's path has at most 108 bytes, of which ssh takes 17 for a name of its own.
const LONGEST_SOCKET: usize = 90;

/// A way to a host: what is the same for all sessions of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey<'a> {
    pub(crate) access: &'a Access,
    pub(crate) scratch: &'a Scratch,
    /// Variables for the command, as `SetEnv` takes them.
    pub(crate) environment: &'a str,
    pub(crate) deadline: Instant,
}

/// The program, started and about to say who it is.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) child: Child,
    /// Its connection, as it sees it.
    pub(crate) connection: UnixStream,
    /// What it has said on it.
    pub(crate) first: Vec<u8>,
    pub(crate) talk: watch::Receiver<Talk>,
    pub(crate) listening: JoinSet<()>,
    pub(crate) socket: PathBuf,
    pub(crate) desk: Desk,
}

// === impl Program ===

impl Program {
    /// Starts the program and waits until it has said who it is: from then on, time is the server's.
    pub(crate) async fn start(journey: &Journey<'_>, hop: &Hop) -> Result<Self, Failure> {
        let desk = journey.scratch.desk().map_err(|error| {
            let message = format!("no directory for ssh can be made (set TMPDIR to one that can be written): {error}");
            Failure::new(FailureClass::Internal, message)
        })?;
        let socket = desk.path("s");
        if socket.as_os_str().len() > LONGEST_SOCKET {
            let message = format!("{} is too long for a socket: set TMPDIR to a shorter path", socket.display());
            return Err(Failure::new(FailureClass::Internal, message));
        }
        let mut command = command(journey, hop, &desk, &socket)?;
        let unstarted = |error| failure::unstarted(&error);
        let (ours, theirs) = StdStream::pair().map_err(unstarted)?;
        ours.set_nonblocking(true).map_err(unstarted)?;
        let connection = UnixStream::from_std(ours).map_err(unstarted)?;
        let input = OwnedFd::from(theirs);
        command.stdout(input.try_clone().map_err(unstarted)?).stdin(input);
        let mut child = command.spawn().map_err(unstarted)?;
        // With our copies of its end, its own end would not be the last.
        drop(command);

        let (to, mut talk) = watch::channel(Talk::default());
        let mut listening = JoinSet::new();
        child.stderr.take().into_iter().for_each(|from| _ = listening.spawn(Talk::listen(from, to.clone())));
        drop(to);
        let mut first = vec![0; 4 << 10];
        let read = loop {
            connection.readable().await.map_err(unstarted)?;
            match connection.try_read(&mut first) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                other => break other.unwrap_or_default(),
            }
        };
        if read == 0 {
            let heard = talk.wait_for(|talk| talk.over).await.map(|talk| talk.clone()).unwrap_or_default();
            return Err(failure::speechless(&heard));
        }
        first.truncate(read);
        Ok(Self { child, connection, first, talk, listening, socket, desk })
    }
}

/// Its command line.
fn command(journey: &Journey<'_>, hop: &Hop, desk: &Desk, socket: &Path) -> Result<Command, Failure> {
    let mut command = Command::new("ssh");
    let config = journey.access.config.as_ref().map_or_else(|| "none".into(), |config| config.as_os_str().to_owned());
    command.arg("-v").arg("-F").arg(config).args(["-N", "-T", "-M", "-S"]).arg(literal(socket));
    command.args(["-p", &hop.port.to_string()]);
    hop.username.iter().for_each(|username| _ = command.args(["-l", username]));
    let mut option = |value: &str| _ = command.args(["-o", value]);
    // Nobody is there to answer, and nothing of the user's but the login is wanted.
    for fixed in [
        "ProxyCommand=-",
        "BatchMode=yes",
        "ControlPersist=no",
        "ConnectionAttempts=1",
        "UpdateHostKeys=no",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "AddKeysToAgent=no",
    ] {
        option(fixed);
    }
    if journey.access.config.is_none() {
        // OpenSSH's own first choice up to 9.8 costs 70 ms of computing; this one is known to all servers.
        option("KexAlgorithms=^curve25519-sha256");
    }
    match &hop.keys.rule {
        None => {
            option("StrictHostKeyChecking=yes");
            if journey.access.config.is_none() || hop.keys.files.len() == 1 {
                let files: Vec<String> = hop.keys.files.iter().map(|file| quoted(file)).collect();
                option(&format!("UserKnownHostsFile={}", files.join(" ")));
            }
        }
        // The key is looked at here, before ssh sees it.
        Some(rule) => {
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"]
                .into_iter()
                .for_each(&mut option);
            if let (HostKeyRule::AcceptNew, kinds @ [_, ..]) = (rule, hop.keys.known_kinds().as_slice()) {
                option(&format!("HostKeyAlgorithms=^{}", algorithms(kinds)));
            }
        }
    }
    if !journey.environment.is_empty() {
        option(&format!("SetEnv={}", journey.environment));
    }
    if let Some(identity) = &journey.access.identity {
        option("IdentitiesOnly=yes");
        command.arg("-i").arg(literal(&identity.file(desk)?));
    }
    command.arg(&hop.named).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

/// As ssh names them; an RSA key signs in three ways.
fn algorithms(kinds: &[Algorithm]) -> String {
    let name = |kind: &Algorithm| match kind {
        Algorithm::Rsa { .. } => "rsa-sha2-512,rsa-sha2-256,ssh-rsa".to_owned(),
        other => other.to_string(),
    };
    kinds.iter().map(name).collect::<Vec<_>>().join(",")
}
