//! A session of the ssh program: it logs in over a connection that we made, and stays for commands and ways on.
//!
//! `ProxyCommand=-` gives it a socket of ours in place of one of its own. So it ends when we do, its address is the one
//! that we measured, and what it says and hears in the clear gives the phases.

use std::path::PathBuf;

use openssh::{ForwardType, Session, Socket};
use probe_core::{BoxFuture, Failure, FailureClass, Op, Span};
use tokio::{net::UnixStream, process::Child, sync::watch, task::JoinSet, time::Instant};

use crate::{
    failure,
    phases::Phases,
    program::{Journey, Program},
    route::Hop,
    scratch::Desk,
    talk::Talk,
    tcp,
    wire::{Guard, Marks, Stream, Wire},
};

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
        let started = Program::start(self, hop).await;
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
        let Program { child, connection, first, mut talk, listening, socket, desk } = started;
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
