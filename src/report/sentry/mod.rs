//! Reports as Sentry transactions and events.

mod checkin;
mod settings;
pub mod spool;

pub use checkin::{CheckIn, CheckInStatus, CronMonitor, Thinning};
pub use settings::{Dsn, DsnError, Settings};
