//! What a target does with a connection, act by act.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use tokio_rustls::server::TlsStream;

use super::seen::{Note, Received};

/// One thing a target does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Nothing, for so long.
    Pause(Duration),
    /// Says this.
    Write(Vec<u8>),
    /// Says this again and again, as fast as it goes.
    Flood(Vec<u8>),
    /// Says this again and again, a byte at a time.
    Drip(Vec<u8>, Duration),
    /// Listens until anything comes.
    Read,
    /// Nothing, until the other end is gone.
    Hang,
    /// Resets the connection. Without it, a connection is closed after the last act.
    Reset,
}

type Acts = Arc<dyn Fn(&Received) -> Vec<Act> + Send + Sync>;

/// What a target does with a connection.
#[derive(Clone)]
pub(crate) enum Script {
    /// Whatever the request is: it is not read.
    Blind(Vec<Act>),
    /// After the request.
    Answer(Acts),
}

/// A connection, plain or not.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

// === impl Act ===

impl Act {
    /// Nothing, for so many milliseconds.
    pub(crate) const fn pause(milliseconds: u64) -> Self {
        Self::Pause(Duration::from_millis(milliseconds))
    }

    /// Says this.
    pub(crate) fn write(text: impl AsRef<[u8]>) -> Self {
        Self::Write(text.as_ref().to_vec())
    }
}

// === impl Script ===

impl Script {
    /// Does it, and closes the connection.
    pub(crate) async fn play(self, mut wire: impl Wire, note: &Note) -> io::Result<()> {
        let acts = match self {
            Self::Blind(acts) => acts,
            Self::Answer(script) => {
                let request = read(&mut wire).await?;
                let acts = script(&request);
                note.write(|seen, now| (seen.request, seen.read) = (request, Some(now)));
                acts
            }
        };
        for act in acts {
            match act {
                Act::Pause(duration) => sleep(duration).await,
                Act::Write(bytes) => {
                    wire.write_all(&bytes).await?;
                    wire.flush().await?;
                }
                Act::Flood(bytes) => loop {
                    wire.write_all(&bytes).await?;
                    note.write(|seen, _| seen.poured += bytes.len());
                },
                Act::Drip(bytes, pause) => {
                    for byte in bytes.iter().cycle() {
                        wire.write_all(&[*byte]).await?;
                        wire.flush().await?;
                        note.write(|seen, _| seen.poured += 1);
                        sleep(pause).await;
                    }
                }
                Act::Read => {
                    let _some = wire.read(&mut [0; 4_096]).await?;
                }
                Act::Hang => while wire.read(&mut [0; 1_024]).await? > 0 {},
                Act::Reset => {
                    wire.tcp().set_zero_linger()?;
                    note.write(|seen, now| seen.acts.push(now));
                    return Ok(());
                }
            }
            note.write(|seen, now| seen.acts.push(now));
        }
        wire.shutdown().await
    }
}

/// An answer with this status and body.
pub(crate) fn answer(status: u16, body: &str) -> Act {
    Act::write(format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

/// A redirect.
pub(crate) fn redirect(status: u16, location: &str) -> Act {
    Act::write(format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

async fn read(wire: &mut impl Wire) -> io::Result<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if wire.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim_start()));
    let mut received = Received {
        method: first.next().unwrap_or_default(),
        path: first.next().unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: bytes[end + 4..].to_vec(),
    };
    let length: usize = received.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while received.body.len() < length {
        if wire.read_buf(&mut received.body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(received)
}
