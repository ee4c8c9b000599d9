//! A text as it reads with its escapes undone, and where each byte of that stands in the text.
//!
//! Targets, libraries and command lines write a value in more ways than anybody can list: in JSON, in JSON within JSON, in
//! HTML, percent-encoded once or twice, in quotes of a shell. Undone layer by layer, all of them read as the value.

use std::ops::Range;

/// How many layers of escapes are undone.
const LAYERS: usize = 3;

/// The longest escape that is looked at, in bytes: `&#x10ffff;`, `\u{10ffff}`.
const LONGEST: usize = 12;

/// A text with a layer of escapes undone.
#[derive(Debug)]
pub(super) struct View {
    bytes: Vec<u8>,
    /// For each byte, which bytes of the text it stands for.
    origins: Vec<Range<usize>>,
}

/// The text with one layer of escapes undone, with two, and so on; none where there are none. Of a text that was `cut`, an
/// escape that its end cut in two is left out.
pub(super) fn layers(text: &[u8], cut: bool) -> Vec<View> {
    let mut layers: Vec<View> = Vec::new();
    while layers.len() < LAYERS {
        let next = match layers.last() {
            None => undo(text, |at| at..at + 1, cut),
            Some(view) => undo(&view.bytes, |at| view.origins[at].clone(), cut),
        };
        match next {
            Some(view) => layers.push(view),
            None => break,
        }
    }
    layers
}

// === impl View ===

impl View {
    /// The text without the escapes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Which bytes of the text these bytes of the view stand for.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let of = |at: usize| self.origins.get(at).cloned().unwrap_or_default();
        of(range.start).start..of(range.end.saturating_sub(1)).end
    }
}

/// What an escape stands for.
struct Undone {
    bytes: [u8; 4],
    size: usize,
    /// How many bytes it is written with.
    written: usize,
}

// === impl Undone ===

impl Undone {
    const fn byte(byte: u8, written: usize) -> Self {
        Self { bytes: [byte, 0, 0, 0], size: 1, written }
    }

    fn character(code: u32, written: usize) -> Option<Self> {
        let mut bytes = [0; 4];
        let size = char::from_u32(code)?.encode_utf8(&mut bytes).len();
        Some(Self { bytes, size, written })
    }
}

/// Undoes one layer; `origin` tells which bytes of the text a byte stands for.
fn undo(bytes: &[u8], origin: impl Fn(usize) -> Range<usize>, cut: bool) -> Option<View> {
    bytes.iter().find(|byte| b"%\\&".contains(byte))?;
    let mut view = View { bytes: Vec::with_capacity(bytes.len()), origins: Vec::with_capacity(bytes.len()) };
    let (mut at, mut differs) = (0, false);
    while at < bytes.len() {
        let rest = &bytes[at..];
        match escape(rest) {
            Some(undone) => {
                let whole = origin(at).start..origin(at + undone.written - 1).end;
                view.bytes.extend(&undone.bytes[..undone.size]);
                view.origins.extend(std::iter::repeat_n(whole, undone.size));
                (at, differs) = (at + undone.written, true);
            }
            None if cut && is_begun(rest) => {
                differs = true;
                break;
            }
            None => {
                view.bytes.push(bytes[at]);
                view.origins.push(origin(at));
                at += 1;
            }
        }
    }
    differs.then_some(view)
}

/// The escape that this begins with.
fn escape(rest: &[u8]) -> Option<Undone> {
    match rest {
        [b'%', high, low, ..] => Some(Undone::byte(hexadecimal(&[*high, *low])? as u8, 3)),
        // A quote in what a shell has in quotes.
        [b'\'', b'\\', b'\'', b'\'', ..] => Some(Undone::byte(b'\'', 4)),
        [b'\\', b'u', b'{', digits @ ..] => {
            let end = digits.iter().take(LONGEST).position(|byte| *byte == b'}')?;
            Undone::character(hexadecimal(&digits[..end])?, end + 4)
        }
        [b'\\', b'u', digits @ ..] => {
            let code = hexadecimal(digits.get(..4)?)?;
            match (code, digits.get(4..10)) {
                // Beyond 16 bits JSON writes two (RFC 8259, 7).
                (0xd800..0xdc00, Some([b'\\', b'u', low @ ..])) => {
                    let low = hexadecimal(low).filter(|low| (0xdc00..0xe000).contains(low))?;
                    Undone::character(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), 12)
                }
                _ => Undone::character(code, 6),
            }
        }
        [b'\\', b'x', high, low, ..] => Some(Undone::byte(hexadecimal(&[*high, *low])? as u8, 4)),
        [b'\\', letter, ..] if letter.is_ascii() => Some(Undone::byte(
            match letter {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                other => *other,
            },
            2,
        )),
        [b'&', entity @ ..] => {
            let end = entity.iter().take(LONGEST).position(|byte| *byte == b';')?;
            let code = match &entity[..end] {
                b"amp" => u32::from(b'&'),
                b"lt" => u32::from(b'<'),
                b"gt" => u32::from(b'>'),
                b"quot" => u32::from(b'"'),
                b"apos" => u32::from(b'\''),
                b"nbsp" => 0xa0,
                [b'#', b'x' | b'X', digits @ ..] => hexadecimal(digits)?,
                [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
                _ => return None,
            };
            Undone::character(code, end + 2)
        }
        _ => None,
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// Whether this is the beginning of an escape, to the end of the text.
fn is_begun(rest: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"#{".contains(byte);
    rest.len() < LONGEST && matches!(rest, [b'%' | b'\\' | b'&', inner @ ..] if inner.iter().all(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        layers(text.as_bytes(), false).iter().map(|view| String::from_utf8_lossy(view.bytes()).into_owned()).collect()
    }

    #[test]
    fn each_escape_is_undone() {
        for (text, want) in [
            ("a%20b%c3%BC", "a bü"),
            (r#"a\"b\\c\/d\u00fc\ud83d\ude00\n"#, "a\"b\\c/dü😀\n"),
            (r"it'\''s \u{fc} \xe4", "it's ü \u{fffd}"),
            ("a&amp;b&#39;&#x27;&quot;&lt;&gt;", "a&b''\"<>"),
        ] {
            assert_eq!(read(text)[0], want, "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["", "plain", "100 % & more", "%zz", "\\", r"\u12", r"\ud800", "&unknown;", "&#xffffffff;", "%"] {
            assert!(read(text).iter().all(|view| view == text), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn layers_are_undone_one_by_one_and_not_for_ever() {
        assert_eq!(read("%2541"), ["%41", "A"]);
        assert_eq!(read(r#""{\"a\": \"x\\\"y\"}""#), [r#""{"a": "x\"y"}""#, r#""{"a": "x"y"}""#]);
        assert_eq!(read("%2525252541").len(), LAYERS);
    }

    #[test]
    fn every_byte_knows_where_it_stands() {
        let text = "ä%2541\\u00fcz";
        let views = layers(text.as_bytes(), false);
        let at = |view: &View, what: &str| {
            let start = String::from_utf8_lossy(view.bytes()).find(what).unwrap();
            &text[view.origin(&(start..start + what.len()))]
        };
        assert_eq!(at(&views[0], "%41ü"), "%2541\\u00fc");
        assert_eq!(at(&views[1], "Aü"), "%2541\\u00fc");
        assert_eq!(at(&views[1], "äA"), "ä%2541");
        assert_eq!(at(&views[1], "z"), "z");
    }

    #[test]
    fn an_escape_that_was_cut_in_two_is_left_out() {
        for (text, want) in [("ab%2", "ab"), (r"ab\u00f", "ab"), ("ab&am", "ab"), ("a%20b%", "a b")] {
            assert_eq!(String::from_utf8_lossy(layers(text.as_bytes(), true)[0].bytes()), want);
        }
    }
}
