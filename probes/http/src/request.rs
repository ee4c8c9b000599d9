//! A request, compiled: at run time nothing of it can fail to parse.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use probe_core::Secret;
use probe_keys::{Findings, Placed, Spot, Text};
use url::Url;

use crate::{
    RequestKeys,
    keys::{Body, Scalar},
};

/// What the target's log should say of us.
const OWN_NAME: &str = concat!("SentryNet/", env!("CARGO_PKG_VERSION"), " (+uptime probe)");

/// One request, ready to be sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Without credentials and without a fragment.
    pub(crate) url: Url,
    /// Those that must not reach another host are marked sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Request ===

impl Request {
    /// Compiles what was written; every mistake is noted at its place.
    pub(crate) fn compile(keys: &RequestKeys, findings: &Findings) -> Option<Self> {
        let url = url(keys, findings);
        let headers = headers(keys, findings);
        let (mut url, mut headers) = (url?, headers?);
        if let Some(credentials) = credentials(&mut url, findings) {
            headers.entry(AUTHORIZATION).or_insert(credentials);
        }
        let body = match &keys.body {
            None => Bytes::new(),
            Some(Body::Text(text)) => Bytes::from(text.text.clone()),
            Some(Body::Json(json)) => {
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
                Bytes::from(json.to_string())
            }
        };
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OWN_NAME));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        let usual = if keys.body.is_some() { Method::POST } else { Method::GET };
        let method = keys.method.as_ref().map_or(usual, |method| method.0.clone());
        Some(Self { method, url, headers, body })
    }

    /// What a person reads, secrets cut: `GET https://host/path`.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.method, shown(&self.url))
    }

    /// The host as it is written in the URL.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, the scheme's own when none is written.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path, a query, a body may hold a secret.
        f.debug_struct("Request").field("method", &self.method).field("host", &self.host()).finish_non_exhaustive()
    }
}

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

fn url(keys: &RequestKeys, findings: &Findings) -> Option<Url> {
    let Placed { value: written, spot } = &keys.url;
    let mut url = match Url::parse(written.text.trim()) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            findings.wrong_with(spot, "this URL has no scheme", "write it whole: https://host/path");
            return None;
        }
        Err(error) => {
            findings.wrong(spot, format!("this is not a URL: {error}"));
            return None;
        }
    };
    if let Err(reason) = check_url(&url) {
        // `localhost:8080/x` is a URL of the scheme `localhost`.
        match written.text.contains("://") {
            true => findings.wrong(spot, reason),
            false => findings.wrong_with(spot, reason, "write it whole: https://host/path"),
        }
        return None;
    }
    url.set_fragment(None);
    for (name, values) in keys.query.iter().flat_map(|query| &query.0) {
        for Scalar(value) in &values.0 {
            url.query_pairs_mut().append_pair(&name.value, &value.text);
        }
    }
    Some(url)
}

/// Takes user and password out of the URL, as a header's value (RFC 7617).
fn credentials(url: &mut Url, findings: &Findings) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    // Neither can fail: the URL has a host.
    let _ = (url.set_username(""), url.set_password(None));
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    findings.secret(Secret::new(&encoded));
    findings.secret(Secret::new(password));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn headers(keys: &RequestKeys, findings: &Findings) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut sound = true;
    for (name, value) in keys.headers.iter().flat_map(|headers| &headers.0) {
        let name = header_name(&name.value, &name.spot, findings);
        let value = name.as_ref().and_then(|name| header_value(name, &value.value.0, &value.spot, findings));
        match name.zip(value) {
            Some((name, value)) => {
                headers.append(name, value);
            }
            None => sound = false,
        }
    }
    sound.then_some(headers)
}

fn header_name(written: &str, spot: &Spot, findings: &Findings) -> Option<HeaderName> {
    match HeaderName::from_bytes(written.as_bytes()) {
        Ok(name) if name == CONTENT_LENGTH || name == "transfer-encoding" => {
            findings.wrong(spot, format!("`{name}` follows from the body and cannot be set"));
            None
        }
        Ok(name) => Some(name),
        Err(_) => {
            findings.wrong(spot, format!("{written:?} is not the name of a header"));
            None
        }
    }
}

fn header_value(name: &HeaderName, text: &Text, spot: &Spot, findings: &Findings) -> Option<HeaderValue> {
    let Ok(mut value) = HeaderValue::from_str(&text.text) else {
        // What a header cannot hold is not shown: it may be a secret with a newline at its end.
        findings.wrong(spot, format!("the value of `{name}` has characters that no header can hold"));
        return None;
    };
    let credential = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) || name == "x-api-key";
    if credential {
        tell_secrets(name, &text.text, findings);
    }
    value.set_sensitive(credential || text.is_secret());
    Some(value)
}

/// The whole value, and the part of it that is the secret: after the scheme, after a cookie's name.
fn tell_secrets(name: &HeaderName, value: &str, findings: &Findings) {
    findings.secret(Secret::new(value));
    if *name == COOKIE {
        let values = value.split(';').filter_map(|cookie| cookie.split_once('='));
        values.for_each(|(_, value)| findings.secret(Secret::new(value.trim())));
    } else if let Some((_, credentials)) = value.split_once(' ') {
        findings.secret(Secret::new(credentials.trim()));
    }
}
