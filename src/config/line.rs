//! Text of one line and a bounded length: what Sentry takes as a name or a label.

use probe_keys::{At, Definitions, Published, Read};
use serde_json::{Value as Json, json};

/// One line of 1 to `MOST` characters, meant to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<const MOST: usize>(pub(super) String);

impl<const MOST: usize> Read for Line<MOST> {
    fn read(at: &At<'_>) -> Option<Self> {
        let Published(text) = Published::read(at)?;
        match text.chars().count() {
            0 => at.wrong("it is empty"),
            _ if text.trim().is_empty() => at.wrong("it is blank"),
            _ if text.chars().any(char::is_control) => {
                at.wrong("a line break or control character is not allowed here")
            }
            length if length > MOST => at.wrong(format!("{length} characters are too many: Sentry takes {MOST}")),
            _ => return Some(Self(text)),
        }
        None
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number"], "minLength": 1, "maxLength": MOST})
    }
}
