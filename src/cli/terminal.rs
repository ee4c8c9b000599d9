//! Where a command prints: standard output, with or without colour.

use std::{
    borrow::Cow,
    fmt,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use anstyle::{AnsiColor, Style};

/// Narrower and wider terminals are written to as if they were these.
const WIDTHS: (usize, usize) = (60, 160);

/// Standard output, shared by all who print. What a closed pipe does not take is dropped.
#[derive(Clone)]
pub struct Terminal {
    out: Arc<Mutex<dyn Write + Send>>,
    /// Whether colours may be used.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

/// Marks a text for people who see colours.
#[derive(Clone, Copy, Debug)]
pub(super) enum Paint {
    /// What is well.
    Good,
    /// What is broken.
    Bad,
    /// What cannot be told.
    Doubtful,
    /// What matters less.
    Faint,
    /// What matters more.
    Strong,
}

// === impl Terminal ===

impl Terminal {
    /// Prints to `out`, `width` columns wide.
    pub fn new(out: impl Write + Send + 'static, colour: bool, width: usize) -> Self {
        Self { out: Arc::new(Mutex::new(out)), colour, width: width.clamp(WIDTHS.0, WIDTHS.1) }
    }

    /// Prints a text at once, undivided.
    pub fn print(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// The text, marked if colours may be used.
    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = paint.style();
        format!("{style}{text}{style:#}")
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("colour", &self.colour).field("width", &self.width).finish_non_exhaustive()
    }
}

// === impl Paint ===

impl Paint {
    const fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}
/// A text from outside, without what would make a terminal do something: control characters, and those that turn the
/// direction of writing (Unicode TR 36). A line break stays where `lines` may be several.
pub(super) fn printable(text: &str, lines: bool) -> Cow<'_, str> {
    let acts = |letter: char| {
        (letter.is_control() && !(lines && matches!(letter, '\n' | '\t')))
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let shown = |letter: char| match acts(letter) {
        true => letter.escape_unicode().to_string(),
        false => letter.to_string(),
    };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_does_nothing_to_the_terminal() {
        assert_eq!(printable("\u{1b}[31mred\u{7}\u{202e}", false), "\\u{1b}[31mred\\u{7}\\u{202e}");
        assert_eq!(printable("a\nb", false), "a\\u{a}b");
        assert!(matches!(printable("a\nb\tü", true), Cow::Borrowed(_)));
    }
}
