//! Reports as Sentry transactions and events.

mod settings;

pub use settings::{Dsn, DsnError, Settings};
