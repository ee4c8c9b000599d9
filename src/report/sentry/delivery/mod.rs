//! From the spool to Sentry, until Sentry has it.
//!
//! One task takes envelopes from the spool, the urgent ones first, and keeps a few posts in flight over kept-alive
//! connections. An envelope leaves the spool when Sentry has answered 2xx, or has refused it for good. What failed is
//! tried again with its event id unchanged, so that Sentry can tell a repeat. `fate.rs` says what an answer means,
//! `road.rs` when nothing is sent at all, `rate_limits.rs` what is held back, `aside.rs` what becomes of a single
//! envelope that fails while others arrive.

mod aside;
mod backoff;
mod carrier;
mod fate;
mod gzip;
mod header;
mod https;
mod losses;
mod rate_limits;
mod refusals;
mod road;
mod sender;
mod settings;
mod stats;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::sender::{Flush, Sender, Shared};
pub use self::{
    carrier::{Answer, Broken, Carrier},
    https::{Https, HttpsError},
    settings::{Authorities, AuthoritiesError, DeliverySettings, Proxy, ProxyError},
    stats::{DeliveryStats, Held, Trouble},
};
use super::{
    Envelope, Settings,
    spool::{Lane, Locked, NewRecord, Spool, keep},
};

/// Delivery to one Sentry project: the spool, and the tasks that empty it and keep it in order until this is dropped.
#[derive(Debug)]
pub struct Delivery {
    spool: Arc<Spool>,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Flush>,
    sender: AbortOnDropHandle<()>,
    keeper: AbortOnDropHandle<()>,
    stop: CancellationToken,
}

/// How hard Sentry is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Posts in flight at most.
    pub posts: usize,
    /// The bound on one post, from the connection to the whole answer.
    pub limit: Duration,
    /// How long a successful run may wait for others, to be posted with them.
    pub gather: Duration,
}

/// Why nothing can be delivered.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// Another daemon uses the spool.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// No post can be made.
    #[error(transparent)]
    Https(#[from] HttpsError),
}

// === impl Delivery ===

impl Delivery {
    /// Opens the spool, in the state directory unless the settings say where, and starts to send what lies there.
    /// Needs a running tokio runtime; connects nothing yet.
    ///
    /// # Errors
    /// When another daemon uses the spool, or TLS cannot be set up.
    pub fn open(settings: &Settings, state: &Path) -> Result<Self, DeliveryError> {
        let carrier = Arc::new(Https::new(&settings.dsn, &settings.delivery)?);
        let spool = Spool::open(settings.delivery.directory(state), settings.delivery.limits)?;
        Ok(Self::start(Arc::new(spool), carrier, Pace::default()))
    }

    /// Starts to send what lies in a spool.
    pub fn start(spool: Arc<Spool>, carrier: Arc<dyn Carrier>, pace: Pace) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let shared = Arc::<Shared>::default();
        let sender = Sender::new(Arc::clone(&spool), carrier, Arc::clone(&shared), pace);
        let stop = CancellationToken::new();
        let keeper = keep(Arc::clone(&spool), stop.clone());
        let [sender, keeper] = [tokio::spawn(sender.run(received)), tokio::spawn(keeper)].map(AbortOnDropHandle::new);
        Self { spool, shared, orders, sender, keeper, stop }
    }

    /// Takes an envelope: it has reached the kernel when this returns. Never waits for the network.
    pub fn take(&self, envelope: &Envelope) {
        let Envelope { lane, category, event_id, bytes } = envelope;
        let record = NewRecord { lane: *lane, category: *category, event_id: *event_id, payload: bytes };
        self.spool.push(&record, SystemTime::now());
        match lane {
            Lane::Urgent => self.shared.urgent.notify_one(),
            Lane::Routine => self.shared.routine.notify_one(),
        }
    }

    /// Waits until all is delivered, at most `limit`; false if something was left, which stays in the spool. Returns
    /// early when nothing more can be delivered within `limit`.
    pub async fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let (done, answer) = oneshot::channel();
        let asked = self.orders.send(Flush { deadline, done }).is_ok();
        let answer = async { if asked { answer.await.ok() } else { None } };
        timeout_at(deadline, answer).await.ok().flatten().unwrap_or_else(|| self.spool.depth() == 0)
    }

    /// How it goes.
    pub fn stats(&self) -> DeliveryStats {
        let (now, progress) = (Instant::now(), self.shared.progress().clone());
        let held = progress.held.into_iter().filter(|(_, until)| *until > now);
        DeliveryStats {
            spool: self.spool.stats(SystemTime::now()),
            in_flight: progress.in_flight,
            set_aside: progress.set_aside,
            held: held.map(|(category, until)| Held { category, remaining: until - now }).collect(),
            trouble: progress.trouble.map(|trouble| Trouble {
                lasting: now - trouble.since,
                retry_in: trouble.until.saturating_duration_since(now),
                why: trouble.why,
            }),
            last_success: progress.last_success,
        }
    }

    /// Stops at once and gives the spool free. What was on its way is sent again by whoever opens the spool next.
    pub async fn close(self) {
        self.stop.cancel();
        self.sender.abort();
        // One ends as cancelled, the other when what it does with the disk is done.
        drop((self.sender.await, self.keeper.await));
    }
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self { posts: 4, limit: Duration::from_secs(30), gather: Duration::from_millis(500) }
    }
}
