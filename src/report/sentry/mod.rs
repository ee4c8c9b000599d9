//! Reports as Sentry transactions and events.

mod settings;
pub mod spool;

pub use settings::{Dsn, DsnError, Settings};
