//! Places in a JSON document: JSONPath (RFC 9535), compiled when it is read and bounded when it is asked.
//!
//! jsonpath-rust reads the text. What it accepts beyond the RFC is refused in `compile`, and `select` and `filter` walk the
//! document: in a bounded number of steps, which the library's own walk does not offer.

mod automaton;
mod compile;
mod filter;
mod query;
mod select;

use std::fmt;

use jsonpath_rust::parser::{errors::JsonPathError, parse_json_path};
use probe_keys::{At, Definitions, Read};
use serde_json::{Value as Json, json};

pub use self::select::Exhausted;
use self::{query::Segment, select::Walk};

/// The longest text that is read, in bytes.
const LONGEST: usize = 4_096;

/// The most brackets and parentheses within each other.
const DEEPEST: usize = 32;

/// The most function calls within each other. The parser reads the arguments of each several times, so that its time
/// grows threefold with each level.
const CALLS: usize = 4;

/// A JSONPath.
#[derive(Clone, Debug)]
pub struct JsonPath {
    written: String,
    segments: Vec<Segment>,
}

// === impl JsonPath ===

impl JsonPath {
    /// Compiles it, with the regular expressions in it.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        bounded(text)?;
        let wrong = |reason: String| format!("this is not a JSONPath: {reason}");
        if !text.starts_with('$') {
            return Err(wrong("it must begin with `$`".to_owned()));
        }
        spaced(text).map_err(wrong)?;
        let query = parse_json_path(text).map_err(|error| wrong(reason(&error)))?;
        let segments = compile::segments(&query.segments).map_err(wrong)?;
        Ok(Self { written: text.to_owned(), segments })
    }

    /// The values at the places it names, in the order of the document.
    ///
    /// # Errors
    /// It would take more than a million steps, and two more for each byte of a document of `size` bytes.
    pub fn find<'j>(&self, document: &'j Json, size: usize) -> Result<Vec<&'j Json>, Exhausted> {
        Walk::new(document, size).find(&self.segments, document)
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Read for JsonPath {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(Self::new)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "pattern": "^\\$"})
    }
}

/// The text outside of its quotes, character by character, each with the one before it and its place in characters.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char, char)> {
    let (mut quote, mut escaped, mut before) = (None, false, ' ');
    text.chars().enumerate().filter_map(move |(place, current)| {
        let outside = quote.is_none();
        match quote {
            None => quote = Some(current).filter(|current| matches!(current, '\'' | '"')),
            Some(_) if escaped => escaped = false,
            Some(_) if current == '\\' => escaped = true,
            Some(end) if current == end => quote = None,
            Some(_) => {}
        }
        let one = (place, before, current);
        before = current;
        outside.then_some(one)
    })
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

const fn in_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii()
}

/// Refuses what would take the parser too long or too deep.
fn bounded(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("a JSONPath of {} bytes is too long: at most {LONGEST}", text.len()));
    }
    // For each open bracket whether it is a call's: the parser lets blanks stand before it, and refuses them later.
    let (mut open, mut last) = (Vec::new(), ' ');
    for (place, _, current) in unquoted(text).filter(|(.., current)| !is_blank(*current)) {
        let before = std::mem::replace(&mut last, current);
        match current {
            '(' => open.push(in_name(before)),
            '[' => open.push(false),
            ')' | ']' => drop(open.pop()),
            _ => continue,
        }
        if open.len() > DEEPEST {
            return Err(format!("this JSONPath is nested deeper than {DEEPEST} levels (at character {})", place + 1));
        }
        if open.iter().filter(|call| **call).count() > CALLS {
            return Err(format!("more than {CALLS} function calls within each other (at character {})", place + 1));
        }
    }
    Ok(())
}

/// Refuses blanks where the parser skips them and RFC 9535 does not: in a name, behind a dot, at the end.
fn spaced(text: &str) -> Result<(), String> {
    // Whether a name behind a dot is being read, and whether a blank came after its beginning.
    let (mut name, mut blank) = (false, false);
    for (place, before, current) in unquoted(text) {
        if is_blank(current) {
            if before == '.' {
                return Err(format!("a blank behind a dot (at character {})", place + 1));
            }
            blank = true;
            continue;
        }
        if name && blank && in_name(current) {
            return Err(format!("a blank inside of a name (at character {})", place + 1));
        }
        name = before == '.' && in_name(current) || name && !blank && in_name(current);
        blank = false;
    }
    if blank { Err("a blank at its end".to_owned()) } else { Ok(()) }
}

/// The parser draws the text with an arrow below it: here its place and reason in one line.
fn reason(error: &JsonPathError) -> String {
    use pest::error::{ErrorVariant, LineColLocation};
    match error {
        JsonPathError::PestError(error) => {
            let (LineColLocation::Pos((line, column)) | LineColLocation::Span((line, column), _)) = error.line_col;
            let place =
                if line == 1 { format!("character {column}") } else { format!("line {line}, character {column}") };
            let wanted = match &error.variant {
                ErrorVariant::ParsingError { positives, .. } if !positives.is_empty() => {
                    let mut names: Vec<String> = positives.iter().map(|rule| format!("{rule:?}")).collect();
                    names.iter_mut().for_each(|name| *name = name.replace("ALPHA", "letter").replace('_', " "));
                    names.sort_unstable();
                    names.dedup();
                    format!("expected {}", names.join(" or "))
                }
                _ => "it cannot be read".to_owned(),
            };
            format!("{wanted} at {place}")
        }
        JsonPathError::InvalidJsonPath(reason) => {
            let mut letters = reason.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
        other => other.to_string(),
    }
}
