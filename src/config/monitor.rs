//! A check's own cron monitor: `true`, or when it opens and resolves an issue.

use std::num::NonZeroU32;

use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

use crate::check::Thresholds;

/// The most of either that Sentry takes.
const MOST: u32 = 720;

/// What was written; none when it is turned off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monitor(pub(super) Option<Thresholds>);

/// A number of check-ins in a row.
#[derive(Clone, Copy, Debug)]
struct Threshold(NonZeroU32);

probe_keys::keys! {
    /// When a monitor opens and resolves an issue.
    struct WrittenThresholds {
        /// Bad check-ins in a row that open an issue; 1.
        optional failures: Threshold,
        /// Good check-ins in a row that resolve it; 1.
        optional recoveries: Threshold,
    }
}

// === impl Monitor ===

impl Read for Monitor {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Bool(false) => Some(Self(None)),
            Value::Bool(true) => Some(Self(Some(Thresholds::default()))),
            Value::Mapping(_) => {
                let WrittenThresholds { failures, recoveries } = WrittenThresholds::read(at)?;
                let or_one = |written: Option<Threshold>| written.map_or(NonZeroU32::MIN, |threshold| threshold.0);
                Some(Self(Some(Thresholds { failures: or_one(failures), recoveries: or_one(recoveries) })))
            }
            _ => {
                at.expected("true, false, or `failures` and `recoveries`");
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [{"type": "boolean"}, WrittenThresholds::schema(definitions)]})
    }
}

// === impl Threshold ===

impl Read for Threshold {
    fn read(at: &At<'_>) -> Option<Self> {
        let threshold = NonZeroU32::new(u32::read(at)?).filter(|threshold| threshold.get() <= MOST);
        if threshold.is_none() {
            at.wrong(format!("Sentry takes thresholds from 1 to {MOST}"));
        }
        threshold.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": MOST})
    }
}
