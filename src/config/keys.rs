//! The keys of the file, each in one line; the kinds of probe add their own.

use std::{net::SocketAddr, time::Duration};

use probe_keys::{At, Definitions, Fields, Keys, OneOrMany, Placed, Published, Read, Size, Spot, Text, Value};
use serde_json::{Value as Json, json};

use super::{
    kinds::{Kind, KindKeys},
    line::Line,
    list::List,
    monitor::Monitor,
    propagate::WrittenPropagate,
    tags::WrittenTags,
    timing::{Burst, Cron, Limit, Period, Zone},
};
use crate::{
    report::sentry::limits::{ENVIRONMENT, RELEASE, SERVER_NAME},
    trace::SuccessSample,
};

probe_keys::keys! {
    /// The configuration of SentryNet.
    pub(super) struct Document {
        /// Where results go; without it nothing is sent.
        lenient sentry: Placed<Sentry>,
        /// Groups of probes.
        lenient groups: List<Group>,
        /// Tags on every transaction and event.
        lenient tags: WrittenTags,
        /// Where this prober stands: the global tag `location`.
        lenient location: Placed<Line<200>>,
        /// What holds for every probe of the file that does not say otherwise.
        lenient defaults: Generic,
        /// The daemon's own numbers.
        lenient metrics: Metrics,
        /// More files, relative to this one, each holding only `groups`.
        lenient include: OneOrMany<Placed<Published>>,
    }
    where any_of(groups, include)
}

probe_keys::keys! {
    /// The daemon's own numbers, for Prometheus.
    pub(super) struct Metrics {
        /// Where /metrics, /healthz, /readyz and /status are served, as `ip:port`; nowhere unless given.
        required listen: Listen,
    }
}

/// A fraction of successful runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WrittenSample(pub(super) SuccessSample);

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listen(pub(super) SocketAddr);

probe_keys::keys! {
    /// An included file.
    pub(super) struct Included {
        /// Groups of probes.
        required groups: List<Group>,
    }
}

probe_keys::keys! {
    /// The Sentry project that results go to.
    pub(super) struct Sentry {
        /// The project's address; `${env:SENTRY_DSN}` if that is set.
        lenient dsn: Placed<Text>,
        /// Tags on every transaction and event.
        lenient tags: WrittenTags,
        /// `false` turns all sending off.
        lenient enabled: bool,
        /// As in Sentry; `production`.
        lenient environment: Placed<Line<ENVIRONMENT>>,
        /// As in Sentry; the daemon's own version.
        lenient release: Placed<Line<RELEASE>>,
        /// As in Sentry; the host's name.
        lenient server_name: Line<SERVER_NAME>,
        /// The fraction of successful runs that are sent, from 0 to 1; 1. What is not up is always sent.
        lenient success_sample: WrittenSample,
        /// Whether the daemon checks in to a cron monitor each minute, so that Sentry notices when it falls silent; false.
        lenient heartbeat: bool,
        /// Trace headers on requests.
        lenient propagate: WrittenPropagate,
        /// Where results wait until Sentry has taken them.
        lenient spool: Spool,
        /// The only authorities to trust for Sentry's certificate: a PEM file's path, or the PEM text itself.
        lenient ca: Placed<Text>,
        /// A proxy on the way to Sentry: an http or https URL.
        lenient proxy: Placed<Text>,
    }
}

probe_keys::keys! {
    /// Where results wait until Sentry has taken them.
    pub(super) struct Spool {
        /// The directory; `spool` in the state directory if absent.
        lenient dir: String,
        /// The most bytes on the disk; 256MiB.
        lenient max_bytes: Placed<Size>,
        /// The longest that a result waits; 4d, and under the 5 days that Sentry takes.
        lenient max_age: Placed<Duration>,
    }
}

probe_keys::keys! {
    /// Probes with something in common.
    pub(super) struct Group {
        /// What they have in common.
        lenient name: Published,
        /// Tags of each of them.
        lenient tags: WrittenTags,
        /// What holds for each of them that does not say otherwise.
        lenient defaults: Generic,
        /// The probes.
        required probes: List<Entry>,
    }
}

probe_keys::keys! {
    /// What any probe can say, and what can be its default.
    pub(super) struct Generic {
        /// The period: seconds, or `30s`, `5m`, `1h30m`; 300 seconds.
        lenient every: Placed<Period>,
        /// A cron expression of 5 fields, or 6 with seconds, in place of `every`.
        lenient cron: Placed<Cron>,
        /// The time zone of `cron`; UTC.
        lenient timezone: Placed<Zone>,
        /// Runs at each start, one after the other; 1.
        lenient burst: Burst,
        /// The bound on one run; 30 seconds, at most the period.
        lenient timeout: Placed<Limit>,
        /// Tags.
        lenient tags: WrittenTags,
        /// Whether it runs; true.
        lenient enabled: bool,
        /// Whether it checks in to a cron monitor of its own in Sentry, and when that opens and resolves an issue; false.
        lenient monitor: Monitor,
        /// What to do when it fails: text or a URL.
        lenient runbook: Published,
    }
    where excludes(every, cron)
}

probe_keys::keys! {
    /// What tells one probe from the others.
    pub(super) struct Own {
        /// The transaction's name; made from the target if absent.
        lenient title: Placed<Line<200>>,
        /// Stable identity; made from kind, title and target if absent.
        lenient id: Placed<Line<200>>,
    }
}

/// One configured probe: its kind and the keys of that kind beside the generic ones, all in one mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it stands.
    pub(super) spot: Spot,
    /// What tells it from the others.
    pub(super) own: Own,
    /// What any probe can say.
    pub(super) generic: Generic,
    /// What its kind can say; `None` when that was mistaken.
    pub(super) kind: Option<KindKeys>,
}

impl Read for Entry {
    fn read(at: &At<'_>) -> Option<Self> {
        let mut fields = Fields::of(at)?;
        let kind = fields.required::<Kind>("probe");
        let own = Own::take(&mut fields);
        let generic = Generic::take(&mut fields);
        // Which keys are valid depends on the kind: without one, none is called unknown.
        let keys = kind.map(|kind| {
            if kind.needs_title() && fields.find("title").is_none() {
                let kind = kind.names()[0];
                at.wrong(format!("`title` is missing: a {kind} has no one target that it could be named after"));
            }
            let keys = kind.take(&mut fields);
            fields.finish();
            keys
        });
        Some(Self { spot: at.spot(), own: own?, generic: generic?, kind: keys.flatten() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        definitions.define("Probe", |definitions| {
            let kinds: Vec<Json> = Kind::ALL
                .iter()
                .map(|kind| {
                    definitions.mapping("", |properties| {
                        properties.key("probe", "The kind of probe.", true, |_| json!({"enum": kind.names()}));
                        properties.keys::<Own>();
                        if kind.needs_title() {
                            properties.require("title");
                        }
                        properties.keys::<Generic>();
                        kind.properties(properties);
                    })
                })
                .collect();
            json!({"anyOf": kinds})
        })
    }
}

// === impl WrittenSample ===

impl Read for WrittenSample {
    fn read(at: &At<'_>) -> Option<Self> {
        let fraction = match &at.node.value {
            Value::Number(number, _) => number.as_f64().and_then(SuccessSample::new),
            _ => None,
        };
        if fraction.is_none() {
            at.expected("a fraction from 0 to 1");
        }
        fraction.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "number", "minimum": 0, "maximum": 1})
    }
}

// === impl Listen ===

impl Read for Listen {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            text.parse().map(Self).map_err(|_| format!("`{text}` is no address: write ip:port, as 127.0.0.1:9464"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_has_the_keys_of_every_kind_beside_the_generic_ones() {
        let mut definitions = Definitions::default();
        Document::schema(&mut definitions);
        let definitions = definitions.into_json();
        let http = &definitions["Probe"]["anyOf"][0];
        for key in ["probe", "title", "every", "url"] {
            assert!(http["properties"][key].is_object(), "{key}");
        }
        assert_eq!(http["properties"]["probe"]["enum"], json!(["http", "probes.http"]));
        assert_eq!(definitions["Document"]["properties"]["groups"]["minItems"], 1);
    }
}
