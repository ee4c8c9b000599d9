//! A session of the ssh program: it logs in over a connection that we made, and stays for commands and ways on.
//!
//! `ProxyCommand=-` gives it a socket of ours in place of one of its own. So it ends when we do, its address is the one
//! that we measured, and what it says and hears in the clear gives the phases.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream as StdStream},
    path::{Path, PathBuf},
    process::Stdio,
};

use openssh::{ForwardType, Session, Socket};
use probe_core::{BoxFuture, Failure, FailureClass, Op, Span};
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
    phases::Phases,
    route::{Access, Hop},
    scratch::{Desk, Scratch},
    talk::Talk,
    tcp,
    wire::{Guard, Marks, Stream, Wire},
};

/// A Unix socket's path has at most 108 bytes, of which ssh takes 17 for a name of its own.
const LONGEST_SOCKET: usize = 90;

/// What a journey to a host needs, the same for all sessions of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey<'a> {
    pub(crate) access: &'a Access,
    pub(crate) scratch: &'a Scratch,
    /// Variables for the command, as `SetEnv` takes them.
    pub(crate) environment: &'a str,
    pub(crate) deadline: Instant,
}

/// A stream to a host.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) stream: Box<dyn Stream>,
    /// The session that it goes through.
    pub(crate) through: Option<Box<Login>>,
    /// When it was there.
    pub(crate) at: Instant,
}

/// A session, logged in. Dropped, it ends: the program is killed, and its files are removed.
#[derive(Debug)]
pub(crate) struct Login {
    _child: Child,
    wire: Wire,
    talk: watch::Receiver<Talk>,
    _listening: JoinSet<()>,
    socket: PathBuf,
    desk: Desk,
    _through: Option<Box<Login>>,
    /// When it was logged in.
    pub(crate) at: Instant,
}

/// The program, started and about to say who it is.
struct Started {
    child: Child,
    /// Its connection, as it sees it.
    connection: UnixStream,
    /// What it has said on it.
    first: Vec<u8>,
    talk: watch::Receiver<Talk>,
    listening: JoinSet<()>,
    socket: PathBuf,
    desk: Desk,
}

// === impl Journey ===

impl<'a> Journey<'a> {
    /// A stream to the last of `hops`, through those before it; `ssh.connect` below `parent` has what it took.
    pub(crate) fn reach<'f>(
        &'f self,
        hops: &'f [Hop],
        parent: &'f Span,
        start: Instant,
    ) -> BoxFuture<'f, Result<Reached, Failure>> {
        Box::pin(async move {
            let Some((target, before)) = hops.split_last() else {
                return Err(Failure::new(FailureClass::Internal, "there is no host to go to"));
            };
            let span = parent.child_at(Op::SSH_CONNECT, start);
            span.set("server.address", target.host.as_str());
            span.set("server.port", target.port);
            let reached = match before.last() {
                None => tcp::connect(&target.host, target.port, &span, start, self.deadline)
                    .await
                    .map(|stream| (Box::new(stream) as Box<dyn Stream>, None)),
                Some(jump) => {
                    span.describe(format!("Connecting through {}", jump.place()));
                    self.through(before, target, &span, start).await
                }
            };
            let at = Instant::now();
            match reached {
                Ok((stream, through)) => {
                    span.finish_at(at);
                    Ok(Reached { stream, through, at })
                }
                Err(failure) => {
                    span.fail_at(failure.class, at);
                    Err(failure)
                }
            }
        })
    }

    async fn through(
        &self,
        before: &[Hop],
        target: &Hop,
        parent: &Span,
        start: Instant,
    ) -> Result<(Box<dyn Stream>, Option<Box<Login>>), Failure> {
        let login = self.login(before, parent, start).await?;
        let span = parent.child_at(Op::SSH_EXEC, login.at);
        match login.forward(&target.host, target.port).await {
            Ok(stream) => {
                span.finish();
                Ok((Box::new(stream), Some(Box::new(login))))
            }
            Err(error) => {
                span.fail(FailureClass::Internal);
                let message = format!("ssh would not open a way through the jump host: {error}");
                Err(Failure::new(FailureClass::Internal, message))
            }
        }
    }

    /// Logs in at the last of `hops`; each phase is a span below `parent`.
    pub(crate) async fn login(&self, hops: &[Hop], parent: &Span, start: Instant) -> Result<Login, Failure> {
        let Some(hop) = hops.last() else {
            return Err(Failure::new(FailureClass::Internal, "there is no host to log in at"));
        };
        let span = parent.child_at(Op::SSH_INIT, start);
        let started = self.start(hop).await;
        let ready = Instant::now();
        let started = match started {
            Ok(started) => started,
            Err(failure) => {
                span.fail_at(failure.class, ready);
                return Err(failure);
            }
        };
        span.finish_at(ready);

        let Reached { stream, through, at } = self.reach(hops, parent, ready).await?;
        let Started { child, connection, first, mut talk, listening, socket, desk } = started;
        let wire = Wire::carry(stream, connection, first, hop.guard());
        let mut phases = Phases::begin(parent, at, wire.marks());
        // The other end of the channel is held by the listening task: it goes only after it has said that it is over.
        let heard = talk.wait_for(|talk| talk.ready || talk.over).await.map(|talk| talk.clone()).unwrap_or_default();
        phases.offered(heard.methods.clone());
        let outcome = match heard.ready {
            // What a server says before the login is shown among ssh's own words: its socket cannot be feigned.
            true => Session::resume_mux(socket.clone().into(), None).check().await.map_err(|error| {
                let last = heard.last().unwrap_or("nothing more");
                Failure::new(FailureClass::Internal, format!("ssh is not there for a command: {error} ({last})"))
            }),
            false => Err(failure::not_logged_in(&heard, &wire.marks().noted(), hop)),
        };
        let at = Instant::now();
        match outcome {
            Ok(()) => {
                heard.authenticated.into_iter().for_each(|method| phases.logged_in(method));
                phases.done(at);
                let login =
                    Login { _child: child, wire, talk, _listening: listening, socket, desk, _through: through, at };
                Ok(login)
            }
            Err(failure) => {
                let failure = through.as_ref().and_then(|through| through.refusal(hop)).unwrap_or(failure);
                phases.fail(failure.class, at);
                Err(failure)
            }
        }
    }

    /// Starts the program and waits until it has said who it is: from then on, time is the server's.
    async fn start(&self, hop: &Hop) -> Result<Started, Failure> {
        let desk = self.scratch.desk().map_err(|error| {
            let message = format!("no directory for ssh can be made (set TMPDIR to one that can be written): {error}");
            Failure::new(FailureClass::Internal, message)
        })?;
        let socket = desk.path("s");
        if socket.as_os_str().len() > LONGEST_SOCKET {
            let message = format!("{} is too long for a socket: set TMPDIR to a shorter path", socket.display());
            return Err(Failure::new(FailureClass::Internal, message));
        }
        let mut command = self.command(hop, &desk, &socket)?;
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
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                other => break other.unwrap_or_default(),
            }
        };
        if read == 0 {
            let heard = talk.wait_for(|talk| talk.over).await.map(|talk| talk.clone()).unwrap_or_default();
            return Err(failure::speechless(&heard));
        }
        first.truncate(read);
        Ok(Started { child, connection, first, talk, listening, socket, desk })
    }

    fn command(&self, hop: &Hop, desk: &Desk, socket: &Path) -> Result<Command, Failure> {
        let mut command = Command::new("ssh");
        let config = self.access.config.as_ref().map_or_else(|| "none".into(), |config| config.as_os_str().to_owned());
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
        if self.access.config.is_none() {
            // OpenSSH's own first choice up to 9.8 costs 70 ms of computing; this one is known to all servers.
            option("KexAlgorithms=^curve25519-sha256");
        }
        match &hop.keys.rule {
            None => {
                option("StrictHostKeyChecking=yes");
                if self.access.config.is_none() || hop.keys.files.len() == 1 {
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
        if !self.environment.is_empty() {
            option(&format!("SetEnv={}", self.environment));
        }
        if let Some(identity) = &self.access.identity {
            option("IdentitiesOnly=yes");
            command.arg("-i").arg(literal(&identity.file(desk)?));
        }
        command.arg(&hop.named).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }
}

// === impl Login ===

impl Login {
    /// The session, for a command.
    pub(crate) fn session(&self) -> Session {
        Session::resume_mux(self.socket.clone().into(), None)
    }

    /// What was seen of its connection.
    pub(crate) fn marks(&self) -> Marks {
        self.wire.marks()
    }

    /// A way on to another host: a stream through this one.
    async fn forward(&self, host: &str, port: u16) -> Result<UnixStream, Box<dyn std::error::Error + Send + Sync>> {
        let path = self.desk.path("w");
        let listen = Socket::UnixSocket { path: path.clone().into() };
        let connect = Socket::TcpSocket { host: host.to_owned().into(), port };
        self.session().request_port_forward(ForwardType::Local, listen, connect).await?;
        Ok(UnixStream::connect(path).await?)
    }

    /// Why the way on ended, when it was the jump host that could not connect.
    pub(crate) fn refusal(&self, hop: &Hop) -> Option<Failure> {
        let talk = self.talk.borrow();
        let line = talk.line("open failed: ")?;
        let reason = line.split_once("open failed: ").map_or(line, |(_, reason)| reason);
        let message = format!("no connection to {} from the jump host: {reason}", hop.place());
        Some(Failure::new(FailureClass::Connect, message))
    }
}

// === impl Hop ===

impl Hop {
    /// Who looks at the server's key: ssh itself where known_hosts decides, for it knows authorities too.
    fn guard(&self) -> Guard {
        if self.keys.rule.is_some() { Guard::Here(self.keys.clone()) } else { Guard::Engine }
    }
}

/// As ssh names them; an RSA key signs in three ways.
fn algorithms(kinds: &[Algorithm]) -> String {
    let name = |kind: &Algorithm| match kind {
        Algorithm::Rsa { .. } => "rsa-sha2-512,rsa-sha2-256,ssh-rsa".to_owned(),
        other => other.to_string(),
    };
    kinds.iter().map(name).collect::<Vec<_>>().join(",")
}
