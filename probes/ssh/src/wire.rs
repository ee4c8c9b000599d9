//! A connection carried between a server and whoever speaks ssh for us, and what is seen of it on the way.
//!
//! Both engines, the library in this process and the ssh program beside it, talk through here. So their phases are taken
//! in one way, and they end with us: when the carrier goes, even by `kill -9`, they read the end of their connection.

use std::{
    fmt,
    io::{self, ErrorKind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use probe_core::{Failure, FailureClass};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    task::JoinSet,
    time::{self, Instant},
};

use crate::{
    host_key::{HostKey, HostKeys},
    plain::{Plain, Seen},
};

/// So much of what a server says before its identification is kept, in lines.
const LINES: usize = 4;

/// Longer than an engine in this process takes to end a connection, and too short to be seen in a run.
const FAREWELL: Duration = Duration::from_millis(20);

/// A stream of bytes: TCP, a way through a jump host, or one to an engine.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Who may be at the other end.
#[derive(Clone, Debug)]
pub(crate) enum Guard {
    /// The keys are looked at here, before the engine sees them.
    Here(HostKeys),
    /// The engine looks at them itself.
    Engine,
}

/// A connection under way. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Wire {
    marks: Marks,
    carrier: JoinSet<()>,
}

/// What was seen of a connection. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(Arc<Mutex<Noted>>);

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// What the server said before its identification.
    pub(crate) lines: Vec<String>,
    /// The server's identification, and when it was there.
    pub(crate) identified: Option<(String, Instant)>,
    /// The key exchange that both sides agreed on.
    pub(crate) exchange: Option<String>,
    /// The key that the server showed.
    pub(crate) host_key: Option<HostKey>,
    /// When both sides had new keys.
    pub(crate) encrypted: Option<Instant>,
    /// Why the connection was ended from here.
    pub(crate) refused: Option<Failure>,
    /// How the server ended it: an error of the connection, or none.
    pub(crate) closed: Option<Option<ErrorKind>>,
    offered: [Option<Vec<String>>; 2],
    new_keys: [bool; 2],
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ToServer,
    FromServer,
}

// === impl Wire ===

impl Wire {
    /// Carries bytes between `server` and `engine`, which has said `first` already.
    pub(crate) fn carry(
        server: impl Stream + 'static,
        engine: impl Stream + 'static,
        first: Vec<u8>,
        guard: Guard,
    ) -> Self {
        let marks = Marks::default();
        let mut carrier = JoinSet::new();
        carrier.spawn(carry(server, engine, first, guard, marks.clone()));
        Self { marks, carrier }
    }

    /// What was seen so far, and what will be.
    pub(crate) fn marks(&self) -> Marks {
        self.marks.clone()
    }

    /// Waits until the last words of the engine are on their way: it is about to end the connection.
    pub(crate) async fn ended(mut self) {
        let _ = time::timeout(FAREWELL, self.carrier.join_next()).await;
    }
}

// === impl Marks ===

impl Marks {
    /// What was seen so far.
    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Noted ===

impl Noted {
    /// Notes what went by; the connection ends with a failure.
    fn note(&mut self, way: Way, seen: Seen, guard: &Guard) -> Result<(), Failure> {
        match (seen, way) {
            (Seen::Line(line), Way::FromServer) if self.lines.len() < LINES => self.lines.push(line),
            (Seen::Identification(text), Way::FromServer) => self.identified = Some((text, Instant::now())),
            (Seen::Exchanges(list), way) => {
                self.offered[way as usize] = Some(list);
                self.exchange = self.agreed();
            }
            (Seen::Reply { group_exchange, key }, Way::FromServer) => {
                // Message 31 is a key's in every exchange but this one, where it is a group's.
                let by_group = self.exchange.as_ref().is_some_and(|name| name.contains("group-exchange"));
                if group_exchange || !by_group {
                    let shown = HostKey::new(&key);
                    let checked = guard.check(&shown);
                    self.host_key = Some(shown);
                    checked?;
                }
            }
            (Seen::NewKeys, way) => {
                if way == Way::FromServer && self.host_key.is_none() {
                    guard.unseen()?;
                }
                self.new_keys[way as usize] = true;
                if self.new_keys == [true, true] {
                    self.encrypted = Some(Instant::now());
                }
            }
            (Seen::Garbled, Way::FromServer) => guard.unseen()?,
            _ => {}
        }
        Ok(())
    }

    /// The first of ours that the server has too (RFC 4253, 7.1).
    fn agreed(&self) -> Option<String> {
        let [ours, theirs] = &self.offered;
        ours.as_ref()?.iter().find(|name| theirs.as_ref().is_some_and(|theirs| theirs.contains(name))).cloned()
    }
}

// === impl Guard ===

impl Guard {
    fn check(&self, shown: &HostKey) -> Result<(), Failure> {
        match self {
            Self::Here(keys) => keys.check(shown),
            Self::Engine => Ok(()),
        }
    }

    /// Nothing that was not looked at goes by where the looking is done here.
    fn unseen(&self) -> Result<(), Failure> {
        match self {
            Self::Here(keys) => {
                let message = format!("{} does not exchange keys as SSH does: no host key could be seen", keys.place());
                Err(Failure::new(FailureClass::Protocol, message))
            }
            Self::Engine => Ok(()),
        }
    }
}

async fn carry(server: impl Stream, engine: impl Stream, first: Vec<u8>, guard: Guard, marks: Marks) {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_engine, mut to_engine) = tokio::io::split(engine);
    let out = async {
        let mut plain = Plain::default();
        look(&mut plain, Way::ToServer, &first, &guard, &marks)?;
        to_server.write_all(&first).await?;
        pump(&mut from_engine, &mut to_server, plain, Way::ToServer, &guard, &marks).await
    };
    let back = pump(&mut from_server, &mut to_engine, Plain::default(), Way::FromServer, &guard, &marks);
    // Whichever side ends it: all that it said has been handed on, and the rest is of no use to the other.
    tokio::select! {
        _ = out => {}
        ended = back => marks.noted().closed = Some(ended.err().map(|error| error.kind())),
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut plain: Plain,
    way: Way,
    guard: &Guard,
    marks: &Marks,
) -> io::Result<()> {
    let mut buffer = vec![0; 8 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        look(&mut plain, way, &buffer[..read], guard, marks)?;
        to.write_all(&buffer[..read]).await?;
    }
}

/// Looks at bytes before they are handed on: what is refused never gets there.
fn look(plain: &mut Plain, way: Way, bytes: &[u8], guard: &Guard, marks: &Marks) -> io::Result<()> {
    for seen in plain.feed(bytes) {
        let mut noted = marks.noted();
        if let Err(failure) = noted.note(way, seen, guard) {
            noted.refused = Some(failure);
            return Err(ErrorKind::PermissionDenied.into());
        }
    }
    Ok(())
}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
