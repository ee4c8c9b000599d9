//! What the log is told, a thread at a time: a test that runs on one thread sees its own lines.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
};

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes into the memory of its thread.
struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of this thread.
pub(crate) struct Log;

// === impl Log ===

impl Log {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        static LISTENING: Once = Once::new();
        // For all threads: whether a line is of interest is asked on the thread that comes upon it first.
        LISTENING.call_once(|| tracing_subscriber::fmt().with_writer(|| Writer).with_ansi(false).init());
        LINES.with_borrow_mut(Vec::clear);
        Self
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        LINES.with_borrow(|lines| String::from_utf8_lossy(lines).lines().map(str::to_owned).collect())
    }

    /// How many lines hold this text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(text)).count()
    }
}
