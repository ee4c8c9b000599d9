//! The task that takes envelopes from the spool and posts them, for as long as the daemon runs.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use probe_core::BoxFuture;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    super::spool::{Category, Reason, Record, Spool},
    Pace,
    aside::{Aside, Tried},
    backoff,
    carrier::{Answer, Broken, Carrier},
    fate::{Failed, Fate},
    header::stamped,
    losses::{Known, Losses},
    rate_limits::RateLimits,
    refusals::Refusals,
    road::{Road, Trouble},
};

/// How often losses are looked for that nothing else brings up.
const LOSSES: Duration = Duration::from_mins(1);

/// What the sender and those who ask about it share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Something urgent was pushed.
    pub(super) urgent: Notify,
    /// Something was pushed that can wait for company.
    pub(super) routine: Notify,
    progress: Mutex<Progress>,
}

/// How the sender gets on.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) in_flight: usize,
    pub(super) set_aside: usize,
    pub(super) held: Vec<(Category, Instant)>,
    pub(super) trouble: Option<Trouble>,
    pub(super) last_success: Option<SystemTime>,
}

/// Somebody waits until all is delivered.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) deadline: Instant,
    pub(super) done: oneshot::Sender<bool>,
}

#[derive(Debug)]
pub(super) struct Sender {
    spool: Arc<Spool>,
    carrier: Arc<dyn Carrier>,
    shared: Arc<Shared>,
    pace: Pace,
    max_age: Duration,
    road: Road,
    limits: RateLimits,
    aside: Aside,
    losses: Losses,
    refusals: Refusals,
    posts: FuturesUnordered<BoxFuture<'static, Ended>>,
    flushes: Vec<Flush>,
    last_success: Option<SystemTime>,
}

/// What a post carried.
#[derive(Debug)]
enum Cargo {
    Envelope(Tried),
    ClientReport(Known),
}

/// A post that is over.
#[derive(Debug)]
struct Ended {
    cargo: Cargo,
    result: Result<Answer, Broken>,
}

// === impl Sender ===

impl Sender {
    pub(super) fn new(spool: Arc<Spool>, carrier: Arc<dyn Carrier>, shared: Arc<Shared>, pace: Pace) -> Self {
        Self {
            max_age: spool.limits().max_age,
            spool,
            carrier,
            shared,
            pace,
            road: Road::new(pace.posts),
            limits: RateLimits::default(),
            aside: Aside::default(),
            losses: Losses::new(Instant::now()),
            refusals: Refusals::default(),
            posts: FuturesUnordered::new(),
            flushes: Vec::new(),
            last_success: None,
        }
    }

    /// Sends for as long as this is polled.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Flush>) {
        let shared = Arc::clone(&self.shared);
        let mut losses = interval(LOSSES);
        losses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Until then, what is not urgent gathers: each wake-up for one alone costs more than its post.
        let mut gathering: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if gathering.is_none() || !self.posts.is_empty() || !self.flushes.is_empty() {
                self.start_posts(now);
            }
            self.answer_flushes(now);
            self.publish(now);
            let chance = self.next_chance(now);
            let room = self.room(now) > 0;
            tokio::select! {
                Some(ended) = self.posts.next() => self.settle(ended, Instant::now()),
                () = shared.urgent.notified(), if room => gathering = None,
                () = shared.routine.notified(), if room && gathering.is_none() => {
                    gathering = Some(Instant::now() + self.pace.gather);
                }
                () = sleep_until(gathering.unwrap_or(now)), if gathering.is_some() => gathering = None,
                Some(flush) = orders.recv() => self.flushes.push(flush),
                () = sleep_until(chance.unwrap_or(now)), if chance.is_some() => gathering = None,
                _ = losses.tick() => self.losses.log(&self.spool.stats(SystemTime::now()).counts),
            }
        }
    }

    /// How many posts can start now.
    fn room(&self, now: Instant) -> usize {
        self.road.width(now).saturating_sub(self.posts.len())
    }

    /// When something can start that cannot now, if nothing ends or is pushed before.
    fn next_chance(&self, now: Instant) -> Option<Instant> {
        if let Some(until) = self.road.closed_until(now) {
            return Some(until);
        }
        let due = self.aside.next_due(self.limits.held(now));
        let next = || due.into_iter().chain(self.limits.next_end(now)).min();
        (self.room(now) > 0).then(next).flatten()
    }

    fn start_posts(&mut self, now: Instant) {
        let (wall, mut room) = (SystemTime::now(), self.room(now));
        if room == 0 {
            return;
        }
        self.expire(wall);
        let held = self.limits.held(now);
        // What failed before is not what the road is tried with: it may be its own fault.
        let trying = self.road.trouble().is_some();
        if !trying && !held.contains(Category::ClientReport) && self.report_losses(now, wall) {
            room -= 1;
        }
        let mut chosen = Vec::new();
        if !trying {
            chosen = self.aside.take_due(room, held, now);
        }
        let fresh = self.spool.take(room - chosen.len(), held, wall);
        chosen.extend(fresh.into_iter().map(|record| Tried { record, failures: 0 }));
        if trying {
            chosen.extend(self.aside.take_due(room - chosen.len(), held, now));
        }
        for tried in chosen {
            let envelope = stamped(&tried.record.payload(), wall);
            self.post(Cargo::Envelope(tried), envelope);
        }
    }

    fn post(&mut self, cargo: Cargo, envelope: Vec<u8>) {
        let (carrier, limit) = (Arc::clone(&self.carrier), self.pace.limit);
        self.posts.push(Box::pin(async move {
            let result = timeout(limit, carrier.post(envelope)).await;
            let result = result.unwrap_or_else(|_| Err(Broken(format!("there is no answer within {limit:?}"))));
            Ended { cargo, result }
        }));
    }

    fn report_losses(&mut self, now: Instant, wall: SystemTime) -> bool {
        if !self.losses.is_due(now) {
            return false;
        }
        let report = self.losses.report(&self.spool.stats(wall).counts, now, wall);
        let Some((envelope, known)) = report else { return false };
        self.post(Cargo::ClientReport(known), stamped(&envelope, wall));
        true
    }

    fn settle(&mut self, Ended { cargo, result }: Ended, now: Instant) {
        if let Ok(answer) = &result {
            self.limits.note(answer, cargo.category(), now, SystemTime::now());
        }
        let fate = Fate::of(&result);
        match &fate {
            Fate::Failed(failed) => self.road.failed(failed, now),
            Fate::Delivered | Fate::Refused | Fate::Limited => {
                if self.road.succeeded(now) {
                    // It was the road and not they: they take their old places again.
                    self.aside.take_records(|_| true).into_iter().for_each(|record| self.spool.put_back(record));
                }
            }
        }
        match (cargo, fate) {
            (Cargo::Envelope(tried), fate) => self.settle_envelope(tried, fate, result.ok(), now),
            (Cargo::ClientReport(known), Fate::Delivered | Fate::Refused) => self.losses.told(known),
            (Cargo::ClientReport(_), Fate::Limited | Fate::Failed(_)) => {}
        }
    }

    fn settle_envelope(&mut self, Tried { record, failures }: Tried, fate: Fate, answer: Option<Answer>, now: Instant) {
        match fate {
            Fate::Delivered => {
                self.last_success = Some(SystemTime::now());
                self.spool.done(record);
            }
            Fate::Refused => {
                answer.map(|answer| self.refusals.note(&answer, record.category().name(), now));
                self.spool.discard(record, Reason::Refused);
            }
            Fate::Limited => self.spool.put_back(record),
            Fate::Failed(failed) => self.set_aside(Tried { record, failures: failures + 1 }, &failed, now),
        }
    }

    fn set_aside(&mut self, tried: Tried, failed: &Failed, now: Instant) {
        let due = now + backoff::wait(tried.failures, failed.standing);
        if let Err(record) = self.aside.add(tried, due) {
            self.spool.put_back(record);
            self.road.close(failed, now);
        }
    }

    /// The spool drops what is too old of what lies in it; what is set aside is ours.
    fn expire(&mut self, wall: SystemTime) {
        let oldest = wall.checked_sub(self.max_age);
        let expired = self.aside.take_records(|record: &Record| Some(record.spooled_at()) < oldest);
        expired.into_iter().for_each(|record| self.spool.discard(record, Reason::Expired));
    }

    /// Answers those whose wait is over: all is delivered, or nothing more can be by then.
    fn answer_flushes(&mut self, now: Instant) {
        if self.flushes.is_empty() {
            return;
        }
        let (left, chance, idle) = (self.spool.depth() > 0, self.next_chance(now), self.posts.is_empty());
        for flush in std::mem::take(&mut self.flushes) {
            let hopeless = idle && chance.is_some_and(|chance| chance > flush.deadline);
            if !left || hopeless {
                // Whoever asked may have gone.
                let _ = flush.done.send(!left);
            } else if !flush.done.is_closed() {
                self.flushes.push(flush);
            }
        }
    }

    fn publish(&self, now: Instant) {
        *self.shared.progress() = Progress {
            in_flight: self.posts.len(),
            set_aside: self.aside.len(),
            held: self.limits.holds(now).collect(),
            trouble: self.road.trouble().cloned(),
            last_success: self.last_success,
        };
    }
}

// === impl Cargo ===

impl Cargo {
    const fn category(&self) -> Category {
        match self {
            Self::Envelope(tried) => tried.record.category(),
            Self::ClientReport(_) => Category::ClientReport,
        }
    }
}

// === impl Shared ===

impl Shared {
    /// How the sender gets on.
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
