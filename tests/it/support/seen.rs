//! What a target saw of each connection, and when.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names as they were written on the wire.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A connection as the target saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) peer: SocketAddr,
    pub(crate) accepted: Instant,
    /// When the handshake was over, well or not.
    pub(crate) secured: Option<Instant>,
    pub(crate) request: Received,
    /// When the request had come.
    pub(crate) read: Option<Instant>,
    /// When each act was done.
    pub(crate) acts: Vec<Instant>,
    /// Bytes of floods and drips.
    pub(crate) poured: usize,
    pub(crate) closed: Option<Instant>,
}

/// Where a connection is noted.
pub(crate) struct Note {
    all: Arc<Mutex<Vec<Seen>>>,
    number: usize,
}

// === impl Received ===

impl Received {
    /// A header's value; the first when there are several.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

// === impl Note ===

impl Note {
    /// A connection that was accepted now.
    pub(crate) fn new(all: &Arc<Mutex<Vec<Seen>>>, peer: SocketAddr) -> Self {
        let mut seen = all.lock().unwrap();
        seen.push(Seen {
            peer,
            accepted: Instant::now(),
            secured: None,
            request: Received::default(),
            read: None,
            acts: Vec::new(),
            poured: 0,
            closed: None,
        });
        Self { all: all.clone(), number: seen.len() - 1 }
    }

    /// Notes what happened now.
    pub(crate) fn write(&self, write: impl FnOnce(&mut Seen, Instant)) {
        let now = Instant::now();
        write(&mut self.all.lock().unwrap()[self.number], now);
    }
}
