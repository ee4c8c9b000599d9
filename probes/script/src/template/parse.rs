//! Template text, read: the grammar of Python's `str.format`, whose parser this follows step by step.

use thiserror::Error;

use super::{
    Part,
    field::{Access, Conversion, Field, FieldSpec},
    spec::{Spec, SpecError},
};

/// Text that is no template. The message is for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SyntaxError {
    /// `a } b`
    #[error("a `}}` that closes nothing: write `}}}}` for a brace that is to stay")]
    LoneClose,
    /// `a {`
    #[error("a `{{` at the end: write `{{{{` for a brace that is to stay")]
    LoneOpen,
    /// `{name`
    #[error("`{{{0}` is never closed: write `{{{{` for a brace that is to stay")]
    Unclosed(String),
    /// `{na{me}`
    #[error("a `{{` inside the name of a key, after `{{{0}`: write `{{{{` for a brace that is to stay")]
    OpenInName(String),
    /// `{}`, `{0}`
    #[error(
        "`{{{0}}}` counts its fields: a template names keys, as in `{{id}}`; write `{{{{` for a brace that is to stay"
    )]
    Positional(String),
    /// `{a.}`, `{a[]}`
    #[error("`{{{0}}}`: a name is missing after `.` or in `[]`")]
    EmptyAccess(String),
    /// `{a[0}`
    #[error("`{{{0}}}`: the `]` is missing")]
    MissingBracket(String),
    /// `{a[0]b}`
    #[error("`{{{0}}}`: only `.` or `[` may follow `]`")]
    AfterBracket(String),
    /// `{a[99999999999999999999]}`
    #[error("`{{{0}}}`: the index is too large")]
    IndexTooLarge(String),
    /// `{a!z}`
    #[error(
        "`{{{field}}}`: unknown conversion `!{letter}`; there are `!s` (text), `!r` (in quotes) and `!a` (in quotes, ASCII only)"
    )]
    Conversion {
        /// The field.
        field: String,
        /// What stands after `!`.
        letter: char,
    },
    /// `{a!rx}`
    #[error("`{{{0}`: after a conversion comes `:` or the end")]
    AfterConversion(String),
    /// `{a:{b:{c}}}`
    #[error("`{{{0}}}`: a field in the format spec of a field in a format spec is too much")]
    TooDeep(String),
    /// `{a:q}`
    #[error("`{{{field}}}`: {error}")]
    Spec {
        /// The field.
        field: String,
        /// What is wrong with its spec.
        error: SpecError,
    },
}

/// Fields in fields: those of a template, and those in their format specs.
const DEPTH: u8 = 2;

/// Reads a whole template.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, SyntaxError> {
    parts(text, DEPTH)
}

fn parts(text: &str, depth: u8) -> Result<Vec<Part>, SyntaxError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, found) = rest.split_at(at);
        let (brace, after) = found.split_at(1);
        literal.push_str(before);
        if let Some(behind) = after.strip_prefix(brace) {
            literal.push_str(brace);
            rest = behind;
        } else if brace == "}" {
            return Err(SyntaxError::LoneClose);
        } else if after.is_empty() {
            return Err(SyntaxError::LoneOpen);
        } else {
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            let (field, behind) = field(after, depth)?;
            parts.push(Part::Field(field));
            rest = behind;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// One field and what is behind its closing brace; `text` begins behind the opening one.
fn field(text: &str, depth: u8) -> Result<(Field, &str), SyntaxError> {
    let unclosed = || SyntaxError::Unclosed(text.to_owned());
    let end = end_of_name(text)?.ok_or_else(unclosed)?;
    let name = &text[..end];
    let mut conversion = None;
    let mut spec = "";
    let mut rest = &text[end..];
    if let Some(after) = rest.strip_prefix('!') {
        let letter = after.chars().next().ok_or_else(unclosed)?;
        conversion = Some(letter);
        rest = &after[letter.len_utf8()..];
        if !rest.starts_with(['}', ':']) {
            let here = text[..text.len() - rest.len()].to_owned();
            return Err(if rest.is_empty() { unclosed() } else { SyntaxError::AfterConversion(here) });
        }
    }
    if let Some(after) = rest.strip_prefix(':') {
        let end = end_of_spec(after).ok_or_else(unclosed)?;
        (spec, rest) = after.split_at(end);
    }
    let written = text[..text.len() - rest.len()].to_owned();
    let rest = &rest[1..];

    let (key, access) = accesses(name, &written)?;
    let conversion = match conversion {
        None => None,
        Some('s') => Some(Conversion::Str),
        Some('r') => Some(Conversion::Repr),
        Some('a') => Some(Conversion::Ascii),
        Some(letter) => return Err(SyntaxError::Conversion { field: written, letter }),
    };
    let spec = if depth == 1 && spec.contains('{') {
        return Err(SyntaxError::TooDeep(written));
    } else {
        read_spec(spec, depth, conversion).map_err(|error| match error {
            Wrong::Spec(error) => SyntaxError::Spec { field: written.clone(), error },
            Wrong::Syntax(error) => error,
        })?
    };
    Ok((Field { written, key, access, conversion, spec }, rest))
}

/// What a spec can be wrong in.
enum Wrong {
    Spec(SpecError),
    Syntax(SyntaxError),
}

fn read_spec(text: &str, depth: u8, conversion: Option<Conversion>) -> Result<FieldSpec, Wrong> {
    if text.is_empty() {
        return Ok(FieldSpec::Absent);
    }
    if text.contains('{') {
        return parts(text, depth - 1).map(FieldSpec::Filled).map_err(Wrong::Syntax);
    }
    let spec = Spec::parse(text).map_err(Wrong::Spec)?;
    if conversion.is_some() {
        spec.fits_text().map_err(Wrong::Spec)?;
    }
    Ok(FieldSpec::Fixed(spec))
}

/// Where the name of a field ends: at `}`, `:` or `!` outside of brackets.
fn end_of_name(text: &str) -> Result<Option<usize>, SyntaxError> {
    let mut in_brackets = false;
    for (at, letter) in text.char_indices() {
        match letter {
            ']' => in_brackets = false,
            _ if in_brackets => {}
            '[' => in_brackets = true,
            '{' => return Err(SyntaxError::OpenInName(text[..at].to_owned())),
            '}' | ':' | '!' => return Ok(Some(at)),
            _ => {}
        }
    }
    Ok(None)
}

/// Where the format spec ends: at the brace that closes the field.
fn end_of_spec(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// The key of a field's name, and the steps into its value.
fn accesses(name: &str, written: &str) -> Result<(String, Vec<Access>), SyntaxError> {
    let field = || written.to_owned();
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (key, mut rest) = name.split_at(end);
    if key.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SyntaxError::Positional(field()));
    }
    let mut accesses = Vec::new();
    while !rest.is_empty() {
        let asked;
        if let Some(after) = rest.strip_prefix('.') {
            (asked, rest) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            accesses.push(Access::Attribute(asked.to_owned()));
        } else if let Some(after) = rest.strip_prefix('[') {
            (asked, rest) = after.split_once(']').ok_or_else(|| SyntaxError::MissingBracket(field()))?;
            accesses.push(if asked.is_empty() || asked.contains(|letter: char| !letter.is_ascii_digit()) {
                Access::Item(asked.to_owned())
            } else {
                Access::Index(asked.parse().map_err(|_| SyntaxError::IndexTooLarge(field()))?)
            });
        } else {
            return Err(SyntaxError::AfterBracket(field()));
        }
        if asked.is_empty() {
            return Err(SyntaxError::EmptyAccess(field()));
        }
    }
    Ok((key.to_owned(), accesses))
}
