//! Small proxies of our own: SOCKS5 (RFC 1928, 1929), and CONNECT by TLS.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A proxy on a port of its own, and whom it was asked for.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

type Asked = Arc<Mutex<Vec<String>>>;

// === impl Proxy ===

impl Proxy {
    /// One that speaks SOCKS5, to those only who know these credentials.
    pub(super) async fn socks(credentials: Option<(&'static str, &'static str)>) -> Self {
        Self::start(move |stream, asked| socks(stream, credentials, asked)).await
    }

    /// One that is asked by TLS.
    pub(super) async fn secure(config: Arc<ServerConfig>) -> Self {
        let acceptor = TlsAcceptor::from(config);
        Self::start(move |stream, asked| {
            let acceptor = acceptor.clone();
            async move { connect(acceptor.accept(stream).await?, asked).await }
        })
        .await
    }

    async fn start<F>(serve: impl Fn(TcpStream, Asked) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Asked::default();
        let shared = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, asked }
    }

    /// The targets it was asked for, as `host:port`.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn socks(mut client: TcpStream, credentials: Option<(&str, &str)>, asked: Asked) -> io::Result<()> {
    let methods = block(&mut client, 1).await?;
    let method = if credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]).await;
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = credentials {
        let given = (block(&mut client, 1).await?, block(&mut client, 0).await?);
        let known = given == (user.as_bytes().to_vec(), password.as_bytes().to_vec());
        client.write_all(&[1, u8::from(!known)]).await?;
        if !known {
            return Ok(());
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        _ => String::from_utf8_lossy(&block(&mut client, 0).await?).into_owned(),
    };
    let port = client.read_u16().await?;
    asked.lock().unwrap().push(format!("{host}:{port}"));
    // Every name is this machine.
    let mut target = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut target).await.map(drop)
}

/// So many bytes, then a length and as many bytes as that says.
async fn block(client: &mut TcpStream, before: usize) -> io::Result<Vec<u8>> {
    client.read_exact(&mut vec![0; before]).await?;
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn connect(mut client: impl AsyncRead + AsyncWrite + Unpin, asked: Asked) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let to = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(to.clone());
    let mut target = TcpStream::connect(to).await?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut target).await.map(drop)
}
