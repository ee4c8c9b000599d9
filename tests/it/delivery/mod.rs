//! Delivery to a stand-in for Sentry.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{path::Path, sync::Arc, time::Duration};

use sentrynet::report::sentry::{
    Delivery, Envelope,
    delivery::Pace,
    spool::{Category, Counts, Lane, Limits, Spool},
};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::sentry::Sentry;

mod answers;
mod crash;
mod flush;
mod https;
mod limits;
mod losses;
mod outage;
mod said;
mod sink;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A delivery to this stand-in, with a spool of its own.
fn deliver(sentry: &Arc<Sentry>) -> (TempDir, Delivery) {
    let directory = TempDir::new().unwrap();
    let delivery = deliver_from(directory.path(), sentry);
    (directory, delivery)
}

/// A delivery of what lies in this directory.
fn deliver_from(directory: &Path, sentry: &Arc<Sentry>) -> Delivery {
    deliver_with(directory, sentry, Limits::default())
}

fn deliver_with(directory: &Path, sentry: &Arc<Sentry>, limits: Limits) -> Delivery {
    let spool = Spool::open(directory, limits).unwrap();
    Delivery::start(Arc::new(spool), Arc::clone(sentry) as _, Pace::default())
}

/// A transaction of a run that went well.
fn transaction(number: u64) -> Envelope {
    let id = Uuid::from_u128(u128::from(number));
    let span = |name: &str| {
        json!({"trace_id": id.simple().to_string(), "span_id": "0123456789abcdef", "op": name,
            "description": "What it does", "status": "ok", "start_timestamp": 1_795_202_626.5, "timestamp": 1_795_202_626.75})
    };
    let ops = ["http.request", "net.conn", "net.dns", "net.tcp", "net.tls", "http.send", "http.wait", "http.recv"];
    let payload = json!({
        "event_id": id.simple().to_string(), "type": "transaction", "transaction": format!("GET {number}"),
        "environment": "test", "release": "sentrynet@0", "tags": {"probe": "http", "verdict": "up"},
        "start_timestamp": 1_795_202_626.5, "timestamp": 1_795_202_627.5,
        "contexts": {"trace": span("probes.http")}, "spans": ops.map(span), "filler": filler(number),
    });
    envelope(Lane::Routine, Category::Transaction, id, "transaction", &payload.to_string())
}

/// An error.
fn error(number: u64) -> Envelope {
    let id = Uuid::from_u128(u128::from(number));
    let payload = json!({"event_id": id.simple().to_string(), "level": "error", "filler": filler(number)});
    envelope(Lane::Urgent, Category::Error, id, "event", &payload.to_string())
}

fn envelope(lane: Lane, category: Category, id: Uuid, kind: &str, payload: &str) -> Envelope {
    let header = json!({"event_id": id.simple().to_string()});
    let item = json!({"type": kind, "length": payload.len()});
    Envelope { lane, category, event_id: Some(id), bytes: format!("{header}\n{item}\n{payload}\n").into_bytes() }
}

/// Text that follows from the number, to tell a whole record.
fn filler(number: u64) -> String {
    format!("{number} {}", "x".repeat((number * 37 % 900) as usize))
}

/// As the stand-in knows it.
fn id(number: u64) -> String {
    Uuid::from_u128(u128::from(number)).simple().to_string()
}

fn counts(delivery: &Delivery) -> Counts {
    delivery.stats().spool.counts
}
