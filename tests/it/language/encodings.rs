//! Answers that come encoded, whole, broken, and far larger than they look.

use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use probe_core::FailureClass;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::support::{
    probe::probe,
    target::{Act, Target},
};

const BODY: &[u8] =
    b"{\"status\": \"ok\", \"padding\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";

/// How a body is encoded, and what the head calls it.
type Encoded = (&'static str, Vec<u8>);

async fn all(body: &[u8]) -> Vec<Encoded> {
    async fn finish(mut encoder: impl AsyncWrite + Unpin, body: &[u8]) {
        encoder.write_all(body).await.unwrap();
        encoder.shutdown().await.unwrap();
    }
    let mut out = [const { Vec::new() }; 5];
    let [gzip, zlib, deflate, brotli, zstd] = &mut out;
    finish(GzipEncoder::new(gzip), body).await;
    finish(ZlibEncoder::new(zlib), body).await;
    finish(DeflateEncoder::new(deflate), body).await;
    finish(BrotliEncoder::new(brotli), body).await;
    finish(ZstdEncoder::new(zstd), body).await;
    ["gzip", "deflate", "deflate", "br", "zstd"].into_iter().zip(out).collect()
}

async fn target((name, body): Encoded) -> Target {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {name}\r\ncontent-length: {}\r\n\r\n", body.len());
    Target::always(vec![Act::Write([head.into_bytes(), body].concat())]).await
}

#[tokio::test]
async fn an_encoded_body_is_read_and_its_size_is_that_on_the_wire() {
    for encoded in all(BODY).await {
        let (name, size) = (encoded.0, encoded.1.len());
        let target = target(encoded).await;
        let keys = "set_keys: {s: $.status}, assertions: {s: ok}";
        let ran = probe(&format!("url: '{}', {keys}", target.url("/"))).await;
        assert_eq!(ran.is_up().datum("http.recv", "http.response.body.size"), size.to_string(), "{name}");
        assert_eq!(ran.datum("http.recv", "http.response.body.decoded_size"), BODY.len().to_string(), "{name}");
        assert_eq!(ran.datum("http.recv", "http.response.body.encoding"), format!("\"{name}\""));
        let accepted = target.seen()[0].request.header("accept-encoding").map(str::to_owned);
        assert_eq!(accepted.as_deref(), Some("gzip, deflate, br, zstd"));
    }
}

#[tokio::test]
async fn a_broken_encoding_is_the_bodys_fault() {
    for (name, mut body) in all(BODY).await {
        body.truncate(body.len() / 2);
        let target = target((name, body)).await;
        let ran = probe(&format!("url: '{}'", target.url("/"))).await;
        let (class, phase, message) = ran.down();
        assert_eq!((class, phase), (FailureClass::Body, "http.recv"), "{name}");
        assert!(message.contains(&format!("is not {name}, as its head says: ")), "{message}");
        assert_eq!(ran.failure().excerpt.as_ref().map(|excerpt| excerpt.head.contains(name)), Some(true));
    }
    let target = target(("gzip", b"plain text".to_vec())).await;
    let ran = probe(&format!("url: '{}'", target.url("/"))).await;
    assert_eq!(ran.down().0, FailureClass::Body);
}

#[tokio::test]
async fn a_body_that_breaks_off_on_the_wire_is_the_connections_fault() {
    let (name, body) = all(BODY).await.remove(0);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {name}\r\ncontent-length: {}\r\n\r\n", body.len());
    let half = body[..20].to_vec();
    let target = Target::always(vec![Act::Write([head.into_bytes(), half].concat())]).await;
    let ran = probe(&format!("url: '{}'", target.url("/"))).await;
    assert_eq!(ran.down().0, FailureClass::Protocol);
    assert!(ran.failure().message.contains(&format!("after 20 of {} bytes", body.len())), "{}", ran.failure());
}

#[tokio::test]
async fn an_answer_without_a_body_may_announce_an_encoding() {
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\n";
    let target = Target::always(vec![Act::write(head)]).await;
    probe(&format!("url: '{}', method: head", target.url("/"))).await.is_up();
}

#[tokio::test]
async fn a_billion_zeros_stop_at_the_bound() {
    // Members of a gzip file follow each other (RFC 1952, 2.2).
    let bomb = all(&vec![0; 1 << 20]).await.remove(0).1.repeat(1_024);
    let before = resident();
    let target = target(("gzip", bomb)).await;
    let ran = probe(&format!("url: '{}', max_body: 64KiB", target.url("/"))).await;
    assert_eq!(ran.is_up().datum("http.recv", "http.response.body.decoded_size"), (64 << 10).to_string());
    assert_eq!(ran.datum("http.recv", "http.response.body.truncated"), "true");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "it took {grown} bytes");
}

/// Memory of this process, in bytes (proc(5), `statm`).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4_096
}
