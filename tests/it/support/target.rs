//! Targets that do as they are told with each connection, and note when.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{script::Script, seen::Note};
pub(crate) use super::{
    script::{Act, answer, redirect},
    seen::{Received, Seen},
};

/// A target on a port of its own.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What a target does.
#[derive(Clone)]
struct Play {
    tls: Option<(Arc<ServerConfig>, Duration)>,
    script: Script,
}

// === impl Target ===

impl Target {
    /// One that reads a request and then does what `script` says.
    pub(crate) async fn answering(script: impl Fn(&Received) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::start(listener(), Play { tls: None, script: Script::Answer(Arc::new(script)) })
    }

    /// One that does the same whatever is asked.
    pub(crate) async fn always(acts: Vec<Act>) -> Self {
        Self::answering(move |_| acts.clone()).await
    }

    /// One that does not even read what is asked.
    pub(crate) async fn blind(acts: Vec<Act>) -> Self {
        Self::start(listener(), Play { tls: None, script: Script::Blind(acts) })
    }

    /// One that begins each connection with a handshake, after a pause.
    pub(crate) async fn secure(
        config: Arc<ServerConfig>,
        pause: Duration,
        script: impl Fn(&Received) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::start(listener(), Play { tls: Some((config, pause)), script: Script::Answer(Arc::new(script)) })
    }

    /// One on this socket.
    pub(crate) fn on(listener: TcpListener, script: impl Fn(&Received) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::start(listener, Play { tls: None, script: Script::Answer(Arc::new(script)) })
    }

    fn start(listener: TcpListener, play: Play) -> Self {
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let all = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let note = Note::new(&all, peer);
                let play = play.clone();
                tokio::spawn(async move {
                    // The other end may be gone at any moment.
                    let _ = play.connection(stream, &note).await;
                    note.write(|seen, now| seen.closed = Some(now));
                });
            }
        });
        Self { address, seen }
    }

    /// The connections so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only connection so far, when it is closed.
    pub(crate) async fn closed(&self) -> Seen {
        let closed = async {
            loop {
                if let [seen] = self.seen().as_slice()
                    && seen.closed.is_some()
                {
                    return seen.clone();
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(5), closed).await.expect("the connection is closed")
    }

    /// `http://127.0.0.1:port` and the path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

// === impl Play ===

impl Play {
    async fn connection(self, stream: TcpStream, note: &Note) -> io::Result<()> {
        // Else the kernel would hold a small write back, and what is stamped had not been said.
        stream.set_nodelay(true)?;
        match self.tls {
            None => self.script.play(stream, note).await,
            Some((config, pause)) => {
                sleep(pause).await;
                let secured = TlsAcceptor::from(config).accept(stream).await;
                note.write(|seen, now| seen.secured = Some(now));
                self.script.play(secured?, note).await
            }
        }
    }
}

fn listener() -> TcpListener {
    bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1_024).expect("a port")
}

/// A listener with room for so many connections that were not accepted yet.
pub(crate) fn bind(address: SocketAddr, room: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(address)?;
    socket.listen(room)
}
