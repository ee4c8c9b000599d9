//! What keeps the spool in order while the daemon runs.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Spool;

/// Every record is on the disk within a second: this, and the time that takes.
const PERIOD: Duration = Duration::from_millis(500);

/// Tends the spool until it is stopped; when this returns, nobody here holds it any more.
pub async fn keep(spool: Arc<Spool>, stop: CancellationToken) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let spool = Arc::clone(&spool);
        if let Err(error) = tokio::task::spawn_blocking(move || spool.tend(SystemTime::now())).await {
            tracing::error!(%error, "the spool could not be tended");
        }
    }
}
