//! Starts at the instants of cron expressions, woken by tokio-cron-scheduler.
//!
//! It looks every half second, so a start is up to that much late. It keeps the offset from UTC that a job was made with
//! (its issues 87 and 107), and it falls silent when the clock is set back; so all jobs are made anew whenever an offset
//! changes or the clocks go apart. Its jobs only wake the check's own task: no run overlaps another of its check.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Offset, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{self, Instant},
};
use tokio_cron_scheduler::{Job, JobBuilder, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::clock::Due;

/// How often offsets and clocks are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How far the clocks may go apart between two looks.
const APART: Duration = Duration::from_secs(2);

/// Slots of the scheduler's channels: with its own 200 it loses starts from about 300 jobs that are due together.
const SLOTS: usize = 256;

/// When a cron check starts.
#[derive(Clone, Debug)]
pub(super) struct Wake {
    expression: String,
    zone: Tz,
    /// Room for one: a start that finds it taken is missed.
    sender: Sender<SystemTime>,
    missed: Arc<AtomicU64>,
}

/// The other end, held by the check's task.
#[derive(Debug)]
pub(super) struct Woken {
    receiver: Receiver<SystemTime>,
    missed: Arc<AtomicU64>,
}

/// A pair of ends for one check.
pub(super) fn pair(expression: &str, zone: Tz) -> (Wake, Woken) {
    let (sender, receiver) = mpsc::channel(1);
    let missed = Arc::<AtomicU64>::default();
    let wake = Wake { expression: expression.to_owned(), zone, sender, missed: missed.clone() };
    (wake, Woken { receiver, missed })
}

/// Wakes these checks at their times until stopped.
///
/// # Errors
/// The scheduler refuses an expression, or has died.
pub(super) async fn drive(wakes: &[Wake], stop: CancellationToken) -> Result<(), JobSchedulerError> {
    let slots = (4 * wakes.len()).max(SLOTS).next_power_of_two();
    let mut scheduler = JobScheduler::new_with_channel_size(slots).await?;
    scheduler.start().await?;
    let (mut jobs, mut known): (Vec<Uuid>, Vec<i32>) = (Vec::new(), Vec::new());
    let mut looked = (Instant::now(), SystemTime::now());
    loop {
        let now = (Instant::now(), SystemTime::now());
        let gone = now.1.duration_since(looked.1);
        let jumped = gone.map_or(true, |wall| wall.abs_diff(now.0 - looked.0) > APART);
        looked = now;
        let offsets = offsets(wakes, Utc::now());
        if jumped || offsets != known || jobs.is_empty() {
            for job in jobs.drain(..) {
                scheduler.remove(&job).await?;
            }
            // One at a time: many at once kill the scheduler's own adder.
            for wake in wakes {
                jobs.push(scheduler.add(wake.job()?).await?);
            }
            known = offsets;
        }
        tokio::select! {
            () = time::sleep(LOOK) => {}
            () = stop.cancelled() => return scheduler.shutdown().await,
        }
    }
}

// === impl Wake ===

impl Wake {
    fn job(&self) -> Result<Job, JobSchedulerError> {
        let (expression, zone) = (self.expression.clone(), self.zone);
        let (sender, missed) = (self.sender.clone(), self.missed.clone());
        let run = move |_, _| {
            let planned = planned(&expression, zone, Utc::now());
            if sender.try_send(planned.into()).is_err() {
                missed.fetch_add(1, Ordering::Relaxed);
            }
            let nothing: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {});
            nothing
        };
        JobBuilder::new()
            .with_timezone(self.zone)
            .with_cron_job_type()
            .with_schedule(self.expression.as_str())?
            .with_run_async(Box::new(run))
            .build()
    }
}

// === impl Woken ===

impl Woken {
    /// The next start, and how many were missed before it; `None` when nobody wakes any more.
    pub(super) async fn next(&mut self) -> Option<(Due, u64)> {
        let planned = self.receiver.recv().await?;
        let lag = SystemTime::now().duration_since(planned).unwrap_or_default();
        let now = Instant::now();
        Some((Due { at: now.checked_sub(lag).unwrap_or(now), planned }, self.missed.swap(0, Ordering::Relaxed)))
    }
}

/// The instant that this wake-up is for: the latest one of the expression.
fn planned(expression: &str, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let parsed = CronParser::builder().seconds(Seconds::Required).build().parse(expression).ok();
    let latest = parsed.and_then(|cron| cron.find_previous_occurrence(&now.with_timezone(&zone), true).ok());
    latest.map_or(now, |latest| latest.with_timezone(&Utc)).trunc_subsecs(0)
}

fn offsets(wakes: &[Wake], now: DateTime<Utc>) -> Vec<i32> {
    wakes.iter().map(|wake| wake.zone.offset_from_utc_datetime(&now.naive_utc()).fix().local_minus_utc()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_is_for_the_latest_instant_of_its_zone() {
        let now = Utc.with_ymd_and_hms(2026, 3, 29, 8, 30, 0).unwrap() + Duration::from_millis(400);
        // 10:30 in Berlin, on the day on which summer time begins.
        let berlin = planned("0 30 10 * * *", Tz::Europe__Berlin, now);
        assert_eq!(berlin, Utc.with_ymd_and_hms(2026, 3, 29, 8, 30, 0).unwrap());
    }

    #[tokio::test]
    async fn a_check_is_woken_each_second_and_what_finds_it_busy_is_counted() {
        let (wake, mut woken) = pair("* * * * * *", Tz::UTC);
        let stop = CancellationToken::new();
        let driving = tokio::spawn({
            let stop = stop.clone();
            async move { drive(&[wake], stop).await }
        });
        let (first, missed) = woken.next().await.unwrap();
        assert_eq!(missed, 0);
        assert!(first.at.elapsed() < Duration::from_secs(2));
        // One wake-up waits in the channel, those after it are missed.
        while woken.missed.load(Ordering::Relaxed) < 2 {
            time::sleep(Duration::from_millis(50)).await;
        }
        let (second, missed) = woken.next().await.unwrap();
        assert!(missed >= 2);
        let gap = second.planned.duration_since(first.planned).unwrap();
        assert_eq!(gap.subsec_nanos(), 0, "starts are on whole seconds");
        stop.cancel();
        assert!(driving.await.unwrap().is_ok());
    }
}
