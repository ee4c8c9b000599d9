//! What came back, as expectations see it.

use std::{borrow::Cow, cell::OnceCell, time::Duration};

use http::{HeaderMap, HeaderName, Version, header::SET_COOKIE};
use probe_core::{Failure, FailureClass};
use serde_json::Value as Json;

/// An answer. Its body is read as JSON once, and only when somebody needs that.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    status: u16,
    headers: &'a HeaderMap,
    body: &'a [u8],
    cut: bool,
    version: Version,
    took: Duration,
    days_left: Option<i64>,
    json: OnceCell<Result<Json, Failure>>,
}

// === impl Answer ===

impl<'a> Answer<'a> {
    /// An answer with this status, these headers and this whole body, by HTTP/1.1, at once and without a certificate.
    pub const fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self {
            status,
            headers,
            body,
            cut: false,
            version: Version::HTTP_11,
            took: Duration::ZERO,
            days_left: None,
            json: OnceCell::new(),
        }
    }

    /// Says whether there was more of the body, which was not read.
    #[must_use]
    pub const fn cut(mut self, cut: bool) -> Self {
        self.cut = cut;
        self
    }

    /// Says by which version of HTTP it came.
    #[must_use]
    pub const fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Says how long the whole request took, redirects and body included.
    #[must_use]
    pub const fn took(mut self, took: Duration) -> Self {
        self.took = took;
        self
    }

    /// Says for how many whole days the certificate still holds; none when none was shown.
    #[must_use]
    pub const fn days_left(mut self, days: Option<i64>) -> Self {
        self.days_left = days;
        self
    }

    /// The status code, or the exit status of what is no HTTP.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// It is not JSON, was not read to its end, or is nested deeper than 127 levels (`serde_json`'s bound, which keeps
    /// every later walk over it within the stack).
    pub fn json(&self) -> Result<&Json, Failure> {
        self.json.get_or_init(|| self.parse()).as_ref().map_err(Clone::clone)
    }

    /// The body as text; what is not UTF-8 in it is replaced.
    ///
    /// # Errors
    /// It was not read to its end.
    pub fn text(&self) -> Result<Cow<'a, str>, Failure> {
        self.whole().map(String::from_utf8_lossy)
    }

    /// The body.
    ///
    /// # Errors
    /// It was not read to its end.
    pub(crate) fn whole(&self) -> Result<&'a [u8], Failure> {
        if !self.cut {
            return Ok(self.body);
        }
        let size = self.body.len();
        let message =
            format!("the body is larger than `max_body` ({size} bytes): what is expected of it cannot be told");
        Err(body(message).expected(format!("at most {size} bytes"), "more"))
    }

    /// What of the body was read, as text.
    pub(crate) fn beginning(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.body)
    }

    /// What of the body was read.
    pub(crate) const fn read(&self) -> &'a [u8] {
        self.body
    }

    /// All values of a header, in the order in which they came.
    pub(crate) fn header(&self, name: &HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
        self.headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// The values that the answer sets a cookie to (RFC 6265, 5.2: up to the first `;`, trimmed).
    pub(crate) fn cookie(&self, name: &str) -> impl Iterator<Item = String> {
        self.header(&SET_COOKIE).filter_map(move |header| {
            let (pair, _) = header.split_once(';').unwrap_or((&header, ""));
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    }

    /// By which version of HTTP it came.
    pub(crate) const fn came_by(&self) -> Version {
        self.version
    }

    /// How long it took.
    pub(crate) const fn duration(&self) -> Duration {
        self.took
    }

    /// For how many days the certificate holds.
    pub(crate) const fn certificate_holds(&self) -> Option<i64> {
        self.days_left
    }

    fn parse(&self) -> Result<Json, Failure> {
        let bytes = self.whole()?;
        let size = bytes.len();
        if size == 0 {
            return Err(body("the body is empty: there is no JSON in it").expected("JSON", "nothing"));
        }
        serde_json::from_slice(bytes).map_err(|error| {
            // The library has no other word for it; a test below holds it to this one.
            if error.to_string().starts_with("recursion limit exceeded") {
                let message = format!("the JSON of the body ({size} bytes) is nested deeper than 127 levels");
                return body(message).expected("at most 127 levels", "more");
            }
            body(format!("the body ({size} bytes) is not JSON: {error}"))
                .expected("JSON", format!("{size} bytes that are not"))
        })
    }
}

/// A body that is not as expected.
fn body(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Body, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn refused(body: &[u8]) -> Failure {
        Answer::new(200, &HeaderMap::new(), body).json().unwrap_err()
    }

    #[test]
    fn json_is_needed_only_when_somebody_asks() {
        let headers = HeaderMap::new();
        assert_eq!(Answer::new(200, &headers, b"no json").text().unwrap(), "no json");
        assert_eq!(refused(b"no json").message, "the body (7 bytes) is not JSON: expected ident at line 1 column 2");
        assert_eq!(refused(b"").message, "the body is empty: there is no JSON in it");
        assert_eq!(refused(b"[1] [2]").class, FailureClass::Body);
    }

    #[test]
    fn json_may_be_127_levels_deep_and_no_deeper() {
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        let headers = HeaderMap::new();
        assert!(Answer::new(200, &headers, nested(127).as_bytes()).json().is_ok());
        for levels in [128, 10_000, 1_000_000] {
            let failure = refused(nested(levels).as_bytes());
            assert_eq!(
                failure.message,
                format!("the JSON of the body ({} bytes) is nested deeper than 127 levels", 2 * levels)
            );
        }
    }

    #[test]
    fn of_a_cut_body_nothing_is_told() {
        let headers = HeaderMap::new();
        let answer = Answer::new(200, &headers, b"[1]").cut(true);
        let message = "the body is larger than `max_body` (3 bytes): what is expected of it cannot be told";
        assert_eq!(answer.json().unwrap_err().message, message);
        assert_eq!(answer.text().unwrap_err().message, message);
    }

    #[test]
    fn a_cookie_is_its_name_and_value() {
        let mut headers = HeaderMap::new();
        for value in ["sid=a=b; Path=/; HttpOnly", " sid = c ", "other=d", "sid", "\u{1}"] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(SET_COOKIE, value);
            }
        }
        let answer = Answer::new(200, &headers, b"");
        assert_eq!(answer.cookie("sid").collect::<Vec<_>>(), ["a=b", "c"]);
        assert_eq!(answer.cookie("SID").count(), 0);
    }
}
