//! The key `propagate` of `sentry`: what of a trace goes out with requests.

use std::sync::Arc;

use probe_core::Targets;
use probe_keys::{At, Definitions, OneOrMany, Read, Value, nearest};
use serde_json::{Value as Json, json};

use crate::trace::{Decision, Propagate};

/// Stands for the hosts of the probes' own URLs.
const CONFIGURED: &str = "configured-hosts";

probe_keys::keys! {
    /// Trace headers on requests, by which a target's own trace joins the probe's.
    pub(super) struct WrittenPropagate {
        /// Whether `sentry-trace` and `baggage` are sent; true.
        lenient sentry: bool,
        /// Whether `traceparent` (W3C) is sent; true.
        lenient w3c: bool,
        /// The sampling decision that is passed on: `defer` leaves it to the target.
        lenient sampled: WrittenDecision,
        /// Who may see them: `configured-hosts`, or a list of hosts, `*.example.com` among them.
        lenient targets: WrittenTargets,
    }
}

/// A decision, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenDecision(Decision);

/// Hosts, as they are written.
#[derive(Clone, Debug)]
pub(super) struct WrittenTargets(Targets);

/// The name of a host, or `*.` and the end of one.
struct Host(String);

// === impl WrittenPropagate ===

impl WrittenPropagate {
    /// The settings, defaults filled in.
    pub(super) fn settings(self) -> Propagate {
        let usual = Propagate::default();
        Propagate {
            sentry: self.sentry.unwrap_or(usual.sentry),
            w3c: self.w3c.unwrap_or(usual.w3c),
            decision: self.sampled.map_or(usual.decision, |written| written.0),
            targets: self.targets.map_or(usual.targets, |written| written.0),
        }
    }
}

// === impl WrittenDecision ===

const DECISIONS: [(&str, Decision); 4] = [
    ("defer", Decision::Defer),
    ("force", Decision::Force),
    ("never", Decision::Never),
    ("after-failure", Decision::AfterFailure),
];

impl Read for WrittenDecision {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            let found = DECISIONS.iter().find(|(name, _)| *name == text).map(|(_, decision)| Self(*decision));
            found.ok_or_else(|| format!("{text:?} is none of `defer`, `force`, `never`, `after-failure`"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": DECISIONS.map(|(name, _)| name)})
    }
}

// === impl WrittenTargets ===

impl Read for WrittenTargets {
    fn read(at: &At<'_>) -> Option<Self> {
        if matches!(&at.node.value, Value::Text(text) if text.text == CONFIGURED) {
            return Some(Self(Targets::Configured));
        }
        if let Value::Text(text) = &at.node.value
            && nearest(&text.text, [CONFIGURED]).is_some()
        {
            at.wrong_with(format!("there is no host {:?}", text.text), format!("did you mean `{CONFIGURED}`?"));
            return None;
        }
        let hosts = OneOrMany::<Host>::read(at)?;
        let hosts: Arc<[String]> = hosts.0.into_iter().map(|host| host.0).collect();
        Some(Self(Targets::Listed(hosts)))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        OneOrMany::<Host>::schema(definitions)
    }
}

// === impl Host ===

impl Read for Host {
    fn read(at: &At<'_>) -> Option<Self> {
        let host = at.parse(|text| {
            let name = text.strip_prefix("*.").unwrap_or(text);
            let valid = url::Host::parse(name).is_ok() && !name.contains('*');
            if valid { Ok(text.to_ascii_lowercase()) } else { Err(format!("{text:?} is not the name of a host")) }
        })?;
        Some(Self(host))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}
