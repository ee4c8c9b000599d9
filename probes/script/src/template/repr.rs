//! Values as text: Python's `str`, `repr` and `ascii`, with booleans and null as JSON has them, at any depth.

use std::fmt::Write;

use serde_json::{Number, Value};

use super::float;

/// What is still to be written.
enum Left<'v> {
    Value(&'v Value),
    Key(&'v str),
    Mark(&'static str),
}

/// `str(value)`: text as it is, anything else as [`repr`] has it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`. It does not recurse: a target chooses how deep its answer is.
pub(super) fn repr(value: &Value) -> String {
    let mut written = String::new();
    let mut left = vec![Left::Value(value)];
    while let Some(next) = left.pop() {
        match next {
            Left::Mark(mark) => written.push_str(mark),
            Left::Key(key) => quote(key, &mut written),
            Left::Value(Value::Null) => written.push_str("null"),
            Left::Value(Value::Bool(value)) => written.push_str(if *value { "true" } else { "false" }),
            Left::Value(Value::Number(value)) => written.push_str(&number(value)),
            Left::Value(Value::String(text)) => quote(text, &mut written),
            Left::Value(Value::Array(values)) => {
                written.push('[');
                left.push(Left::Mark("]"));
                for (index, value) in values.iter().enumerate().rev() {
                    left.push(Left::Value(value));
                    left.push(Left::Mark(if index > 0 { ", " } else { "" }));
                }
            }
            Left::Value(Value::Object(fields)) => {
                written.push('{');
                left.push(Left::Mark("}"));
                for (index, (key, value)) in fields.iter().enumerate().rev() {
                    left.extend([Left::Value(value), Left::Mark(": "), Left::Key(key)]);
                    left.push(Left::Mark(if index > 0 { ", " } else { "" }));
                }
            }
        }
    }
    written
}

/// `ascii(value)`: `repr` with every other letter escaped.
pub(super) fn ascii(value: &Value) -> String {
    let mut written = String::new();
    for letter in repr(value).chars() {
        if letter.is_ascii() { written.push(letter) } else { escape(letter, &mut written) }
    }
    written
}

fn number(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) if float.is_sign_negative() => format!("-{}", float::shortest(-float, false)),
        Some(float) => float::shortest(float, false),
        None => number.to_string(),
    }
}

/// Text in Python's quotes: double ones only where they save an escape.
fn quote(text: &str, written: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    written.push(mark);
    for letter in text.chars() {
        match letter {
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\\' => written.push_str("\\\\"),
            letter if letter == mark => written.extend(['\\', letter]),
            letter if is_printable(letter) => written.push(letter),
            letter => escape(letter, written),
        }
    }
    written.push(mark);
}

/// Python's `str.isprintable`. The standard library's `Debug` of text escapes by the same categories of Unicode (all of
/// "other" and "separator" but the space); behind another letter it leaves marks that combine alone, as Python does.
fn is_printable(letter: char) -> bool {
    let mut buffer = [b'x'; 5];
    let length = letter.encode_utf8(&mut buffer[1..]).len();
    letter == '"'
        || letter == '\''
        || std::str::from_utf8(&buffer[..=length]).is_ok_and(|pair| pair.escape_debug().nth(1) == Some(letter))
}

fn escape(letter: char, written: &mut String) {
    // Writing to a string does not fail.
    let _ = match u32::from(letter) {
        code @ ..=0xff => write!(written, "\\x{code:02x}"),
        code @ ..=0xffff => write!(written, "\\u{code:04x}"),
        code => write!(written, "\\U{code:08x}"),
    };
}
