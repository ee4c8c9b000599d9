//! Reports as Sentry transactions and events.

mod checkin;
pub mod delivery;
mod envelope;
mod settings;
mod sink;
pub mod spool;

pub use checkin::{CheckIn, CheckInStatus, CronMonitor, Thinning};
pub use delivery::Delivery;
pub use envelope::Envelope;
pub use settings::{Dsn, DsnError, Settings};
pub use sink::{Envelopes, SentrySink};
