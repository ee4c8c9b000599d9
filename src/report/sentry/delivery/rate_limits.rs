//! What Sentry asks to hold back, and for how long.
//!
//! develop.sentry.dev, "Rate Limiting": the header may come with any status; no categories mean all of them; of two
//! limits the later holds; categories nobody here knows are ignored.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{
    super::spool::{Categories, Category},
    carrier::Answer,
};

/// What a 429 means that says no more.
const UNSAID: Duration = Duration::from_mins(1);
/// Less than this would be asked again at once.
const LEAST: Duration = Duration::from_secs(1);
/// Sentry is asked again after a day, whatever it said.
const MOST: Duration = Duration::from_hours(24);

/// Until when each category is held back.
#[derive(Debug, Default)]
pub(super) struct RateLimits {
    until: [Option<Instant>; Category::ALL.len()],
}

// === impl RateLimits ===

impl RateLimits {
    /// Takes what an answer to a post of this category says.
    pub(super) fn note(&mut self, answer: &Answer, posted: Category, now: Instant, wall: SystemTime) {
        let header = answer.rate_limits.as_deref().unwrap_or_default();
        let mut said = false;
        for (wait, categories) in header.split(',').filter_map(limit) {
            said = true;
            categories.into_iter().for_each(|category| self.hold(category, wait, now));
        }
        if answer.status == 429 {
            let wait = answer.retry_after.as_deref().and_then(|text| retry_after(text, wall)).unwrap_or(UNSAID);
            if !said {
                Category::ALL.into_iter().for_each(|category| self.hold(category, wait, now));
            }
            // Whatever it names, what it was the answer to is not wanted now.
            if !self.held(now).contains(posted) {
                self.hold(posted, wait, now);
            }
        }
    }

    /// What is held back now.
    pub(super) fn held(&self, now: Instant) -> Categories {
        self.holds(now).map(|(category, _)| category).collect()
    }

    /// What is held back now, and until when.
    pub(super) fn holds(&self, now: Instant) -> impl Iterator<Item = (Category, Instant)> {
        let until = Category::ALL.into_iter().zip(self.until);
        until.filter_map(move |(category, until)| Some((category, until.filter(|until| *until > now)?)))
    }

    /// When the next category is free.
    pub(super) fn next_end(&self, now: Instant) -> Option<Instant> {
        self.holds(now).map(|(_, until)| until).min()
    }

    fn hold(&mut self, category: Category, wait: Duration, now: Instant) {
        let until = &mut self.until[category as usize];
        *until = (*until).max(Some(now + wait.clamp(LEAST, MOST)));
    }
}

/// One limit of the header: `seconds:categories:scope:reason…`.
fn limit(text: &str) -> Option<(Duration, Vec<Category>)> {
    let mut parts = text.split(':').map(str::trim);
    let wait = Duration::try_from_secs_f64(parts.next()?.parse().ok()?).ok()?;
    let names = parts.next()?;
    if names.is_empty() {
        return Some((wait, Category::ALL.to_vec()));
    }
    Some((wait, names.split(';').filter_map(|name| category(name.trim())).collect()))
}

/// The category that goes by this name. A transaction brings its spans: while those are limited, it is held back.
fn category(name: &str) -> Option<Category> {
    let name = if name == "span" { Category::Transaction.name() } else { name };
    Category::ALL.into_iter().find(|category| category.name() == name)
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(text: &str, wall: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| Some(httpdate::parse_http_date(text).ok()?.duration_since(wall).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSACTION: Category = Category::Transaction;

    fn answer(status: u16, rate_limits: Option<&str>, retry_after: Option<&str>) -> Answer {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Answer { status, rate_limits: owned(rate_limits), retry_after: owned(retry_after), detail: String::new() }
    }

    fn wall() -> SystemTime {
        httpdate::parse_http_date("Fri, 20 Nov 2026 12:00:00 GMT").unwrap()
    }

    /// Seconds that each category is held back after these answers.
    fn held(answers: &[Answer]) -> Vec<(Category, u64)> {
        let (mut limits, now) = (RateLimits::default(), Instant::now());
        answers.iter().for_each(|answer| limits.note(answer, TRANSACTION, now, wall()));
        limits.holds(now).map(|(category, until)| (category, (until - now).as_secs())).collect()
    }

    fn all(seconds: u64) -> Vec<(Category, u64)> {
        Category::ALL.into_iter().map(|category| (category, seconds)).collect()
    }

    #[test]
    fn the_header_holds_with_any_status() {
        let limits = Some("60:transaction:key, 2700:default;error;security:organization:quota:x");
        let want = [(Category::Default, 2_700), (Category::Error, 2_700), (TRANSACTION, 60)];
        for status in [200, 429, 503] {
            assert_eq!(held(&[answer(status, limits, None)]), want, "{status}");
        }
    }

    #[test]
    fn no_categories_mean_all_and_unknown_ones_none() {
        assert_eq!(held(&[answer(200, Some("7::organization"), None)]), all(7));
        assert_eq!(held(&[answer(200, Some("7:replay;profile:key"), None)]), []);
        assert_eq!(held(&[answer(200, Some("rubbish, :, 5, x:error:key, -1:error:key, nan::key"), None)]), []);
    }

    #[test]
    fn spans_hold_transactions_and_monitors_themselves() {
        let limits = Some(" 1.5 : span ; monitor : key ");
        let want = [(TRANSACTION, 1), (Category::Monitor, 1)];
        assert_eq!(held(&[answer(200, limits, None)]), want);
    }

    #[test]
    fn the_later_of_two_limits_holds() {
        let (long, short) = (answer(200, Some("90:error:key"), None), answer(200, Some("10:error:key"), None));
        assert_eq!(held(&[long.clone(), short.clone()]), [(Category::Error, 90)]);
        assert_eq!(held(&[short, long]), [(Category::Error, 90)]);
    }

    #[test]
    fn a_bare_429_holds_everything_for_a_minute_or_as_long_as_it_says() {
        assert_eq!(held(&[answer(429, None, None)]), all(60));
        assert_eq!(held(&[answer(429, None, Some("120"))]), all(120));
        assert_eq!(held(&[answer(429, None, Some("Fri, 20 Nov 2026 12:05:00 GMT"))]), all(300));
        assert_eq!(held(&[answer(429, None, Some("soon"))]), all(60));
        assert_eq!(held(&[answer(429, Some("rubbish"), None)]), all(60));
        assert_eq!(held(&[answer(503, None, Some("120"))]), []);
    }

    #[test]
    fn a_429_holds_at_least_what_it_was_the_answer_to() {
        assert_eq!(held(&[answer(429, Some("30:error:key"), None)]), [(Category::Error, 30), (TRANSACTION, 60)]);
        assert_eq!(held(&[answer(429, Some("0:transaction:key"), None)]), [(TRANSACTION, 1)]);
    }

    #[test]
    fn a_limit_ends() {
        let (mut limits, now) = (RateLimits::default(), Instant::now());
        limits.note(&answer(200, Some("5:error:key, 9:monitor:key"), None), TRANSACTION, now, wall());
        assert_eq!(limits.next_end(now), Some(now + Duration::from_secs(5)));
        let later = now + Duration::from_secs(5);
        assert!(!limits.held(later).contains(Category::Error));
        assert!(limits.held(later).contains(Category::Monitor));
    }
}
