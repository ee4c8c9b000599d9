//! Where an answer sends us, and what may come along.

use std::mem;

use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{
        CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, HOST, LOCATION, SET_COOKIE,
    },
};
use probe_core::{Failure, FailureClass};
use url::Url;

use crate::{
    exchange::Answer,
    request::Request,
    target::{check_url, shown, shown_whole},
};

/// The hops of one run: how many may follow, and where we have been.
#[derive(Debug)]
pub(crate) struct Trail {
    most: usize,
    seen: Vec<(Method, Url)>,
}

// === impl Trail ===

impl Trail {
    /// A trail of at most this many redirects.
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, seen: Vec::new() }
    }

    /// The next request; none when the answer is the last. With redirects off, a redirect is an answer like any other.
    pub(crate) fn next(&mut self, request: &Request, answer: &Answer) -> Result<Option<Request>, Failure> {
        let Some(location) = answer.headers.get(LOCATION).filter(|_| self.most > 0 && is_redirect(answer.status))
        else {
            return Ok(None);
        };
        let broken = |message: String| Failure::new(FailureClass::Redirect, message).excerpt(answer.excerpt());
        let location = String::from_utf8_lossy(location.as_bytes());
        let mut url = request
            .url
            .join(&location)
            .map_err(|error| broken(format!("{} redirects to what is not a URL: {error}", shown(&request.url))))?;
        check_url(&url)
            .map_err(|reason| broken(format!("{} redirects where we cannot follow: {reason}", shown(&request.url))))?;
        // Neither can fail: the URL has a host. Credentials that a target hands out are not ours to use.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_fragment(None);

        let next = follow(request, url, answer.status);
        self.seen.push((request.method.clone(), request.url.clone()));
        // With a cookie that it did not have before, it is another request.
        let same = |(method, url): &(Method, Url)| *method == next.method && *url == next.url;
        if !answer.headers.contains_key(SET_COOKIE) && self.seen.iter().any(same) {
            let (from, back) = (shown_whole(&request.url), shown_whole(&next.url));
            return Err(broken(format!("redirect loop: {from} redirects to {back}, where we have been")));
        }
        if self.seen.len() > self.most {
            let (most, to) = (self.most, shown_whole(&next.url));
            let failure = broken(format!("too many redirects: {most} were followed, and the next goes to {to}"));
            return Err(failure.expected(format!("at most {most} redirects"), "one more"));
        }
        Ok(Some(next))
    }
}

/// Those that name another place for the same thing (RFC 9110, 15.4).
const fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The request that the redirect asks for (Fetch, "HTTP-redirect fetch").
fn follow(request: &Request, url: Url, status: StatusCode) -> Request {
    let mut next = Request { url, ..request.clone() };
    let becomes_get = match status.as_u16() {
        301 | 302 => next.method == Method::POST,
        303 => next.method != Method::GET && next.method != Method::HEAD,
        _ => false,
    };
    if becomes_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION] {
            next.headers.remove(name);
        }
    }
    if !same_keeper(&request.url, &next.url) {
        let headers = mem::take(&mut next.headers);
        let mut last = None;
        for (name, value) in headers {
            // Only the first value of a name comes with it.
            last = name.or(last);
            if let Some(name) = last.as_ref().filter(|name| **name != HOST && !value.is_sensitive()) {
                next.headers.append(name.clone(), value);
            }
        }
    }
    next
}

/// Whether what is secret may go there too: the same host and port, or the same host by TLS instead.
pub(crate) fn same_keeper(from: &Url, to: &Url) -> bool {
    let same_port = from.port_or_known_default() == to.port_or_known_default();
    let kept_scheme = from.scheme() == to.scheme() && same_port;
    let upgraded = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    from.host_str() == to.host_str() && (kept_scheme || upgraded)
}

#[cfg(test)]
mod tests {
    use http::{
        HeaderMap, HeaderValue, Version,
        header::{AUTHORIZATION, USER_AGENT},
    };

    use super::*;
    use crate::body::Received;

    fn request(method: Method, url: &str) -> Request {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("Bearer x");
        secret.set_sensitive(true);
        headers.insert(AUTHORIZATION, secret);
        headers.insert(USER_AGENT, HeaderValue::from_static("us"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        Request { method, url: url.parse().unwrap(), headers, body: Bytes::from_static(b"body"), named: Vec::new() }
    }

    fn answer(status: u16, location: &str) -> Answer {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).unwrap())]);
        let status = StatusCode::from_u16(status).unwrap();
        Answer { version: Version::HTTP_11, status, headers, body: Received::default() }
    }

    fn next(method: Method, status: u16, location: &str) -> Request {
        let request = request(method, "http://a.example/dir/x?q=1");
        Trail::new(10).next(&request, &answer(status, location)).unwrap().unwrap()
    }

    #[test]
    fn the_method_changes_only_where_it_must() {
        for (method, status, becomes) in [
            (Method::POST, 301, Method::GET),
            (Method::POST, 302, Method::GET),
            (Method::PUT, 302, Method::PUT),
            (Method::PUT, 303, Method::GET),
            (Method::HEAD, 303, Method::HEAD),
            (Method::POST, 307, Method::POST),
            (Method::POST, 308, Method::POST),
        ] {
            let next = next(method.clone(), status, "/y");
            let keeps = method == becomes;
            assert_eq!((&next.method, next.body.is_empty()), (&becomes, !keeps), "{method} {status}");
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), keeps, "{method} {status}");
        }
    }

    #[test]
    fn secrets_do_not_reach_another_host_nor_plain_text() {
        for (location, along) in [
            ("y", true),
            ("https://a.example/", true),
            ("http://a.example:80/", true),
            ("http://a.example:81/", false),
            ("https://a.example:8443/", false),
            ("http://b.example/", false),
        ] {
            let next = next(Method::GET, 302, location);
            assert_eq!(next.headers.contains_key(AUTHORIZATION), along, "{location}");
            assert!(next.headers.contains_key(USER_AGENT), "{location}");
        }
        let downgraded = follow(
            &request(Method::GET, "https://a.example/"),
            Url::parse("http://a.example/").unwrap(),
            StatusCode::FOUND,
        );
        assert!(!downgraded.headers.contains_key(AUTHORIZATION));
    }

    #[test]
    fn places_are_resolved_and_handed_out_credentials_refused() {
        assert_eq!(next(Method::GET, 302, "y").url.as_str(), "http://a.example/dir/y");
        assert_eq!(next(Method::GET, 302, "//u:p@b.example/#top").url.as_str(), "http://b.example/");
    }

    #[test]
    fn what_cannot_be_followed_is_a_failure_and_what_need_not_is_none() {
        let request = request(Method::GET, "http://a.example/x");
        for location in ["ftp://a.example/", "http://", "http://a.example:99999/", "http://a.example:0/"] {
            let failure = Trail::new(10).next(&request, &answer(302, location)).unwrap_err();
            assert_eq!(failure.class, FailureClass::Redirect, "{location}: {failure}");
        }
        assert!(Trail::new(0).next(&request, &answer(302, "/y")).unwrap().is_none());
        assert!(Trail::new(10).next(&request, &answer(300, "/y")).unwrap().is_none());
        assert!(Trail::new(10).next(&request, &answer(200, "/y")).unwrap().is_none());
    }

    #[test]
    fn a_trail_ends_at_a_loop_and_at_its_length() {
        let mut trail = Trail::new(10);
        let first = request(Method::GET, "http://a.example/x");
        let second = trail.next(&first, &answer(302, "/y")).unwrap().unwrap();
        let failure = trail.next(&second, &answer(302, "/x")).unwrap_err();
        assert!(failure.message.starts_with("redirect loop: "), "{failure}");

        let mut trail = Trail::new(1);
        let second = trail.next(&first, &answer(302, "/y")).unwrap().unwrap();
        let failure = trail.next(&second, &answer(302, "/z?a=secret")).unwrap_err();
        assert_eq!(failure.message, "too many redirects: 1 were followed, and the next goes to http://a.example/z?a=…");
    }
}
