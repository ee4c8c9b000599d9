//! Reports as Sentry transactions and events.

mod checkin;
mod data;
pub mod delivery;
mod envelope;
mod event;
mod labels;
pub(crate) mod limits;
mod measurements;
mod monitors;
pub mod own;
mod run;
mod scrub;
mod settings;
mod sink;
mod spans;
pub mod spool;
mod transaction;
mod wire;

pub use checkin::{CheckIn, CheckInStatus, CronMonitor, Thinning};
pub use delivery::Delivery;
pub use envelope::Envelope;
pub use run::envelopes;
pub use settings::{Dsn, DsnError, Settings};
pub use sink::{SentrySink, heartbeat, last_heartbeat};
