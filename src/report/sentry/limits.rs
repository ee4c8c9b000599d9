//! What Sentry would drop or cut without a word is cut here, where it can be said (trace.md, "Limits").
//!
//! A cut text ends in `…`. Lengths are those that Relay's own schema holds to; where it counts bytes, so do we.

use std::{borrow::Cow, io};

use serde::Serialize;
use serde_json::Value;

/// The longest transaction name and tag value, in characters.
pub(super) const NAME: usize = 200;

/// The longest name of a host, in characters: Relay makes a tag of it.
pub(crate) const SERVER_NAME: usize = 200;

/// The longest environment, in bytes; a longer one is lost as a whole.
pub(crate) const ENVIRONMENT: usize = 64;

/// The longest release, in bytes; a longer one is lost as a whole.
pub(crate) const RELEASE: usize = 200;

/// The longest tag key, in bytes.
pub(super) const TAG_KEY: usize = 32;

/// So many tags are sent: Sentry names no limit, but an item has one.
pub(super) const TAGS: usize = 64;

/// The longest description, message or text of a context, in bytes: Relay cuts a context at 8,192.
pub(super) const TEXT: usize = 8_000;

/// The most spans of a transaction.
pub(super) const SPANS: usize = 1_000;

/// All spans of a transaction, in bytes.
pub(super) const SPAN_BYTES: usize = 819_200;

/// The data of one span, in bytes. What the spans leave of an item's 1 MiB then holds the root's data and everything
/// else.
pub(super) const DATA_BYTES: usize = 65_536;

/// A byte of text becomes at most so many when it is escaped, or masked.
const GROWTH: usize = 6;

/// At most so many characters.
pub(super) fn chars(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    // A character is at least a byte.
    if text.len() <= most {
        return text;
    }
    let mut places = text.char_indices().skip(most.saturating_sub(1)).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(last), Some(_)) => Cow::Owned(format!("{}…", &text[..last])),
        _ => text,
    }
}

/// At most so many bytes, and no half character.
pub(super) fn bytes(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text;
    }
    let kept = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    Cow::Owned(format!("{}…", &text[..kept]))
}

/// Never less than what a value will take once written.
pub(super) fn bound(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => text_bound(text),
        Value::Array(values) => values.iter().map(|value| 1 + bound(value)).sum::<usize>() + 2,
        Value::Object(object) => {
            object.iter().map(|(key, value)| 2 + text_bound(key) + bound(value)).sum::<usize>() + 2
        }
    }
}

/// Never less than what a text will take once written.
pub(super) const fn text_bound(text: &str) -> usize {
    GROWTH * text.len() + 2
}

/// What a value takes once written, in bytes.
pub(super) fn size(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Counting cannot fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        for (text, most, want) in
            [("", 3, ""), ("äöü", 3, "äöü"), ("äöüß", 3, "äö…"), ("abcd", 4, "abcd"), ("abcde", 4, "abc…")]
        {
            assert_eq!(chars(text.into(), most), want);
        }
        for (text, most, want) in [("äöü", 6, "äöü"), ("äöüß", 7, "äö…"), ("äöüß", 6, "ä…"), ("abcdef", 5, "ab…")]
        {
            assert_eq!(bytes(text.into(), most), want);
            assert!(bytes(text.into(), most).len() <= most);
        }
    }

    #[test]
    fn a_bound_is_never_below_the_size() {
        for value in [
            serde_json::json!({"a\u{1}": ["\u{1}\u{2}\"\\", 1.5e300, u64::MAX, null, true, {}, []]}),
            serde_json::json!("secret=a&secret=b"),
        ] {
            assert!(bound(&value) >= size(&value), "{value}");
        }
    }
}
