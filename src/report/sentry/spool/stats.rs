//! The spool in numbers.

use std::time::Duration;

use super::counts::Counts;

/// What lies in the spool, and what went through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Errors, changes of state, check-ins.
    pub urgent: Depth,
    /// Successful transactions.
    pub routine: Depth,
    /// Bytes of records on the disk, those included that are settled and not yet deleted.
    pub disk_bytes: u64,
    /// Bytes of waiting records in memory.
    pub memory_bytes: usize,
    /// Age of the oldest record; zero if the clock was set back behind it.
    pub oldest: Option<Duration>,
    /// Since the spool was opened.
    pub counts: Counts,
    /// Why the disk takes no records, while it takes none.
    pub trouble: Option<String>,
}

/// Records of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Records to be taken.
    pub waiting: u64,
    /// Records taken and not yet handed back.
    pub taken: u64,
}
