//! Text that must not be shown.

use std::fmt;

/// A secret: it can be used, and it cannot be printed.
///
/// `Debug` shows a mask, and there is no `Display`. What a library or a target makes of the value (an error text, an
/// echo) is caught by value, where reports leave the program.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

// === impl Secret ===

impl Secret {
    /// What stands in a secret's place.
    pub const MASK: &str = "[redacted]";

    /// Marks a text as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for use and not for show.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}
