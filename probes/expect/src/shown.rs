//! Values as people are shown them: whole when short, their beginning when long.

use std::fmt;

/// Characters of a value that a message carries.
const LONGEST: usize = 200;

/// Writes a value, or its beginning; no more of it is even formatted than is shown.
pub fn shown(value: impl fmt::Display) -> String {
    let mut short = Short { text: String::new(), room: LONGEST };
    // The only error is our own: there is no room left.
    if fmt::write(&mut short, format_args!("{value}")).is_err() {
        short.text.push('…');
    }
    short.text
}

/// Takes so many characters and then refuses.
struct Short {
    text: String,
    room: usize,
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match text.char_indices().nth(self.room) {
            Some((end, _)) => {
                self.text.push_str(&text[..end]);
                self.room = 0;
                Err(fmt::Error)
            }
            None => {
                self.room -= text.chars().count();
                self.text.push_str(text);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(shown("é".repeat(LONGEST)), "é".repeat(LONGEST));
        assert_eq!(shown("é".repeat(LONGEST + 1)), format!("{}…", "é".repeat(LONGEST)));
        assert_eq!(shown(json!(vec![1; 1_000])).chars().count(), LONGEST + 1);
        assert_eq!(shown(json!({"a": null})), r#"{"a":null}"#);
    }
}
