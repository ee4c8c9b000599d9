//! Bodies that come encoded (RFC 9110, 8.4.1): decoded as they come, so that what they grow to can be bounded.

use async_compression::{
    tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use http::{HeaderMap, header::CONTENT_ENCODING};
use tokio::io::{AsyncBufRead, AsyncRead};

/// What we can decode, as we say it to targets.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// The largest window that a target may ask for: 8 MB (RFC 9659, 3).
const ZSTD_WINDOW: u32 = 23;

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

// === impl Encoding ===

impl Encoding {
    /// The one that the head announces; none when there is none, or one that we do not know, or several.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
        let first = names.by_ref().find(|name| !name.is_empty() && name != "identity")?;
        let only = names.all(|name| name.is_empty() || name == "identity");
        match first.as_str() {
            "gzip" | "x-gzip" if only => Some(Self::Gzip),
            "deflate" if only => Some(Self::Deflate),
            "br" if only => Some(Self::Brotli),
            "zstd" if only => Some(Self::Zstd),
            _ => None,
        }
    }

    /// As heads announce it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// What `body`, which begins with `first`, was before it was encoded.
    pub(crate) fn decoded<'b>(
        self,
        first: &[u8],
        body: impl AsyncBufRead + Send + Unpin + 'b,
    ) -> Box<dyn AsyncRead + Send + Unpin + 'b> {
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(body);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Self::Deflate if is_zlib(first) => Box::new(ZlibDecoder::new(body)),
            // Without its wrapping, as old servers understood the word.
            Self::Deflate => Box::new(DeflateDecoder::new(body)),
            Self::Brotli => Box::new(BrotliDecoder::new(body)),
            Self::Zstd => Box::new(ZstdDecoder::with_params(body, &[DParameter::window_log_max(ZSTD_WINDOW)])),
        }
    }
}

/// Whether this is the head of a zlib stream (RFC 1950, 2.2): method 8, and the check bits right.
fn is_zlib(first: &[u8]) -> bool {
    match first {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        [method] => method & 0x0f == 8,
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    use http::HeaderValue;
    use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

    use super::*;

    async fn encoded(mut encoder: impl AsyncWrite + Unpin, text: &[u8]) {
        encoder.write_all(text).await.unwrap();
        encoder.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn each_encoding_is_undone_and_a_broken_one_noticed() {
        let text = "as it was ".repeat(500).into_bytes();
        let mut cases = Vec::new();
        let mut bytes = Vec::new();
        encoded(GzipEncoder::new(&mut bytes), &text).await;
        cases.push((Encoding::Gzip, std::mem::take(&mut bytes)));
        encoded(ZlibEncoder::new(&mut bytes), &text).await;
        cases.push((Encoding::Deflate, std::mem::take(&mut bytes)));
        encoded(DeflateEncoder::new(&mut bytes), &text).await;
        cases.push((Encoding::Deflate, std::mem::take(&mut bytes)));
        encoded(BrotliEncoder::new(&mut bytes), &text).await;
        cases.push((Encoding::Brotli, std::mem::take(&mut bytes)));
        encoded(ZstdEncoder::new(&mut bytes), &text).await;
        cases.push((Encoding::Zstd, bytes));
        for (encoding, bytes) in cases {
            let mut decoded = Vec::new();
            encoding.decoded(&bytes, bytes.as_slice()).read_to_end(&mut decoded).await.unwrap();
            assert_eq!(decoded, text, "{encoding:?}");
            let half = &bytes[..bytes.len() / 2];
            assert!(encoding.decoded(half, half).read_to_end(&mut decoded).await.is_err(), "{encoding:?}");
            let other = b"{\"plain\": true}".as_slice();
            assert!(encoding.decoded(other, other).read_to_end(&mut decoded).await.is_err(), "{encoding:?}");
        }
    }

    #[test]
    fn an_encoding_is_known_by_its_one_name() {
        for (value, want) in [
            ("gzip", Some(Encoding::Gzip)),
            ("X-GZIP", Some(Encoding::Gzip)),
            ("identity, br", Some(Encoding::Brotli)),
            ("identity", None),
            ("gzip, br", None),
            ("snappy", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(Encoding::of(&headers), want, "{value}");
        }
    }
}
