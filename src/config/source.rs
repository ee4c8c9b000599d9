//! The files as they were read, and where in them a byte stands.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use probe_keys::Place;
use thiserror::Error;

/// The largest file: one of 40,000 checks is smaller. What is larger is not a configuration.
pub(super) const LARGEST: u64 = 8 << 20;

/// All files of one configuration; [`Place::source`] counts them.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<Source>);

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its path as the user knows it.
    pub(super) name: String,
    /// Its text, without a byte order mark; empty when it could not be read.
    pub(super) text: String,
}

/// Why a file cannot be read as text.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    #[error("there is no such file")]
    Missing,
    #[error("it is a directory, not a file")]
    Directory,
    #[error("it cannot be read: {0}")]
    Io(io::Error),
    #[error("it is larger than {} MiB: this cannot be a configuration", .0 >> 20)]
    TooLarge(u64),
    #[error("it is not UTF-8: byte 0x{byte:02x} in line {line}")]
    NotText { byte: u8, line: usize },
}

// === impl Sources ===

impl Sources {
    /// Adds a file and returns its number.
    pub(super) fn add(&mut self, name: String, text: String) -> u32 {
        self.0.push(Source { name, text });
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    /// The file with this number.
    pub(super) fn get(&self, number: u32) -> Option<&Source> {
        self.0.get(usize::try_from(number).ok()?)
    }
}

// === impl Source ===

impl Source {
    /// Line and column, both from 1, the column in characters.
    pub(super) fn line_column(&self, byte: usize) -> (usize, usize) {
        let before = self.before(byte);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// The bytes of `place` that lie on its first line, widened to whole characters, and that line's start and end.
    pub(super) fn first_line(&self, place: Place) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let start = self.before(place.start as usize).len();
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line_end = if self.text[line_start..line_end].ends_with('\r') { line_end - 1 } else { line_end };
        let end = self.before((place.end as usize).clamp(start, line_end.max(start))).len();
        (start..end, line_start..line_end.max(start))
    }

    /// The text before a byte, cut at a whole character.
    fn before(&self, byte: usize) -> &str {
        &self.text[..self.text.floor_char_boundary(byte)]
    }
}

/// Reads at most `most` bytes of text from a file.
pub(super) fn read(path: &Path, most: u64) -> Result<String, ReadError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ReadError::Missing,
        io::ErrorKind::IsADirectory => ReadError::Directory,
        _ => ReadError::Io(error),
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLarge(most));
    }
    let text = String::from_utf8(bytes).map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text));
    text.map_err(|error| {
        let (valid, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        ReadError::NotText { byte: bytes.get(valid).copied().unwrap_or_default(), line }
    })
}
