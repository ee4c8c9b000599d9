//! Asking a running daemon, through the socket in its state directory.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::{net::UnixStream, time};

use super::SOCKET;

/// A daemon that takes longer to answer does not live.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// Nobody is there.
    #[error("no daemon answers at {}: {error}; --state-dir says where it keeps its state", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
        /// What came of it.
        error: io::Error,
    },
    /// It was there, and then it was not.
    #[error("the daemon at {} does not answer: {why}", path.display())]
    Mute {
        /// The socket.
        path: PathBuf,
        /// What came of it.
        why: String,
    },
}

/// Asks the daemon of this state directory; gives the status and the body.
///
/// # Errors
/// There is none, or it does not answer.
pub async fn ask(state: &Path, method: Method, target: &str) -> Result<(StatusCode, String), AskError> {
    let path = state.join(SOCKET);
    let stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        Err(error) => return Err(AskError::Nobody { path, error }),
    };
    let asked = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost");
        let request = request.body(Empty::<Bytes>::new()).unwrap_or_default();
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        tokio::select! {
            answered = exchange => answered,
            ended = connection => Err(ended.err().map_or_else(|| "it hung up".into(), Into::into)),
        }
    };
    let answered: Result<_, Box<dyn std::error::Error + Send + Sync>> =
        time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err("it took too long".into()));
    answered.map_err(|why| AskError::Mute { path, why: why.to_string() })
}
