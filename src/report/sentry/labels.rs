//! What a run's transaction and its error event have in common: the same texts, the same tags.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::{
    limits,
    scrub::{self, names_secret},
    settings::Settings,
};
use crate::{
    redact::MASK,
    report::Report,
    trace::{Sampling, SamplingContext},
};

/// Where a payload comes from and what it is called.
#[derive(Debug, Serialize)]
pub(super) struct Labels<'a> {
    platform: &'static str,
    sdk: Sdk,
    release: Cow<'a, str>,
    environment: Cow<'a, str>,
    server_name: Cow<'a, str>,
    transaction: Cow<'a, str>,
    tags: Tags<'a>,
}

#[derive(Debug, Serialize)]
struct Sdk {
    name: &'static str,
    version: &'static str,
}

/// The check's tags, and the verdict.
#[derive(Debug)]
struct Tags<'a> {
    kept: Vec<(&'a str, Cow<'a, str>)>,
    dropped: Vec<&'a str>,
}

// === impl Labels ===

impl<'a> Labels<'a> {
    /// Those of one run.
    pub(super) fn of(settings: &'a Settings, report: &'a Report) -> Self {
        Self {
            platform: "other",
            sdk: Sdk { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            release: limits::bytes(Cow::from(&settings.release), limits::RELEASE),
            environment: limits::bytes(Cow::from(&settings.environment), limits::ENVIRONMENT),
            server_name: limits::chars(Cow::from(&settings.server_name), limits::SERVER_NAME),
            transaction: limits::chars(scrub::text(&report.check.title), limits::NAME),
            tags: Tags::of(report),
        }
    }

    /// What Sentry is to know of the trace before its spans are there.
    pub(super) fn sampling_context<'s>(
        &'s self,
        settings: &'s Settings,
        trace_id: &'s str,
        sampling: Sampling,
    ) -> SamplingContext<'s> {
        SamplingContext {
            sampling,
            trace_id,
            public_key: settings.dsn.public_key(),
            release: Some(&self.release),
            environment: Some(&self.environment),
            transaction: &self.transaction,
        }
    }

    /// Tags that Sentry would not have taken.
    pub(super) fn dropped_tags(&self) -> &[&'a str] {
        &self.tags.dropped
    }
}

// === impl Tags ===

impl<'a> Tags<'a> {
    fn of(report: &'a Report) -> Self {
        let tags = &report.check.tags;
        let verdict = ("verdict", Cow::Borrowed(report.outcome.verdict.as_str()));
        let mut kept = Vec::with_capacity(tags.len() + 1);
        kept.push(verdict);
        let mut dropped = Vec::new();
        for (key, value) in tags.iter().filter(|(key, _)| *key != "verdict") {
            match value_of(key, value).filter(|_| kept.len() < limits::TAGS && is_key(key)) {
                Some(value) => kept.push((key.as_str(), value)),
                None => dropped.push(key.as_str()),
            }
        }
        Self { kept, dropped }
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.kept.iter().map(|(key, value)| (key, value)))
    }
}

/// Configuration allows no other key; a later source of tags may not know.
fn is_key(key: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=limits::TAG_KEY).contains(&key.len()) && key.bytes().all(valid)
}

/// One line, not empty.
fn value_of<'a>(key: &str, value: &'a str) -> Option<Cow<'a, str>> {
    if names_secret(key) {
        return Some(MASK.into());
    }
    let value = scrub::text(value);
    let value = if value.contains('\n') { Cow::Owned(value.replace('\n', " ")) } else { value };
    (!value.trim().is_empty()).then(|| limits::chars(value, limits::NAME))
}
