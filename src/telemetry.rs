//! The daemon's own log: to standard error, for people or as JSON, secrets masked.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    borrow::Cow,
    fmt,
    io::{self, Write},
    panic, thread,
};

use serde_json::Value;
use thiserror::Error;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::MakeWriter,
    layer::SubscriberExt,
    reload,
    util::{SubscriberInitExt, TryInitError},
};

use crate::redact::Redactor;

/// What is logged when `RUST_LOG` does not say: our own news, and the trouble of what we are built of.
const USUAL: &str = "warn,sentrynet=info";

/// A layer that someone else adds to the log.
pub type MoreLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The log, once it is started.
#[derive(Clone)]
pub struct Log {
    more: reload::Handle<Option<MoreLayer>, Registry>,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// Why there is no log.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// What `RUST_LOG` holds is no filter.
    #[error("RUST_LOG is not a filter ({0}); it looks like: warn,sentrynet=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another log is there.
    #[error(transparent)]
    Taken(#[from] TryInitError),
}

/// Masks whatever is written through it.
#[derive(Clone, Debug)]
struct Masked {
    redactor: Redactor,
    format: LogFormat,
}

/// One event's line, written when it is whole: a secret may come in pieces.
#[derive(Debug)]
struct Line {
    redactor: Redactor,
    format: LogFormat,
    text: Vec<u8>,
}

/// Starts the log. `filter` is what `RUST_LOG` holds; no secret that `redactor` knows, or will know, is written.
///
/// # Errors
/// A filter that cannot be read; a log that was started before.
pub fn start(format: LogFormat, filter: Option<&str>, colour: bool, redactor: Redactor) -> Result<Log, TelemetryError> {
    let filter = EnvFilter::try_new(filter.filter(|filter| !filter.trim().is_empty()).unwrap_or(USUAL))?;
    panics_go_through(redactor.clone());
    let lines = tracing_subscriber::fmt::layer().with_writer(Masked { redactor, format });
    let lines = match format {
        LogFormat::Text => lines.with_ansi(colour).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    let (slot, more) = reload::Layer::new(None);
    tracing_subscriber::registry().with(slot).with(lines.with_filter(filter)).try_init()?;
    Ok(Log { more })
}

// === impl Log ===

impl Log {
    /// From now on, hands events to this layer too.
    pub fn add(&self, layer: MoreLayer) {
        // It fails only when the subscriber is gone, and then nobody logs.
        let _ = self.more.reload(Some(layer));
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

// === impl Masked ===

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { redactor: self.redactor.clone(), format: self.format, text: Vec::new() }
    }
}

// === impl Line ===

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let masked = match (self.redactor.redact(&text), self.format) {
            (Cow::Owned(masked), LogFormat::Json) => as_json(&self.redactor, &text).unwrap_or(masked).into(),
            (masked, _) => masked,
        };
        // Where there is nowhere left to complain, nothing can be done.
        let _ = io::stderr().lock().write_all(masked.as_bytes());
    }
}

/// A line of JSON with its texts masked, so that it stays JSON whatever the secrets are; what it begins with is our own.
fn as_json(redactor: &Redactor, line: &str) -> Option<String> {
    let mut event: Value = serde_json::from_str(line).ok()?;
    for (name, value) in event.as_object_mut()? {
        if !["timestamp", "level", "target"].contains(&name.as_str()) {
            redactor.redact_json(value);
        }
    }
    Some(format!("{event}\n"))
}

/// What a panic says is masked, too; it may come at any time, and from a thread that has no log.
fn panics_go_through(redactor: Redactor) {
    panic::set_hook(Box::new(move |info| {
        let thread = thread::current();
        let mut told = format!("thread {:?} {info}\n", thread.name().unwrap_or("without a name"));
        // It looks for RUST_BACKTRACE itself.
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            told.push_str(&format!("{trace}\n"));
        }
        let _ = io::stderr().lock().write_all(redactor.redact(&told).as_bytes());
    }));
}

#[cfg(test)]
mod tests {
    use probe_core::Secret;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_of_json_stays_json_whatever_is_secret() {
        let redactor = Redactor::default();
        redactor.learn(["true", "2026", "say \"hello\""].map(Secret::new));
        let line =
            json!({"timestamp": "2026-11-21", "level": "INFO", "message": "a true say \"hello\"", "delivered": true});
        let masked: Value = serde_json::from_str(&as_json(&redactor, &line.to_string()).unwrap()).unwrap();
        let message = "a [redacted] [redacted]";
        assert_eq!(masked, json!({"timestamp": "2026-11-21", "level": "INFO", "message": message, "delivered": true}));
        assert_eq!(as_json(&redactor, "no JSON"), None);
    }
}
