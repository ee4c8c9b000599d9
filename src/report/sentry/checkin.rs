//! Check-ins to Sentry's cron monitors: one monitor a check that asks for it, and one for the daemon itself.
//!
//! Sentry takes six check-ins a minute for a monitor and environment and drops the rest without an answer; an interval
//! is at least a minute. So check-ins are thinned to one a minute, and none of what happened in between is lost: a
//! check-in is an error when any run since the one before was down.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use probe_core::{TraceId, Verdict};
use serde::Serialize;

use crate::check::{Check, Timing};

/// The longest slug that Sentry takes.
const SLUG: usize = 50;

/// A minute: the shortest interval between check-ins, and the unit of a monitor's times.
const MINUTE: Duration = Duration::from_secs(60);

/// One of Sentry's cron monitors, as it is created or updated with each check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronMonitor {
    slug: String,
    config: MonitorConfig,
}

/// When Sentry expects a check-in, and when it opens and resolves an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct MonitorConfig {
    schedule: MonitorSchedule,
    /// Minutes that a check-in may be late.
    checkin_margin: u64,
    /// Minutes after which a started check-in counts as failed; ours are never only started.
    max_runtime: u64,
    timezone: String,
    failure_issue_threshold: u32,
    recovery_threshold: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum MonitorSchedule {
    Interval { value: u64, unit: &'static str },
    Crontab { value: String },
}

/// What a check-in says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckInStatus {
    /// All is well.
    Ok,
    /// Something was down.
    Error,
}

/// Thins a check's runs to one check-in a minute.
#[derive(Debug, Default)]
pub struct Thinning {
    minute: Option<u64>,
    failed: bool,
}

/// The payload of a `check_in` item.
#[derive(Debug, Serialize)]
pub struct CheckIn<'a> {
    check_in_id: String,
    monitor_slug: &'a str,
    monitor_config: &'a MonitorConfig,
    status: CheckInStatus,
    environment: &'a str,
    release: &'a str,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contexts: Option<Contexts>,
}

#[derive(Debug, Serialize)]
struct Contexts {
    trace: TraceContext,
}

#[derive(Debug, Serialize)]
struct TraceContext {
    trace_id: String,
}

// === impl CronMonitor ===

impl CronMonitor {
    /// The monitor of a check: its own schedule, an issue after `failures` bad check-ins, resolved after `recoveries` good ones.
    pub fn of(check: &Check, failures: u32, recoveries: u32) -> Self {
        let (schedule, timezone) = match &check.timing {
            Timing::Every(every) => (interval(*every), "UTC".to_owned()),
            Timing::Cron { expression, zone } => (crontab(expression), zone.name().to_owned()),
        };
        let config = MonitorConfig {
            schedule,
            checkin_margin: minutes(check.timeout) + 1,
            max_runtime: minutes(check.timeout),
            timezone,
            // Sentry's own bounds.
            failure_issue_threshold: failures.clamp(1, 720),
            recovery_threshold: recoveries.clamp(1, 720),
        };
        Self { slug: slug(&check.id), config }
    }

    /// The monitor of this daemon: checked into every minute, so that Sentry notices when a location goes silent.
    pub fn heartbeat(location: &str) -> Self {
        let config = MonitorConfig {
            schedule: interval(MINUTE),
            checkin_margin: 2,
            max_runtime: 1,
            timezone: "UTC".to_owned(),
            failure_issue_threshold: 1,
            recovery_threshold: 1,
        };
        Self { slug: slug(&format!("sentrynet-{location}")), config }
    }

    /// The name in Sentry: at most 50 of `a-z 0-9 _ -`, unique because a shortened one ends in a hash of the whole.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// A check-in to this monitor.
    pub fn check_in<'a>(&'a self, status: CheckInStatus, environment: &'a str, release: &'a str) -> CheckIn<'a> {
        let check_in_id = TraceId::random().to_string();
        CheckIn {
            check_in_id,
            monitor_slug: &self.slug,
            monitor_config: &self.config,
            status,
            environment,
            release,
            duration: None,
            contexts: None,
        }
    }
}

// === impl CheckIn ===

impl CheckIn<'_> {
    /// Adds the run that it stands for.
    #[must_use]
    pub fn run(mut self, trace_id: TraceId, duration: Duration) -> Self {
        self.duration = Some(duration.as_secs_f64());
        self.contexts = Some(Contexts { trace: TraceContext { trace_id: trace_id.to_string() } });
        self
    }
}

// === impl Thinning ===

impl Thinning {
    /// Takes one run; the status to check in with when a new minute has begun.
    ///
    /// An inconclusive run says nothing of the target, so it is no check-in.
    pub fn take(&mut self, at: SystemTime, verdict: &Verdict) -> Option<CheckInStatus> {
        match verdict {
            Verdict::Inconclusive(_) => return None,
            Verdict::Down(_) => self.failed = true,
            Verdict::Up => {}
        }
        let minute = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / MINUTE.as_secs();
        if self.minute == Some(minute) {
            return None;
        }
        self.minute = Some(minute);
        Some(if std::mem::take(&mut self.failed) { CheckInStatus::Error } else { CheckInStatus::Ok })
    }
}

/// Whole minutes, rounded up, and the largest unit that holds them without a rest.
fn interval(every: Duration) -> MonitorSchedule {
    let minutes = minutes(every);
    let (value, unit) = match minutes {
        m if m % 1_440 == 0 => (m / 1_440, "day"),
        m if m % 60 == 0 => (m / 60, "hour"),
        m => (m, "minute"),
    };
    MonitorSchedule::Interval { value, unit }
}

fn minutes(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(MINUTE.as_millis()).max(1).try_into().unwrap_or(u64::MAX)
}

/// Sentry's expressions have no seconds field.
fn crontab(expression: &str) -> MonitorSchedule {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let value = fields[fields.len().saturating_sub(5)..].join(" ");
    MonitorSchedule::Crontab { value }
}

fn slug(id: &str) -> String {
    let plain: String = id
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' })
        .collect();
    if plain == id && plain.len() <= SLUG {
        return plain;
    }
    // FNV-1a: stable over versions, and enough to tell a few thousand ids apart.
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let suffix = format!("-{hash:016x}");
    let kept = plain.trim_matches('-').chars().take(SLUG - suffix.len()).collect::<String>();
    format!("{}{suffix}", kept.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use probe_core::{Failure, FailureClass};
    use serde_json::{Value, json};

    use super::*;

    fn down() -> Verdict {
        Verdict::Down(Failure::new(FailureClass::Status, "x"))
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(6_000 + seconds)
    }

    #[test]
    fn one_check_in_a_minute_and_no_failure_is_forgotten() {
        let mut thinning = Thinning::default();
        assert_eq!(thinning.take(at(0), &Verdict::Up), Some(CheckInStatus::Ok));
        assert_eq!(thinning.take(at(10), &down()), None);
        assert_eq!(thinning.take(at(20), &Verdict::Up), None);
        assert_eq!(thinning.take(at(61), &Verdict::Up), Some(CheckInStatus::Error));
        assert_eq!(thinning.take(at(121), &Verdict::Up), Some(CheckInStatus::Ok));
        let blind = Verdict::Inconclusive(Failure::new(FailureClass::Internal, "x"));
        assert_eq!(thinning.take(at(181), &blind), None);
        assert_eq!(thinning.take(at(182), &down()), Some(CheckInStatus::Error));
    }

    #[test]
    fn periods_become_whole_units_of_a_minute_or_more() {
        let schedule = |seconds| match interval(Duration::from_secs(seconds)) {
            MonitorSchedule::Interval { value, unit } => (value, unit),
            MonitorSchedule::Crontab { .. } => unreachable!(),
        };
        assert_eq!(schedule(1), (1, "minute"));
        assert_eq!(schedule(90), (2, "minute"));
        assert_eq!(schedule(3_600), (1, "hour"));
        assert_eq!(schedule(86_400), (1, "day"));
    }

    #[test]
    fn slugs_are_short_valid_and_distinct() {
        let long = "http-".repeat(30);
        let slugs =
            [slug("plain-id_1"), slug("GET https://a.example/"), slug(&long), slug(&format!("{long}x")), slug("ü")];
        assert_eq!(slugs[0], "plain-id_1");
        for slug in &slugs {
            assert!(slug.len() <= SLUG && !slug.is_empty(), "{slug}");
            assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)), "{slug}");
        }
        assert_ne!(slugs[2], slugs[3]);
    }

    #[test]
    fn a_check_in_carries_its_monitor_and_its_trace() {
        let monitor = CronMonitor::heartbeat("london");
        let trace = TraceId::random();
        let check_in = monitor.check_in(CheckInStatus::Ok, "production", "r").run(trace, Duration::from_millis(1_500));
        let payload: Value = serde_json::to_value(check_in).unwrap();
        assert_eq!(payload["monitor_slug"], "sentrynet-london");
        assert_eq!(payload["status"], "ok");
        assert_eq!(payload["duration"], 1.5);
        assert_eq!(payload["contexts"]["trace"]["trace_id"], trace.to_string());
        assert_eq!(payload["monitor_config"]["schedule"], json!({"type": "interval", "value": 1, "unit": "minute"}));
        assert_eq!(payload["check_in_id"].as_str().map(str::len), Some(32));
    }
}
