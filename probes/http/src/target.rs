//! URLs as targets: what can be asked, and what people are shown of it.

use std::net::IpAddr;

use http::Uri;
use url::Url;

/// A URL without its query: `https://host:8443/path`.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// A URL whose query has names and no values: `https://host/path?page=…`.
pub(crate) fn shown_whole(url: &Url) -> String {
    let mut whole = shown(url);
    for (index, (name, _)) in url.query_pairs().enumerate() {
        whole.push(if index == 0 { '?' } else { '&' });
        whole.push_str(&name);
        whole.push_str("=…");
    }
    whole
}

/// What a URL must be for us to ask it; the reason when it is not.
pub(crate) fn check_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the URL's scheme is `{}`, where only http and https can be asked", url.scheme()));
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be connected to".to_owned());
    }
    match Uri::try_from(url.as_str()) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the URL cannot be sent: {error}")),
    }
}

/// The address that a URL's host is, if it is one.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}
