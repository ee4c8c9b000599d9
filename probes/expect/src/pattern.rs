//! Regular expressions, compiled when they are read.

use std::fmt;

use probe_keys::{At, Definitions, Read};
use regex::Regex;
use serde_json::{Value as Json, json};

/// A regular expression. It matches in time linear in the text, whatever text a target sends.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

// === impl Pattern ===

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| format!("this is not a regular expression: {}", reason(&error)))
    }

    /// Whether it matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// What it finds, match by match: the first group, or the whole match where there is none.
    pub fn find<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.captures_iter(text).filter_map(|found| found.get(1).or_else(|| found.get(0))).map(|part| part.as_str())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Read for Pattern {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(Self::new)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "format": "regex"})
    }
}

/// The library's last line says why; those above it draw the place.
pub(crate) fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::Syntax(text) => {
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
        regex::Error::CompiledTooBig(most) => format!("it would take more than {most} bytes of memory"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_in_one_line() {
        assert_eq!(Pattern::new("a(b").unwrap_err(), "this is not a regular expression: unclosed group");
        let error = Pattern::new("(?:a{1000}){1000}").unwrap_err();
        assert!(error.contains("bytes of memory"), "{error}");
    }

    #[test]
    fn the_first_group_is_what_is_found() {
        let found = |pattern: &str| Pattern::new(pattern).unwrap().find("id=1 id=22").collect::<Vec<_>>();
        assert_eq!(found("id=([0-9]+)"), ["1", "22"]);
        assert_eq!(found("id=[0-9]{2}"), ["id=22"]);
        assert_eq!(found("(x)?id=2"), ["id=2"]);
        assert_eq!(found("y"), [""; 0]);
    }
}
