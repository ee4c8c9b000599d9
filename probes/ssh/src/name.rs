//! Names that go onto a command line.

use probe_keys::{At, Definitions, Read};
use serde_json::{Value as Json, json};

/// A host's or a user's name: it can stand on a command line without being taken for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

// === impl Name ===

impl Name {
    /// Checks it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "'\"`;&<>|(){}".contains(c);
        match text {
            "" => Err("it is empty".to_owned()),
            text if text.starts_with('-') => Err("it begins with `-`: ssh would take it for an option".to_owned()),
            text => match text.chars().find(|c| odd(*c)) {
                Some(c) => Err(format!("{c:?} cannot stand in it")),
                None => Ok(Self(text.to_owned())),
            },
        }
    }
}

impl Read for Name {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(Self::parse)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "minLength": 1})
    }
}
