//! Values under names that tell a secret: `name=value`, `name: value`, `"name": "value"`, also cut off in the middle.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

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

/// Whether what stands under this name is secret.
pub(in crate::report::sentry) fn names_secret(name: &str) -> bool {
    // A first look, for the sake of the many names that are none: each of those that are has one of these letters.
    let may = name.bytes().any(|byte| matches!(byte | 0x20, b'c' | b'k' | b'w'));
    may && NAMES.as_ref().is_none_or(|names| names.is_match(name))
}

/// Where the values stand in a text.
pub(super) fn values(text: &str, found: &mut Vec<Range<usize>>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_whatever_case_and_however_joined() {
        for name in ["password", "SECRET", "db.passwd", "api_key", "X-Api-Key", "apiKey", "accessToken", "access-token"]
        {
            assert!(names_secret(name), "{name}");
        }
        for name in ["auth_token", "Credentials", "mysql_pwd", "stripetoken", "user[password]", "client_secret_2"] {
            assert!(names_secret(name), "{name}");
        }
        for name in ["", "http.request.method", "network.peer.address", "keys", "token", "tls.cipher", "dns.answers"] {
            assert!(!names_secret(name), "{name}");
        }
    }
}
