//! Reports as Sentry transactions and events.

mod checkin;
mod envelope;
mod settings;
pub mod spool;

pub use checkin::{CheckIn, CheckInStatus, CronMonitor, Thinning};
pub use envelope::Envelope;
pub use settings::{Dsn, DsnError, Settings};
