//! What must not leave by its name or by its shape: values under names that tell a secret, credentials in URLs, and
//! card numbers. What was configured as secret is masked by value before (`redact.rs`).

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::redact::MASK;

/// Names that Sentry's default scrubber knows, in whatever case and however joined. As there, a name that holds one of
/// them is one.
static NAMES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let joined = ["api?key", "access?token", "auth?token", "mysql?pwd", "stripe?token"];
    let joined = joined.iter().flat_map(|name| ["", "_", "-"].map(|joint| name.replace('?', joint)));
    let plain = ["password", "secret", "passwd", "credentials"].map(str::to_owned);
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(plain.into_iter().chain(joined))
        .ok()
});

/// The digits of a card number (ISO/IEC 7812).
const CARD: Range<usize> = 13..20;

/// A JSON value, written with what is secret in it masked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scrubbed<'a>(pub(super) &'a Value);

/// A value under its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a>(pub(super) &'a str, pub(super) &'a Value);

/// How the name before a value is written, which says where the value ends.
struct Name {
    /// The quote before the name.
    opened: Option<u8>,
    /// Whether that quote is closed again after the name, as in JSON.
    quoted: bool,
    separator: u8,
    /// Whether a blank follows the separator.
    spaced: bool,
}

// === impl Scrubbed ===

impl Serialize for Scrubbed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(shown) => serializer.serialize_str(&text(shown)),
            Value::Array(values) => serializer.collect_seq(values.iter().map(Scrubbed)),
            Value::Object(object) => serializer.collect_map(object.iter().map(|(key, value)| (key, Named(key, value)))),
            Value::Number(number) if number.as_u64().is_some_and(is_card_number) => serializer.serialize_str(MASK),
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

/// Whether what stands under this name is secret.
pub(super) fn names_secret(name: &str) -> bool {
    NAMES.as_ref().is_none_or(|names| names.is_match(name))
}

/// The text with what is secret in it masked.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let mut found = Vec::new();
    named(text, &mut found);
    credentials(text, &mut found);
    cards(text.as_bytes(), &mut found);
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

/// Values after a name that tells a secret: `name=value`, `name: value`, `"name": "value"`.
fn named(text: &str, found: &mut Vec<Range<usize>>) {
    let Some(names) = NAMES.as_ref() else { return found.push(0..text.len()) };
    let (bytes, mut done) = (text.as_bytes(), 0);
    for name in names.find_iter(text) {
        if name.start() < done {
            continue;
        }
        let start = bytes[..name.start()].iter().rposition(|byte| !in_name(*byte)).map_or(0, |place| place + 1);
        let end = name.end() + bytes[name.end()..].iter().take_while(|byte| in_name(**byte)).count();
        done = end;
        if let Some((how, from)) = name_at(bytes, start, end)
            && !is_port(bytes, start..end, from)
        {
            let value = value_at(bytes, from, &how);
            if !value.is_empty() && &bytes[value.clone()] != b"null" {
                done = value.end;
                found.push(value);
            }
        }
    }
}

/// How the name at `start..end` is written and where its value begins; none when no value follows.
fn name_at(bytes: &[u8], start: usize, end: usize) -> Option<(Name, usize)> {
    let opened = start.checked_sub(1).map(|before| bytes[before]).filter(|byte| is_quote(*byte));
    // In JSON within JSON a quote has backslashes before it.
    let mut at = end + bytes[end..].iter().take_while(|byte| **byte == b'\\').count();
    let quoted = bytes.get(at).is_some_and(|byte| is_quote(*byte));
    at += usize::from(quoted);
    at = after_blanks(bytes, at, quoted);
    let separator = *bytes.get(at).filter(|byte| matches!(byte, b':' | b'='))?;
    at += if bytes[at..].starts_with(b"=>") { 2 } else { 1 };
    let value = after_blanks(bytes, at, quoted);
    Some((Name { opened, quoted, separator, spaced: value > at }, value))
}

/// The value that begins at `from`, without its quotes. Where its end is in doubt, rather too much than too little.
fn value_at(bytes: &[u8], from: usize, name: &Name) -> Range<usize> {
    let slashes = bytes[from..].iter().take_while(|byte| **byte == b'\\').count();
    let rest = &bytes[from + slashes..];
    let until = |ends: &dyn Fn(u8) -> bool| from + bytes[from..].iter().take_while(|byte| !ends(**byte)).count();
    match rest.first() {
        Some(quote) if is_quote(*quote) => {
            let start = from + slashes + 1;
            start..closing_quote(bytes, start, *quote, slashes)
        }
        Some(b'{' | b'[') => from..closing_bracket(bytes, from),
        _ if name.quoted => from..until(&|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace()),
        _ if name.separator == b':' && name.spaced => {
            from..until(&|byte| matches!(byte, b'\n' | b'\r') || Some(byte) == name.opened)
        }
        _ => from..until(&|byte| b"&;#<>\"'`".contains(&byte) || byte.is_ascii_whitespace()),
    }
}

/// Where a quoted text ends: at the next such quote with as many backslashes before it as the first one had.
fn closing_quote(bytes: &[u8], start: usize, quote: u8, slashes: usize) -> usize {
    let closes = |run: usize| if slashes == 0 { run.is_multiple_of(2) } else { run == slashes };
    let mut run = 0;
    for (place, byte) in bytes.iter().enumerate().skip(start) {
        match *byte {
            b'\\' => run += 1,
            byte if byte == quote && closes(run) => return place - slashes,
            _ => run = 0,
        }
    }
    bytes.len()
}

/// Just after the bracket that closes the one at `from`; the end of the text when it was cut off before.
fn closing_bracket(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = closing_quote(bytes, at, b'"', 0) + 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

/// Whether what looks like a name and its value is a host and its port (`secrets.example:8443/`).
fn is_port(bytes: &[u8], name: Range<usize>, from: usize) -> bool {
    let host = bytes[..name.start].ends_with(b"//") || bytes[name.clone()].contains(&b'.');
    let digits = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = bytes.get(from + digits).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    host && from == name.end + 1 && (1..=5).contains(&digits) && ends
}

fn after_blanks(bytes: &[u8], at: usize, lines: bool) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t') || (lines && byte.is_ascii_whitespace());
    at + bytes[at..].iter().take_while(blank).count()
}

const fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'$')
}

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
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

/// Card numbers, also in groups of digits with a blank or a dash between them.
fn cards(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < CARD.start {
        return;
    }
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        match card_at(bytes, at) {
            Some(end) if digits > 0 => {
                found.push(at..end);
                at = end;
            }
            _ => at += digits.max(1),
        }
    }
}

fn is_card_number(number: u64) -> bool {
    // The smallest number of thirteen digits.
    number >= 1_000_000_000_000 && card_at(number.to_string().as_bytes(), 0).is_some()
}

/// Where the longest card number that begins here ends. A part of a word, and the decimals of a number, are none.
fn card_at(bytes: &[u8], start: usize) -> Option<usize> {
    let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let before = start.checked_sub(1).and_then(|place| bytes.get(place));
    let decimals = before == Some(&b'.') && start >= 2 && digit(start - 2);
    if decimals || before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (mut number, mut count, mut at, mut card) = ([0; CARD.end], 0, start, None);
    while count < CARD.end {
        if digit(at) {
            number[count] = bytes[at] - b'0';
            (count, at) = (count + 1, at + 1);
            let goes_on = match bytes.get(at) {
                Some(b'.') => digit(at + 1),
                next => next.is_some_and(u8::is_ascii_alphanumeric),
            };
            if CARD.contains(&count) && !goes_on && is_card(&number[..count]) {
                card = Some(at);
            }
        } else if count > 0 && matches!(bytes.get(at), Some(b' ' | b'-')) && digit(at + 1) {
            at += 1;
        } else {
            break;
        }
    }
    card
}

/// The check digit of ISO/IEC 7812 (Luhn); all zeros are no number.
fn is_card(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let weigh = |(place, digit): (usize, &u8)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit });
    digits.iter().rev().enumerate().map(weigh).sum::<u32>() % 10 == 0 && digits.iter().any(|digit| *digit > 0)
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
    fn card_numbers_are_masked_however_they_are_grouped() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "3782-822463-10005",
            "5555555555554444",
            "4222222222222",
            "6304000000000000000",
        ] {
            assert_eq!(text(&format!("paid 12 with {card}, ok")), "paid 12 with [redacted], ok");
        }
        assert_eq!(text(r#"{"n":4111111111111111}"#), r#"{"n":[redacted]}"#);
        for given in [
            "4111111111111112",
            "x4111111111111111",
            "0.4111111111111111",
            "4111111111111111.5",
            "0000000000000000",
            "41111111111111110000000000",
            "2026-11-20T10:00:00.123456Z",
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
