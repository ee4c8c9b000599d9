//! Nothing secret leaves: every secret of the configuration is masked by value, in whatever text it turns up.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use probe_core::Secret;
use serde_json::Value;

/// What stands in a secret's place.
pub const MASK: &str = Secret::MASK;

/// Shorter values are in every text by chance: masking them would hide the text and nothing else.
pub const SHORTEST: usize = 4;

/// Of a longer secret its beginning is known, in bytes: no text that leaves holds more of it.
const LONGEST: usize = 16 << 10;

/// What stands where a text was cut.
const CUT: char = '…';

/// All but what RFC 3986 (2.3) calls unreserved: how templates encode a value for a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Masks the secrets it has been told, in their plain, URL-encoded, JSON-escaped and base64 forms. Clones share what
/// they know.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    matcher: Option<AhoCorasick>,
}

// === impl Redactor ===

impl Redactor {
    /// Learns more secrets; those learnt before stay.
    pub fn learn(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.forms.len();
        for secret in secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST) {
            let known_part = &secret.expose()[..secret.expose().floor_char_boundary(LONGEST)];
            for form in forms(known_part) {
                if form.len() >= SHORTEST && !known.forms.contains(&form) {
                    known.forms.push(form);
                }
            }
        }
        if known.forms.len() > before {
            // Only an absurd number of bytes makes the build fail; then nothing may be shown at all.
            known.matcher = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&known.forms)
                .or_else(|_| AhoCorasick::new([""]))
                .ok();
        }
    }

    /// The text with every secret masked.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match &known.matcher {
            Some(matcher) if matcher.is_match(text) => {
                let mut masked = String::with_capacity(text.len());
                matcher.replace_all_with(text, &mut masked, |_, _, masked| {
                    masked.push_str(MASK);
                    true
                });
                Cow::Owned(masked)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// Masks in place.
    pub fn redact_string(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.redact(text) {
            *text = masked;
        }
    }

    /// Masks in place, also the beginning of a secret that stands before a `…`, or at the end of a text that was `cut`
    /// there.
    pub fn redact_cut(&self, text: &mut String, cut: bool) {
        self.redact_string(text);
        let mut ends: Vec<usize> = text.match_indices(CUT).map(|(at, _)| at).collect();
        ends.extend(cut.then_some(text.len()));
        // From the end, so that those before it stay where they are.
        for end in ends.into_iter().rev() {
            if let Some(begin) = self.beginning(&text.as_bytes()[..end]) {
                text.replace_range(begin..end, MASK);
            }
        }
    }

    /// Where the beginning of a secret begins that ends with the text.
    fn beginning(&self, text: &[u8]) -> Option<usize> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of = |form: &String| {
            let earliest = text.len().saturating_sub(form.len());
            (earliest..text.len().saturating_sub(SHORTEST - 1)).find(|at| form.as_bytes().starts_with(&text[*at..]))
        };
        known.forms.iter().filter_map(of).min()
    }

    /// Masks every text in a JSON value, keys included.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact_string(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact_json(value)),
            Value::Object(object) => {
                if object.keys().any(|key| matches!(self.redact(key), Cow::Owned(_))) {
                    *object = std::mem::take(object)
                        .into_iter()
                        .map(|(key, value)| (self.redact(&key).into_owned(), value))
                        .collect();
                }
                object.values_mut().for_each(|value| self.redact_json(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// The ways in which libraries and targets write a value.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for encoded in [NON_ALPHANUMERIC, RESERVED] {
        let percent = utf8_percent_encode(secret, encoded).to_string();
        forms.extend([lower_hex(&percent), percent]);
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = url::Url::parse("http://h").ok().map(|mut url| {
        url.set_query(Some(secret));
        url.query().unwrap_or_default().to_owned()
    });
    forms.push(form);
    forms.extend(url);
    forms.push(Value::from(secret).to_string().trim_matches('"').to_owned());
    // Base64 of a longer text that holds the secret depends on where in a group of three bytes the secret begins.
    for shift in 0..3 {
        let padded = [&b"\0\0"[..shift], secret.as_bytes()].concat();
        let whole = padded.len() / 3 * 4;
        let skip = [0, 2, 3][shift];
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            // Characters that also hold bits of a neighbour are left out, unless it is the secret alone.
            forms.extend(encoded.get(skip..whole).filter(|core| core.len() >= 2 * SHORTEST).map(str::to_owned));
            if shift == 0 {
                forms.push(encoded);
            }
        }
    }
    forms
}

/// The same with the digits of what is percent-encoded in lower case, as some write them (RFC 3986, 2.1).
fn lower_hex(percent: &str) -> String {
    let mut digits = 0;
    percent
        .chars()
        .map(|letter| {
            let digit = digits > 0;
            digits = if letter == '%' { 2 } else { u32::saturating_sub(digits, 1) };
            if digit { letter.to_ascii_lowercase() } else { letter }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn redactor(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.learn([Secret::new(secret)]);
        redactor
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let secret = "s3cr\"t/+ü w-O.r_d~";
        let redactor = redactor(secret);
        let json = Value::from(secret).to_string();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let url = url::Url::parse(&format!("http://h/?k={secret}")).unwrap();
        let percent = [NON_ALPHANUMERIC, RESERVED].map(|encoded| utf8_percent_encode(secret, encoded).to_string());
        let lower = "s3cr%22t%2f%2b%c3%bc%20w-O.r_d~";
        for text in [secret, &json, &form, url.as_str(), &percent[0], &percent[1], lower] {
            let masked = redactor.redact(text);
            assert!(masked.contains(MASK), "{text} became {masked}");
            assert!(!masked.contains("s3cr"), "{text} became {masked}");
        }
    }

    #[test]
    fn base64_is_masked_wherever_the_secret_begins() {
        let redactor = redactor("correct horse battery");
        for user in ["", "a", "ab", "abc", "abcd"] {
            let encoded = STANDARD.encode(format!("{user}correct horse battery:tail"));
            let masked = redactor.redact(&encoded);
            assert!(masked.contains(MASK), "{user}: {masked}");
            assert!(masked.len() - MASK.len() <= encoded.len() - 24, "{user}: {masked}");
        }
    }

    #[test]
    fn other_text_is_untouched_and_not_copied() {
        let redactor = redactor("hunter22");
        assert!(matches!(redactor.redact("expected status 200, got 503"), Cow::Borrowed(_)));
        assert!(matches!(Redactor::default().redact("hunter22"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_secret_that_was_cut_is_masked_where_it_begins() {
        let redactor = redactor("eyJhbGciOiJIUzI1NiJ9.eyJz");
        for (text, cut, want) in [
            ("got \"eyJhbGciOi…, expected eyJhbG…!", false, "got \"[redacted]…, expected [redacted]…!"),
            ("the token is eyJhb", true, "the token is [redacted]"),
            ("the token is eyJhb", false, "the token is eyJhb"),
            ("eyJ…", false, "eyJ…"),
            ("…", true, "…"),
        ] {
            let mut text = text.to_owned();
            redactor.redact_cut(&mut text, cut);
            assert_eq!(text, want);
        }
    }

    #[test]
    fn of_a_long_secret_all_that_can_leave_is_masked() {
        let page = "<html>".to_owned() + &"0123456789abcdef".repeat(100_000);
        let redactor = redactor(&page);
        let mut excerpt = page[..2_048].to_owned();
        redactor.redact_cut(&mut excerpt, true);
        assert_eq!(excerpt, MASK);
    }

    #[test]
    fn keys_and_values_of_json_are_masked() {
        let mut value = serde_json::json!({"hunter22": ["a hunter22 b", {"k": 1}]});
        redactor("hunter22").redact_json(&mut value);
        assert_eq!(value, serde_json::json!({"[redacted]": ["a [redacted] b", {"k": 1}]}));
    }
}
