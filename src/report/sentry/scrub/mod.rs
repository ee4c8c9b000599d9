//! What must not leave by its name or by its shape: values under names that tell a secret, credentials in URLs, and
//! card numbers. What was configured as secret is masked by value before (`redact`).

use std::{borrow::Cow, ops::Range};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::redact::MASK;

mod card;
mod name;

pub(super) use name::names_secret;

/// A JSON value, written with what is secret in it masked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scrubbed<'a>(pub(super) &'a Value);

/// A value under its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a>(pub(super) &'a str, pub(super) &'a Value);

// === impl Scrubbed ===

impl Serialize for Scrubbed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(shown) => serializer.serialize_str(&text(shown)),
            Value::Array(values) => serializer.collect_seq(values.iter().map(Scrubbed)),
            Value::Object(object) => serializer.collect_map(object.iter().map(|(key, value)| (key, Named(key, value)))),
            Value::Number(number) if number.as_u64().is_some_and(card::is_number) => serializer.serialize_str(MASK),
            value @ (Value::Null | Value::Bool(_) | Value::Number(_)) => value.serialize(serializer),
        }
    }
}

// === impl Named ===

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(name, value) = *self;
        if !value.is_null() && names_secret(name) {
            serializer.serialize_str(MASK)
        } else {
            Scrubbed(value).serialize(serializer)
        }
    }
}

/// The text with what is secret in it masked.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    // A first look, for the sake of the many texts that have nothing to hide.
    let (mut marks, mut digits) = (0_u32, 0_usize);
    for byte in text.bytes() {
        marks += u32::from(matches!(byte, b':' | b'='));
        digits += usize::from(byte.is_ascii_digit());
    }
    let mut found = Vec::new();
    if marks > 0 {
        name::values(text, &mut found);
        credentials(text, &mut found);
    }
    if digits >= card::DIGITS.start {
        card::numbers(text.as_bytes(), &mut found);
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_unstable_by_key(|range| range.start);
    let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
    for Range { start, end } in found {
        if start >= from {
            masked.push_str(&text[from..start]);
            masked.push_str(MASK);
        }
        from = from.max(end);
    }
    masked.push_str(&text[from..]);
    Cow::Owned(masked)
}

/// User and password in a URL.
fn credentials(text: &str, found: &mut Vec<Range<usize>>) {
    for (place, mark) in text.match_indices("://") {
        let start = place + mark.len();
        let authority = text[start..].split(['/', '?', '#', '"', '\'', '<', ' ', '\n']).next().unwrap_or_default();
        if let Some(at) = authority.rfind('@').filter(|at| *at > 0) {
            found.push(start..start + at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_under_secret_names_are_masked_in_text() {
        for (given, want) in [
            ("GET https://h/p?user=a&api_key=xyz&b=1", "GET https://h/p?user=a&api_key=[redacted]&b=1"),
            ("?ACCESS_TOKEN=x#f", "?ACCESS_TOKEN=[redacted]#f"),
            ("user[password]=x&a=1", "user[password]=[redacted]&a=1"),
            ("password: correct horse\nnext: 1", "password: [redacted]\nnext: 1"),
            ("X-Api-Key: abc def\r\nHost: h", "X-Api-Key: [redacted]\r\nHost: h"),
            ("curl -H 'X-Auth-Token: a b' 'https://h/'", "curl -H 'X-Auth-Token: [redacted]' 'https://h/'"),
            (r#"{"user":"a","Password" : "x\"y", "n":1}"#, r#"{"user":"a","Password" : "[redacted]", "n":1}"#),
            (r#"{"secret":1234,"b":2}"#, r#"{"secret":[redacted],"b":2}"#),
            (r#"{"secret":null,"b":2}"#, r#"{"secret":null,"b":2}"#),
            (r#"{"credentials":{"a":"]}","b":[1]},"c":3}"#, r#"{"credentials":[redacted],"c":3}"#),
            (r#"{"secret":"x\\","b":2}"#, r#"{"secret":"[redacted]","b":2}"#),
            (r#"{"client_secret":"cut o"#, r#"{"client_secret":"[redacted]"#),
            (r#"got "{\"passwd\":\"x\",\"a\":1}""#, r#"got "{\"passwd\":\"[redacted]\",\"a\":1}""#),
            ("mysql_pwd=x stripeToken=y", "mysql_pwd=[redacted] stripeToken=[redacted]"),
            (":secret => 'x', b", ":secret => '[redacted]', b"),
            ("dial https://u:p@h/x", "dial https://[redacted]@h/x"),
        ] {
            assert_eq!(text(given), want);
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for given in [
            "DNS resolution",
            "the secret is out",
            "GET https://h/reset-password?x=1",
            "GET https://secrets.example:8443/path",
            "connect to passwords.internal:443 refused",
            "https://h/a@b",
            "api_key=",
        ] {
            assert!(matches!(text(given), Cow::Borrowed(_)), "{given} became {}", text(given));
        }
    }

    #[test]
    fn json_is_masked_by_name_and_by_shape_at_any_depth() {
        let value = serde_json::json!({
            "a": [{"apiKey": {"x": 1}, "b": "password=x"}], "n": 4_111_111_111_111_111_u64, "secret": null, "m": 1.5,
        });
        let want = serde_json::json!({
            "a": [{"apiKey": MASK, "b": format!("password={MASK}")}], "n": MASK, "secret": null, "m": 1.5,
        });
        assert_eq!(serde_json::to_value(Scrubbed(&value)).unwrap(), want);
    }

    #[test]
    fn no_text_makes_it_panic() {
        let pieces = ["password", "\"", "\\", ":", "=", "{", "]", " ", "ü", "://", "@", "4111", "-", "\n", "'"];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let given: String = (0..random.usize(..12)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            let _ = text(&given);
        }
    }
}
