//! What a configuration costs in Sentry a month, so that nobody learns it from the bill.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use croner::parser::{CronParser, Seconds};
use serde::Serialize;

use crate::{
    check::{Check, Timing},
    config::Config,
};

/// A month.
const DAYS: i64 = 30;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// What is reckoned with: one run in so many fails.
const FAILING: u64 = 100;

/// What plans include (sentry.io/pricing, read in September 2026): spans and errors a month.
const PLANS: [(&str, u64, u64); 2] = [("Developer", 5_000_000, 5_000), ("Team", 5_000_000, 50_000)];

/// Fractions of `success_sample` that are told of.
const SAMPLES: [f64; 2] = [0.1, 0.01];

/// Numbers of one month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Cost {
    runs: u64,
    spans: u64,
    /// If one run in a hundred fails.
    errors: u64,
    check_ins: u64,
    monitors: u64,
    plans: Vec<Share>,
    /// Spans with another `success_sample`.
    samples: Vec<Sample>,
}

/// What of a plan's quota that is, in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Share {
    plan: &'static str,
    spans_percent: f64,
    errors_percent: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Sample {
    success_sample: f64,
    spans: u64,
}

// === impl Cost ===

impl Cost {
    /// Of this configuration; none when nothing is sent.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let settings = config.sentry.as_ref()?;
        let (mut runs, mut spans, mut check_ins, mut monitors) = (0, 0, 0, 0);
        for check in &config.checks {
            let of_check = runs_of(check);
            runs += of_check;
            spans += of_check * u64::try_from(check.probe.spans()).unwrap_or(u64::MAX);
            if check.monitor.is_some() {
                monitors += 1;
                check_ins += of_check.min(MONTH.as_secs() / 60);
            }
        }
        if settings.heartbeat.is_some() {
            monitors += 1;
            check_ins += MONTH.as_secs() / 60;
        }
        let errors = runs / FAILING;
        // What fails is always sent.
        let sampled = |fraction: f64| part(spans - spans / FAILING, fraction) + spans / FAILING;
        let sent = sampled(settings.success_sample.fraction());
        let share = |(plan, spans, errors_of): (&'static str, u64, u64)| Share {
            plan,
            spans_percent: percent(sent, spans),
            errors_percent: percent(errors, errors_of),
        };
        let sample = |success_sample| Sample { success_sample, spans: sampled(success_sample) };
        Some(Self {
            runs,
            spans: sent,
            errors,
            check_ins,
            monitors,
            plans: PLANS.into_iter().map(share).collect(),
            samples: SAMPLES.into_iter().map(sample).collect(),
        })
    }

    /// The numbers for a person.
    pub(super) fn told(&self) -> String {
        let Self { runs, spans, errors, check_ins, monitors, plans, samples } = self;
        let [runs, spans, errors, check_ins] = [runs, spans, errors, check_ins].map(|number| grouped(*number));
        let mut text = format!(
            "a month in Sentry: {runs} runs, about {spans} spans, {errors} errors if 1 run in {FAILING} fails\n"
        );
        if *monitors > 0 {
            text += &format!("  and {check_ins} check-ins of {monitors} cron monitors\n");
        }
        for Share { plan, spans_percent, errors_percent } in plans {
            text +=
                &format!("  {spans_percent} % of the spans and {errors_percent} % of the errors of the {plan} plan\n");
        }
        for Sample { success_sample, spans } in samples {
            text += &format!("  with success_sample: {success_sample}, about {} spans\n", grouped(*spans));
        }
        text
    }
}

fn runs_of(check: &Check) -> u64 {
    let starts = match &check.timing {
        Timing::Every(period) => MONTH.as_millis() / period.as_millis().max(1),
        Timing::Cron { expression, zone } => {
            let from = Utc::now().with_timezone(zone);
            let until = from + TimeDelta::days(DAYS);
            let parsed = CronParser::builder().seconds(Seconds::Required).build().parse(expression).ok();
            let starts = parsed.map(|cron| cron.iter_after(from).take_while(|start| *start <= until).count());
            starts.unwrap_or(0) as u128
        }
    };
    u64::try_from(starts).unwrap_or(u64::MAX).saturating_mul(check.burst.into())
}

/// A fraction of a number; exact enough for an estimate.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
fn part(number: u64, fraction: f64) -> u64 {
    (number as f64 * fraction).round() as u64
}

/// With a tenth.
#[expect(clippy::cast_precision_loss)]
fn percent(number: u64, of: u64) -> f64 {
    (number as f64 / of as f64 * 1_000.0).round() / 10.0
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn shares_are_told_to_a_tenth() {
        assert!((percent(1, 3) - 33.3).abs() < 1e-9);
        assert_eq!(part(1_000, 0.25), 250);
    }
}
