//! Paths of files, relative to the file they are written in.

use std::path::Path;

use serde_json::Value as Json;

use crate::{At, Definitions, Read, Text};

/// The path of a file, or, where it can be told from one, what would stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOrText(pub Text);

// === impl FileOrText ===

impl Read for FileOrText {
    fn read(at: &At<'_>) -> Option<Self> {
        let mut text = Text::read(at)?;
        // Neither what stands in a file nor a home (`~/`) is relative to anything.
        let is_path = !text.text.contains('\n') && !text.text.starts_with("-----") && !text.text.starts_with('~');
        let directory =
            at.findings().directory(at.node.place).filter(|_| is_path && Path::new(&text.text).is_relative());
        if let Some(path) = directory.and_then(|directory| directory.join(&text.text).to_str().map(str::to_owned)) {
            text.text = path;
        }
        Some(Self(text))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Text::schema(definitions)
    }
}
