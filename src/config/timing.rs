//! When a check runs, and how long it may take.

use std::{iter, num::NonZeroU32, str::FromStr, time::Duration};

use chrono::{TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use croner::parser::{CronParser, Seconds};
use probe_keys::{At, Definitions, Findings, Placed, Published, Read, nearest};
use serde_json::{Value as Json, json};

use super::keys::Generic;
use crate::check::Timing;

/// The period of a check that says nothing.
const EVERY: Duration = Duration::from_mins(5);
/// The shortest and the longest period.
const PERIODS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(366 * 24));
/// The bound on a run of a check that says nothing.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A period.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period(pub(super) Duration);

/// A bound on one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) Duration);

/// Six fields that the scheduler takes and that come to pass.
#[derive(Clone, Debug)]
pub(super) struct Cron(String);

/// A time zone by its IANA name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone(Tz);

/// Runs at each start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burst(pub(super) NonZeroU32);

/// The timing of a check, and the bound on one run: each from the nearest that speaks of it, the check itself or these
/// defaults, nearest first.
pub(super) fn timing(own: &Generic, defaults: [Option<&Generic>; 2], findings: &Findings) -> (Timing, Duration) {
    let levels = || iter::once(own).chain(defaults.into_iter().flatten());
    let zone = levels().find_map(|level| level.timezone.as_ref());
    let timing = levels().find_map(|level| match (&level.cron, &level.every) {
        (Some(cron), _) => {
            let zone = zone.map_or(Tz::UTC, |zone| zone.value.0);
            Some(Timing::Cron { expression: cron.value.0.clone(), zone })
        }
        (None, Some(every)) => Some(Timing::Every(every.value.0)),
        (None, None) => None,
    });
    let timing = timing.unwrap_or(Timing::Every(EVERY));
    if let (Timing::Every(_), Some(zone)) = (&timing, &own.timezone) {
        findings.warn(&zone.spot, "`timezone` says nothing without `cron`", "remove it, or give `cron` for `every`");
    }
    let most = match timing {
        Timing::Every(every) => every,
        Timing::Cron { .. } => Duration::MAX,
    };
    // A default is cut to what a short period leaves; what the check itself says is held against it.
    let timeout = levels().find_map(|level| level.timeout.as_ref()).map_or(TIMEOUT, |timeout| timeout.value.0);
    if let Some(timeout) = own.timeout.as_ref().filter(|_| own.every.is_none()) {
        fits(timeout, most, findings);
    }
    (timing, timeout.min(most))
}

fn fits(Placed { value: Limit(timeout), spot }: &Placed<Limit>, period: Duration, findings: &Findings) {
    if *timeout > period {
        findings.wrong(spot, format!("a timeout of {timeout:?} is longer than the period of {period:?}"));
    }
}

/// Notes what one level says against itself.
pub(super) fn lint(level: &Generic, findings: &Findings) {
    if let (Some(_), Some(cron)) = (&level.every, &level.cron) {
        findings.wrong_with(&cron.spot, "`cron` stands in place of `every`: both cannot hold", "remove one of them");
    }
    if let (Some(every), Some(timeout)) = (&level.every, &level.timeout) {
        fits(timeout, every.value.0, findings);
    }
}

impl Read for Period {
    fn read(at: &At<'_>) -> Option<Self> {
        let period = Duration::read(at)?;
        let (least, most) = PERIODS;
        if period < least || period > most {
            at.wrong("a period is from 1s to 366d");
            return None;
        }
        Some(Self(period))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let mut schema = Duration::schema(definitions);
        schema["anyOf"][0]["minimum"] = 1.into();
        schema
    }
}

impl Read for Limit {
    fn read(at: &At<'_>) -> Option<Self> {
        let limit = Duration::read(at)?;
        if limit < Duration::from_millis(1) || limit > PERIODS.1 {
            at.wrong("a timeout is from 1ms to 366d");
            return None;
        }
        Some(Self(limit))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let mut schema = Duration::schema(definitions);
        schema["anyOf"][0] = json!({"type": "number", "exclusiveMinimum": 0});
        schema
    }
}

impl Read for Cron {
    fn read(at: &At<'_>) -> Option<Self> {
        match cron(&Published::read(at)?.0) {
            Ok(expression) => Some(Self(expression)),
            Err(reason) => {
                at.wrong_with(
                    reason,
                    "the fields: minute hour day-of-month month day-of-week, and before them the second, if there are 6",
                );
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

impl Read for Zone {
    fn read(at: &At<'_>) -> Option<Self> {
        let Published(name) = Published::read(at)?;
        match Tz::from_str(&name) {
            Ok(zone) => Some(Self(zone)),
            Err(_) => {
                let near = nearest(&name, TZ_VARIANTS.iter().map(|zone| zone.name()));
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write its IANA name, as Europe/Berlin".to_owned(),
                };
                at.wrong_with(format!("there is no time zone `{name}`"), hint);
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

impl Read for Burst {
    fn read(at: &At<'_>) -> Option<Self> {
        let burst = NonZeroU32::new(u32::read(at)?).map(Self);
        if burst.is_none() {
            at.wrong_with("a burst is at least 1 run", "`enabled: false` turns a check off");
        }
        burst
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "integer", "minimum": 1})
    }
}

/// Six fields, seconds first, as the scheduler's own parser takes them.
fn cron(written: &str) -> Result<String, String> {
    let fields: Vec<&str> = written.split_whitespace().collect();
    let expression = match fields.len() {
        5 => format!("0 {}", fields.join(" ")),
        6 => fields.join(" "),
        many => return Err(format!("a cron expression has 5 fields, or 6 with seconds, not {many}")),
    };
    let wrong = |error: croner::errors::CronError| format!("`{written}` is no cron expression: {error}");
    let parsed = CronParser::builder().seconds(Seconds::Required).build().parse(&expression).map_err(wrong)?;
    // Any day does: an expression without a year comes to pass within a leap cycle or never.
    let some_day = Utc.with_ymd_and_hms(2024, 1, 1, 0, 0, 0).single().ok_or("the calendar has no 2024-01-01")?;
    match parsed.find_next_occurrence(&some_day, true) {
        Ok(_) => Ok(expression),
        Err(_) => Err(format!("`{written}` never comes to pass")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_get_the_second_zero() {
        assert_eq!(cron("*/5 * * * *"), Ok("0 */5 * * * *".to_owned()));
        assert_eq!(cron(" 30  0 6 * * MON-FRI "), Ok("30 0 6 * * MON-FRI".to_owned()));
    }

    #[test]
    fn what_the_scheduler_would_refuse_or_never_run_is_refused() {
        for wrong in ["", "* * *", "61 * * * *", "a b c d e", "* * * * * * 2030", "0 0 30 2 *", "@daily"] {
            assert!(cron(wrong).is_err(), "{wrong}");
        }
        assert!(cron("0 0 29 2 *").is_ok());
    }
}
