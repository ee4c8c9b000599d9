//! Nothing secret leaves: every secret of the configuration is masked by value, in whatever text it turns up.

mod forms;
mod known;

use std::{
    borrow::Cow,
    fmt,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use probe_core::Secret;
use serde_json::Value;

use self::known::Known;

/// What stands in a secret's place.
pub const MASK: &str = Secret::MASK;

/// Shorter values are in every text by chance: masking them would hide the text and nothing else.
pub const SHORTEST: usize = 4;

/// What stands where a text was cut.
const CUT: char = '…';

/// Masks the secrets it has been told, in their plain, URL-encoded, JSON-escaped and base64 forms. Clones share what
/// they know.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
    /// What those it comes from do not know.
    besides: Vec<Arc<Known>>,
}

// === impl Redactor ===

impl Redactor {
    /// Learns more secrets; those learnt before stay.
    pub fn learn(&self, secrets: impl IntoIterator<Item = Secret>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).learn(secrets);
    }

    /// One that knows these as well, for a while: this one does not learn them.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut known = Known::default();
        known.learn(secrets);
        let mut more = self.clone();
        more.besides.push(Arc::new(known));
        more
    }

    /// The text with every secret masked.
    ///
    /// Secrets that lie across each other are masked as one: masked one after the other, the first mask would hide from
    /// the second what it is to look for, and its rest would stay.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = Vec::new();
        self.each(|known| known.find(text, &mut found));
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for range in united(found) {
            masked.push_str(&text[end..range.start]);
            masked.push_str(MASK);
            end = range.end;
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
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
            let mut begins = None;
            self.each(|known| begins = known.beginning(&text.as_bytes()[..end]).into_iter().chain(begins).min());
            if let Some(begin) = begins {
                text.replace_range(begin..end, MASK);
            }
        }
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

    fn each(&self, mut ask: impl FnMut(&Known)) {
        ask(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        self.besides.iter().for_each(|known| ask(known));
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// The same bytes in order, each once.
fn united(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut united: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match united.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::{forms::RESERVED, *};

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
    fn of_base64_no_letter_stays_that_is_the_secret_s_alone() {
        for (secret, text, want) in [
            ("hunter22", "user:hunter22", "dXNlcjp[redacted]=="),
            ("hunter2!", "a:hunter2!", "YTp[redacted]=="),
            ("hunter2!", "ab:hunter2!", "YWI6[redacted]="),
            ("hunter22!", "a:hunter22!:", "YTp[redacted]6"),
        ] {
            let encoded = STANDARD.encode(text);
            let want = want.replace("[redacted]", MASK);
            assert_eq!(redactor(secret).redact(&encoded), want, "{encoded}");
        }
    }

    #[test]
    fn secrets_across_each_other_are_masked_as_one() {
        let redactor = redactor("hunter22").with([Secret::new("Basic dXNlcjpodW50ZXIyMg=="), Secret::new("22-tail")]);
        for (text, want) in [
            ("authorization: Basic dXNlcjpodW50ZXIyMg==", "authorization: [redacted]"),
            ("a hunter22-tail b", "a [redacted] b"),
            ("hunter22hunter22", "[redacted][redacted]"),
        ] {
            assert_eq!(redactor.redact(text), want);
        }
        assert_eq!(self::redactor("hunter22").redact("22-tail"), "22-tail");
    }

    #[test]
    fn what_is_known_besides_stays_there() {
        let redactor = redactor("hunter22");
        let more = redactor.with([Secret::new("only-now")]);
        redactor.learn([Secret::new("for-ever")]);
        let mut text = "hunter22 only-now for-ever only-…".to_owned();
        assert_eq!(redactor.redact(&text), "[redacted] only-now [redacted] only-…");
        more.redact_cut(&mut text, false);
        assert_eq!(text, "[redacted] [redacted] [redacted] [redacted]…");
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
