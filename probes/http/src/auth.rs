//! Who asks: credentials, as the value of an `Authorization` header.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION},
};
use probe_core::{Secret, is_secret_name};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Auth {
    /// User name and password (RFC 7617).
    Basic {
        /// The user name; no colon in it.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
}

/// The shortest value, in bytes, that is taken for credentials by the name alone.
const SHORTEST: usize = 8;

/// The value for these credentials; none where no header can hold them.
pub(crate) fn basic(username: &str, password: &str) -> Option<HeaderValue> {
    let encoded = STANDARD.encode(format!("{username}:{password}"));
    sensitive(&format!("Basic {encoded}"))
}

/// The value for this token; none where no header can hold it.
pub(crate) fn bearer(token: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose())).filter(|_| !token.expose().trim().is_empty())
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether the header of this name may hold credentials, whatever its value is: by what it is for, or by a word in it.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    is_certain(name) || is_secret_name(name.as_str())
}

fn is_certain(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) || name == "x-api-key"
}

/// What is secret in such a header: the whole value, and the part of it behind the scheme, or a cookie's name. A short
/// value is one only where the header is certain to hold credentials: `x-auth-mode: none` would mask every "none".
pub(crate) fn secrets(name: &HeaderName, value: &HeaderValue) -> Vec<Secret> {
    let Ok(value) = value.to_str() else { return Vec::new() };
    if !is_certain(name) && value.len() < SHORTEST {
        return Vec::new();
    }
    let mut secrets = vec![Secret::new(value)];
    if *name == COOKIE {
        let values = value.split(';').filter_map(|cookie| cookie.split_once('='));
        secrets.extend(values.map(|(_, value)| Secret::new(value.trim())));
    } else if let Some((scheme, credentials)) = value.split_once(' ') {
        secrets.push(Secret::new(credentials.trim()));
        let decoded = STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let password = decoded.filter(|_| scheme.eq_ignore_ascii_case("basic"));
        secrets.extend(password.and_then(|pair| Some(Secret::new(pair.split_once(':')?.1))));
    }
    secrets.retain(|secret| !secret.expose().is_empty());
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_a_header_is_known_by_its_form() {
        for (name, value, want) in [
            (AUTHORIZATION, "Bearer abc", vec!["Bearer abc", "abc"]),
            (AUTHORIZATION, "Basic bWU6aHVudGVy", vec!["Basic bWU6aHVudGVy", "bWU6aHVudGVy", "hunter"]),
            (COOKIE, "a=one; b=two", vec!["a=one; b=two", "one", "two"]),
            (HeaderName::from_static("x-auth-token"), "a-long-token", vec!["a-long-token"]),
            (HeaderName::from_static("x-auth-mode"), "none", vec![]),
        ] {
            let found = secrets(&name, &HeaderValue::from_static(value));
            assert_eq!(found.iter().map(Secret::expose).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn what_no_header_can_hold_is_no_credential() {
        assert!(basic("a", "b:\n").is_some_and(|value| value.is_sensitive()));
        assert!(bearer(&Secret::new("a\nb")).is_none() && bearer(&Secret::new(" ")).is_none());
        assert!(bearer(&Secret::new("a")).is_some_and(|value| value.is_sensitive()));
    }
}
