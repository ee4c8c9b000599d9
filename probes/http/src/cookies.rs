//! Cookies of one run (RFC 6265): what targets set goes back to those it was set for, and to no other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cookie_store::{CookieStore, RawCookie};
use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};
use probe_core::{Secret, is_secret_name};
use url::Url;

/// Shorter values are settings, as `de` and `true`, unless their name says otherwise.
const SHORTEST: usize = 8;

/// The cookies of one run.
#[derive(Debug, Default)]
pub(crate) struct Jar(Mutex<CookieStore>);

// === impl Jar ===

impl Jar {
    /// Takes what an answer from this URL sets; what cannot be read, or is for others, is left out. Returns what of it is
    /// secret: most cookies are what a session hangs on, also those that were left out.
    pub(crate) fn take(&self, url: &Url, headers: &HeaderMap) -> Vec<Secret> {
        if !headers.contains_key(SET_COOKIE) {
            return Vec::new();
        }
        let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies: Vec<_> =
            cookies.filter_map(|text| RawCookie::parse(text).ok()).map(RawCookie::into_owned).collect();
        let is_secret = |cookie: &&RawCookie<'_>| cookie.value().len() >= SHORTEST || is_secret_name(cookie.name());
        let secrets = cookies.iter().filter(is_secret).map(|cookie| Secret::new(cookie.value())).collect();
        self.lock().store_response_cookies(cookies.into_iter(), url);
        secrets
    }

    /// Adds the cookies for this URL to those that the request brings itself, which win.
    pub(crate) fn give(&self, url: &Url, headers: &mut HeaderMap) {
        let jar = self.lock();
        if jar.iter_any().next().is_none() {
            return;
        }
        let own = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let has =
            |name: &str| own.split(';').any(|pair| pair.split_once('=').is_some_and(|(own, _)| own.trim() == name));
        let mut pairs: Vec<String> = Some(own.clone()).filter(|own| !own.is_empty()).into_iter().collect();
        let kept = jar.get_request_values(url).filter(|(name, _)| !has(name));
        pairs.extend(kept.map(|(name, value)| format!("{name}={value}")));
        if let Ok(mut value) = HeaderValue::from_str(&pairs.join("; "))
            && !pairs.is_empty()
        {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, CookieStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(jar: &Jar, url: &str, cookie: &str) -> Vec<Secret> {
        let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_str(cookie).unwrap())]);
        jar.take(&url.parse().unwrap(), &headers)
    }

    fn given(jar: &Jar, url: &str, own: Option<&'static str>) -> String {
        let mut headers: HeaderMap = own.map(|own| (COOKIE, HeaderValue::from_static(own))).into_iter().collect();
        jar.give(&url.parse().unwrap(), &mut headers);
        headers.get(COOKIE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_to_whom_it_is_for() {
        let jar = Jar::default();
        set(&jar, "https://a.example/x/login", "session=0123456789; Path=/x; Secure");
        set(&jar, "https://a.example/", "other=1; Domain=b.example");
        assert_eq!(given(&jar, "https://a.example/x/y", None), "session=0123456789");
        for elsewhere in
            ["http://a.example/x/y", "https://a.example/y", "https://b.example/x/", "https://c.a.example/x/"]
        {
            assert_eq!(given(&jar, elsewhere, None), "", "{elsewhere}");
        }
    }

    #[test]
    fn most_cookies_are_secret_also_those_for_others() {
        let jar = Jar::default();
        for (cookie, secret) in [
            ("other=0123456789; Domain=b.example", Some("0123456789")),
            ("sid=short", Some("short")),
            ("lang=de", None),
        ] {
            let found = set(&jar, "https://a.example/", cookie);
            assert_eq!(found.first().map(Secret::expose), secret, "{cookie}");
        }
    }

    #[test]
    fn what_the_request_brings_itself_wins() {
        let jar = Jar::default();
        set(&jar, "http://a.example/", "a=jar");
        set(&jar, "http://a.example/", "b=jar");
        let both = given(&jar, "http://a.example/", Some("a=own; c=own"));
        assert_eq!(both, "a=own; c=own; b=jar");
    }
}
