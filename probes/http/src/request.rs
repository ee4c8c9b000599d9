//! A request: made of values once, then it can be sent, and nothing of it can fail to parse.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, PROXY_AUTHORIZATION, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use probe_core::{Failure, FailureClass, Secret};
use url::{Url, form_urlencoded};

use crate::{
    asked::{Asked, AskedHeader, Part, Payload, Refusal},
    auth::{self, Auth},
    decode, named,
    target::{check_url, shown},
};

/// What the target's log should say of us.
const OWN_NAME: &str = concat!("SentryNet/", env!("CARGO_PKG_VERSION"), " (+uptime probe)");

/// One request, ready to be sent.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    /// Without credentials and without a fragment.
    pub(crate) url: Url,
    /// Those that must not reach another host are marked sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What is secret in query and body for the name it stands under.
    pub(crate) named: Vec<Secret>,
}

// === impl Request ===

impl Request {
    /// A request of these values.
    ///
    /// # Errors
    /// Of class `body`: the values came with an earlier answer, or from a key that holds something else than the request
    /// can use.
    pub fn new(asked: Asked) -> Result<Self, Failure> {
        Self::build(asked).map_err(|refusals| {
            let reasons: Vec<String> = refusals.into_iter().map(|refusal| refusal.reason).collect();
            Failure::new(FailureClass::Body, format!("the request cannot be made: {}", reasons.join("; ")))
        })
    }

    /// The same, with every reason.
    ///
    /// # Errors
    /// Everything that is wrong with the values.
    pub fn build(asked: Asked) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let url = url(&asked).map_err(|refusal| refusals.push(refusal)).ok();
        let mut headers = headers(&asked.headers, &mut refusals);
        let Some(mut url) = url else { return Err(refusals) };

        let in_url = credentials(&mut url);
        let in_auth = asked.auth.as_ref().and_then(|auth| match auth {
            Auth::Basic { username, password } => auth::basic(username, password.expose()),
            Auth::Bearer(token) => auth::bearer(token),
        });
        let refuse = |reason: &str| Refusal { part: Part::Auth, reason: reason.to_owned(), hint: None };
        refusals.extend(match asked.auth {
            None => None,
            Some(_) if in_url.is_some() => Some(refuse("there are credentials in the URL already")),
            Some(_) if headers.contains_key(AUTHORIZATION) => {
                Some(refuse("there is an `authorization` header already"))
            }
            Some(Auth::Basic { username, .. }) if username.contains(':') => {
                Some(refuse("a user name with a colon in it cannot be sent (RFC 7617, 2)"))
            }
            Some(_) if in_auth.is_none() => Some(refuse("this token is nothing that a header can hold")),
            Some(_) => None,
        });
        if !refusals.is_empty() {
            return Err(refusals);
        }
        if let Some(credentials) = in_url.or(in_auth) {
            headers.entry(AUTHORIZATION).or_insert(credentials);
        }

        let usual = if matches!(asked.body, Payload::Empty) { Method::GET } else { Method::POST };
        let named = named::secrets(&url, &asked.body);
        let (body, kind) = match asked.body {
            Payload::Empty => (Bytes::new(), None),
            Payload::Text(text) => (Bytes::from(text), None),
            Payload::Json(json) => (Bytes::from(json.to_string()), Some("application/json")),
            Payload::Form(fields) => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                (Bytes::from(form), Some("application/x-www-form-urlencoded"))
            }
        };
        let own = [
            (USER_AGENT, Some(OWN_NAME)),
            (ACCEPT, Some("*/*")),
            (ACCEPT_ENCODING, Some(decode::ACCEPTED)),
            (CONTENT_TYPE, kind),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                headers.entry(name).or_insert(HeaderValue::from_static(value));
            }
        }
        let method = asked.method.unwrap_or(usual);
        // That nothing comes is said where something is expected (RFC 9110, 8.6).
        if body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(Self { method, url, headers, body, named })
    }

    /// What in it must not be shown: credentials, in the forms in which they are sent, and what stands under a name that
    /// speaks of a secret.
    pub fn secrets(&self) -> Vec<Secret> {
        let of = |(name, value)| auth::secrets(name, value);
        self.headers
            .iter()
            .filter(|(name, _)| auth::is_credential(name))
            .flat_map(of)
            .chain(self.named.iter().cloned())
            .collect()
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// What a person reads, secrets cut: `GET https://host/path`.
    pub fn shown(&self) -> String {
        format!("{} {}", self.method, shown(&self.url))
    }

    /// The host as it is written in the URL.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, the scheme's own when none is written.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Whether it says who asks.
    pub fn is_authorized(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// The same with this token.
    pub(crate) fn with_token(&self, token: &Secret) -> Self {
        let mut request = self.clone();
        // None cannot be: a token that no header can hold is not taken for one.
        if let Some(bearer) = auth::bearer(token) {
            request.headers.insert(AUTHORIZATION, bearer);
        }
        request
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path, a query, a body may hold a secret.
        f.debug_struct("Request").field("method", &self.method).field("host", &self.host()).finish_non_exhaustive()
    }
}

fn url(asked: &Asked) -> Result<Url, Refusal> {
    const WHOLE: &str = "write it whole: https://host/path";
    let refuse = |reason: String, hint| Refusal { part: Part::Url, reason, hint };
    let mut url = Url::parse(asked.url.trim()).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => refuse("this URL has no scheme".to_owned(), Some(WHOLE)),
        error => refuse(format!("this is not a URL: {error}"), None),
    })?;
    // `localhost:8080/x` is a URL of the scheme `localhost`.
    check_url(&url).map_err(|reason| refuse(reason, (!asked.url.contains("://")).then_some(WHOLE)))?;
    url.set_fragment(None);
    if !asked.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&asked.query);
    }
    Ok(url)
}

/// Takes user and password out of the URL, as a header's value.
fn credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    // Neither can fail: the URL has a host.
    let _ = (url.set_username(""), url.set_password(None));
    auth::basic(&user, &password)
}

fn headers(asked: &[AskedHeader], refusals: &mut Vec<Refusal>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut refuse = |part, reason| refusals.push(Refusal { part, reason, hint: None });
    for (index, AskedHeader { name, value, secret }) in asked.iter().enumerate() {
        let name = match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if name == PROXY_AUTHORIZATION => {
                // Through a tunnel, the target would get it.
                refuse(Part::HeaderName(index), "user and password for a proxy stand in the URL of `proxy`".to_owned());
                continue;
            }
            Ok(name) if name == CONTENT_LENGTH || name == "transfer-encoding" => {
                refuse(Part::HeaderName(index), format!("`{name}` follows from the body and cannot be set"));
                continue;
            }
            Ok(name) => name,
            Err(_) => {
                refuse(Part::HeaderName(index), format!("{name:?} is not the name of a header"));
                continue;
            }
        };
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(*secret || auth::is_credential(&name));
                headers.append(name, value);
            }
            // What a header cannot hold is not shown: it may be a secret with a newline at its end.
            Err(_) => refuse(
                Part::HeaderValue(index),
                format!("the value of `{name}` has characters that no header can hold"),
            ),
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> Asked {
        Asked { url: url.to_owned(), ..Asked::default() }
    }

    fn header(name: &str, value: &str) -> AskedHeader {
        AskedHeader { name: name.to_owned(), value: value.to_owned(), secret: false }
    }

    #[test]
    fn a_body_brings_its_method_and_its_content_type() {
        let form = Payload::Form(vec![("a".into(), "1 2".into()), ("a".into(), "&".into())]);
        for (body, method, kind, bytes) in [
            (Payload::Empty, Method::GET, None, ""),
            (Payload::Text("x".into()), Method::POST, None, "x"),
            (Payload::Json(serde_json::json!({"a": 1})), Method::POST, Some("application/json"), "{\"a\":1}"),
            (form, Method::POST, Some("application/x-www-form-urlencoded"), "a=1+2&a=%26"),
        ] {
            let request = Request::new(Asked { body, ..asked("http://h/") }).unwrap();
            let found = request.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
            assert_eq!((&request.method, found, &*request.body), (&method, kind, bytes.as_bytes()));
        }
    }

    #[test]
    fn a_query_is_added_to_the_urls_own() {
        let query = vec![("b".into(), "x y".into()), ("b".into(), "ü".into())];
        let request = Request::new(Asked { query, ..asked("http://h/p?a=1#top") }).unwrap();
        assert_eq!(request.url.as_str(), "http://h/p?a=1&b=x+y&b=%C3%BC");
    }

    #[test]
    fn credentials_come_once() {
        let request = Request::new(asked("http://me:p%40ss@h/")).unwrap();
        assert_eq!(request.url.as_str(), "http://h/");
        let secrets = request.secrets();
        assert!(secrets.iter().any(|secret| secret.expose() == "p@ss"));
        let auth = Some(Auth::Bearer(Secret::new("t")));
        for twice in [
            Asked { auth: auth.clone(), ..asked("http://me:x@h/") },
            Asked { auth, headers: vec![header("Authorization", "x")], ..asked("http://h/") },
        ] {
            assert_eq!(Request::build(twice).unwrap_err()[0].part, Part::Auth);
        }
    }

    #[test]
    fn every_refusal_is_told_and_no_value_of_a_header() {
        let headers = vec![header("a b", "x"), header("c", "s3cret\n"), header("content-length", "3")];
        let refusals = Request::build(Asked { headers: headers.clone(), ..asked("nowhere") }).unwrap_err();
        let parts: Vec<Part> = refusals.iter().map(|refusal| refusal.part).collect();
        assert_eq!(parts, [Part::Url, Part::HeaderName(0), Part::HeaderValue(1), Part::HeaderName(2)]);
        let failure = Request::new(Asked { headers, ..asked("http://h/") }).unwrap_err();
        assert_eq!(failure.class, FailureClass::Body);
        assert!(!failure.message.contains("s3cret"), "{failure}");
    }
}
