//! The keys that every run has.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::Run;

/// A key that SentryNet sets itself. A key of the user's own by the same name stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// What identifies this run: the same in all its steps, another in the next run.
    RunId,
    /// The time of the request, as RFC 3339 in UTC with milliseconds.
    Now,
    /// The same in whole seconds since 1970.
    NowUnix,
    /// A random UUID (version 4), new at each use.
    Uuid,
    /// Where this daemon stands, by the configuration.
    Location,
}

// === impl BuiltIn ===

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::RunId, Self::Now, Self::NowUnix, Self::Uuid, Self::Location];

    /// As it stands in a template.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RunId => "run_id",
            Self::Now => "now",
            Self::NowUnix => "now_unix",
            Self::Uuid => "uuid",
            Self::Location => "location",
        }
    }

    /// The one by this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// Its value at this moment; none for a location that is not configured.
    pub(crate) fn value(self, run: &Run) -> Option<Value> {
        let now = || DateTime::<Utc>::from(run.now);
        Some(match self {
            Self::RunId => run.id.clone().into(),
            Self::Now => now().to_rfc3339_opts(SecondsFormat::Millis, true).into(),
            Self::NowUnix => now().timestamp().into(),
            Self::Uuid => Uuid::new_v4().to_string().into(),
            Self::Location => run.location.clone()?.into(),
        })
    }
}
