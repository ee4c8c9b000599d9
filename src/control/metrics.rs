//! All numbers of the daemon, as Prometheus reads them (OpenMetrics 1.0).

use std::{fmt, sync::atomic::Ordering, time::UNIX_EPOCH};

use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

use super::Daemon;
use crate::report::sentry::{delivery::DeliveryStats, spool::Category};

/// What the text is.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CategoryLabel {
    category: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LossLabels {
    reason: &'static str,
    category: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

/// The text.
pub(super) fn text(daemon: &Daemon) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(daemon, &mut text);
    text
}

fn write(daemon: &Daemon, text: &mut String) -> fmt::Result {
    daemon.runs.encode(text)?;
    let mut registry = Registry::with_prefix("sentrynet");
    registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let started = daemon.started_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    registry.register_with_unit("start_time", "When the daemon began", Unit::Seconds, float(started));
    registry.register("checks", "Checks that are run", whole(daemon.checks.load(Ordering::Relaxed)));
    let age = daemon.pulse.age().as_secs_f64();
    registry.register_with_unit("pulse_age", "Since the scheduler ticked last", Unit::Seconds, float(age));
    if let Some(delivery) = &daemon.delivery {
        sentry(&mut registry, &delivery.stats());
    }
    encode_registry(text, &registry)?;
    encode_eof(text)
}

fn sentry(registry: &mut Registry, stats: &DeliveryStats) {
    let spool = &stats.spool;
    let (delivered, lost) = (Family::<CategoryLabel, Counter>::default(), Family::<LossLabels, Counter>::default());
    for category in Category::ALL {
        delivered.get_or_create(&CategoryLabel { category: category.name() }).inc_by(spool.counts.delivered(category));
    }
    for (reason, category, count) in spool.counts.losses() {
        lost.get_or_create(&LossLabels { reason: reason.name(), category: category.name() }).inc_by(count);
    }
    registry.register("delivered_envelopes", "Envelopes that Sentry has taken", delivered);
    registry.register("lost_envelopes", "Envelopes that Sentry will never have, by reason", lost);

    let waiting = Family::<LaneLabel, Gauge>::default();
    for (lane, depth) in [("urgent", spool.urgent), ("routine", spool.routine)] {
        let count = i64::try_from(depth.waiting + depth.taken).unwrap_or(i64::MAX);
        waiting.get_or_create(&LaneLabel { lane }).set(count);
    }
    registry.register("spool_envelopes", "Envelopes that wait for Sentry, by lane", waiting);
    let bytes = whole(usize::try_from(spool.disk_bytes).unwrap_or(usize::MAX));
    registry.register_with_unit("spool_disk", "What waits on the disk", Unit::Bytes, bytes);
    registry.register_with_unit("spool_memory", "What waits in memory", Unit::Bytes, whole(spool.memory_bytes));
    let oldest = spool.oldest.unwrap_or_default().as_secs_f64();
    registry.register_with_unit("spool_oldest_age", "Age of the oldest that waits", Unit::Seconds, float(oldest));
    registry.register("spool_healthy", "Whether the disk takes envelopes", whole(usize::from(spool.trouble.is_none())));

    registry.register("delivery_posts", "Posts on their way", whole(stats.in_flight));
    registry.register("delivery_healthy", "Whether Sentry is reached", whole(usize::from(stats.trouble.is_none())));
    if let Some(last) = stats.last_success.and_then(|last| last.duration_since(UNIX_EPOCH).ok()) {
        let help = "When Sentry took an envelope last";
        registry.register_with_unit("delivery_last_success", help, Unit::Seconds, float(last.as_secs_f64()));
    }
    let held = Family::<CategoryLabel, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    for one in &stats.held {
        held.get_or_create(&CategoryLabel { category: one.category.name() }).set(one.remaining.as_secs_f64());
    }
    registry.register_with_unit("delivery_held", "For how long Sentry holds a category back", Unit::Seconds, held);
}

fn float(value: f64) -> Gauge<f64, std::sync::atomic::AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

fn whole(value: usize) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}
