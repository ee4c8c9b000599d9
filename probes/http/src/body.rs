//! Bodies on their way: the request's in small frames that mark when they left, the answer's up to a bound.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http_body::{Body, Frame, SizeHint};
use tokio::{io::AsyncReadExt, time::Instant};
use tokio_util::io::StreamReader;

use crate::decode::Encoding;

/// Small enough that the last frame leaves when nearly all of the body has: in one frame, the time of a slow upload
/// would be taken for waiting.
const FRAME: usize = 16 << 10;

/// When the last byte of a request was handed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<Mutex<Option<Instant>>>);

/// A request's body that marks its end.
#[derive(Debug)]
pub(crate) struct MarkedBody {
    rest: Bytes,
    sent: Sent,
}

/// An answer's body, as much of it as may be kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Its bytes, decoded.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more, which was not read.
    pub(crate) cut: bool,
    /// How many bytes were taken from the wire.
    pub(crate) wire: usize,
    /// How they were encoded.
    pub(crate) encoding: Option<Encoding>,
}

/// Why a body could not be read to its end.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It stopped coming.
    Transport(reqwest::Error),
    /// It is not what its head says.
    Encoding(Encoding, io::Error),
}

// === impl Sent ===

impl Sent {
    /// The mark, once there is one.
    pub(crate) fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

// === impl MarkedBody ===

impl MarkedBody {
    /// Sends `bytes`, and marks into `sent`.
    pub(crate) const fn new(bytes: Bytes, sent: Sent) -> Self {
        Self { rest: bytes, sent }
    }
}

impl Body for MarkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.rest.len().min(FRAME);
        let frame = self.rest.split_to(length);
        self.sent.mark();
        Poll::Ready((length > 0).then(|| Ok(Frame::data(frame))))
    }

    // Of an empty body nothing else is asked, and that when the head is written.
    fn is_end_stream(&self) -> bool {
        if self.rest.is_empty() && self.sent.at().is_none() {
            self.sent.mark();
        }
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

// === impl Received ===

impl Received {
    /// Reads until the end, or until `most` decoded bytes are there; what came before an error stays.
    pub(crate) async fn read(&mut self, response: &mut reqwest::Response, most: usize) -> Result<(), ReadError> {
        match self.encoding {
            None => self.read_plain(response, most).await.map_err(ReadError::Transport),
            Some(encoding) => self.read_encoded(response, most, encoding).await,
        }
    }

    async fn read_plain(&mut self, response: &mut reqwest::Response, most: usize) -> Result<(), reqwest::Error> {
        while let Some(chunk) = response.chunk().await? {
            let room = most - self.bytes.len();
            self.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            self.wire = self.bytes.len();
            if chunk.len() > room {
                self.cut = true;
                break;
            }
        }
        Ok(())
    }

    async fn read_encoded(
        &mut self,
        response: &mut reqwest::Response,
        most: usize,
        encoding: Encoding,
    ) -> Result<(), ReadError> {
        // An empty body is empty in every encoding: an answer to HEAD, a 304.
        let Some(first) = response.chunk().await.map_err(ReadError::Transport)? else { return Ok(()) };
        self.wire = first.len();
        let begin = first.clone();
        let rest = stream::try_unfold((&mut *response, &mut self.wire), |(response, wire)| async {
            let chunk = response.chunk().await.map_err(io::Error::other)?;
            io::Result::Ok(chunk.map(|chunk| {
                *wire += chunk.len();
                (chunk, (response, wire))
            }))
        });
        let chunks = pin!(stream::once(future::ready(Ok(first))).chain(rest));
        let mut decoded = encoding.decoded(&begin, StreamReader::new(chunks)).take(most as u64 + 1);
        let read = decoded.read_to_end(&mut self.bytes).await;
        drop(decoded);
        if self.bytes.len() > most {
            self.bytes.truncate(most);
            self.cut = true;
            return Ok(());
        }
        match read {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.downcast::<reqwest::Error>() {
                Ok(error) => ReadError::Transport(error),
                Err(error) => ReadError::Encoding(encoding, error),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    fn next(body: &mut MarkedBody) -> Option<usize> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map(Bytes::len),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_body_leaves_in_small_frames_and_marks_the_last() {
        let sent = Sent::default();
        let mut body = MarkedBody::new(Bytes::from(vec![0; FRAME + 1]), sent.clone());
        assert!(!body.is_end_stream());
        assert_eq!(sent.at(), None);
        assert_eq!((next(&mut body), next(&mut body), next(&mut body)), (Some(FRAME), Some(1), None));
        assert!(sent.at().is_some());
    }

    #[tokio::test]
    async fn an_empty_body_is_sent_with_the_head() {
        let sent = Sent::default();
        assert!(MarkedBody::new(Bytes::new(), sent.clone()).is_end_stream());
        assert!(sent.at().is_some());
    }
}
