//! What Sentry does not take: Relay's limits, and what it drops after it has said 200.

use serde_json::Value;

use super::envelope::{Envelope, Item};

/// What Relay answers 413 to: the type of an item, and the most bytes of all its items of that type.
const LARGEST: [(&str, usize); 6] = [
    ("event", 1 << 20),
    ("transaction", 1 << 20),
    ("client_report", 4 << 10),
    ("check_in", 100 << 10),
    ("session", 1 << 20),
    ("attachment", 100 << 20),
];
/// The most bytes of a request, as it comes over the network.
pub(crate) const LARGEST_REQUEST: usize = 20 << 20;
/// The most bytes of a transaction's spans.
const LARGEST_SPANS: usize = 819_200;

/// Whether Relay answers 413.
pub(crate) fn too_large(envelope: &Envelope) -> Option<String> {
    LARGEST.iter().find_map(|(kind, most)| {
        let items = envelope.items.iter().filter(|item| item.kind() == *kind);
        let bytes: usize = items.map(|item| item.payload.len()).sum();
        (bytes > *most).then(|| format!("{kind} of {bytes} bytes"))
    })
}

/// Why Relay drops an envelope, or a part of it, that it has answered 200 to.
pub(crate) fn dropped(envelope: &Envelope) -> Vec<String> {
    envelope.items.iter().flat_map(item).collect()
}

fn item(item: &Item) -> Vec<String> {
    let json = item.json();
    let wrong = match item.kind() {
        "transaction" => [transaction(&json), labels(&json)].concat(),
        "event" => labels(&json),
        "check_in" => check_in(&json),
        _ => Vec::new(),
    };
    wrong.into_iter().map(|wrong| format!("{}: {wrong}", item.kind())).collect()
}

fn transaction(json: &Value) -> Vec<String> {
    let spans = json["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let trace = &json["contexts"]["trace"];
    let mut wrong = Vec::new();
    wrong.extend(timed(json).err());
    wrong.extend(identified(trace).err());
    for span in spans {
        wrong.extend(timed(span).err());
        wrong.extend(identified(span).err());
    }
    if spans.len() > 1_000 || json["spans"].to_string().len() > LARGEST_SPANS {
        wrong.push(format!("{} spans are too many or too large", spans.len()));
    }
    wrong
}

fn timed(span: &Value) -> Result<(), String> {
    match (span["start_timestamp"].as_f64(), span["timestamp"].as_f64()) {
        (Some(start), Some(end)) if start <= end => Ok(()),
        (start, end) => Err(format!("from {start:?} to {end:?}")),
    }
}

fn identified(span: &Value) -> Result<(), String> {
    for (key, length) in [("trace_id", 32), ("span_id", 16)] {
        let id = span[key].as_str().unwrap_or_default();
        if id.len() != length || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("{key} {id:?}"));
        }
    }
    Ok(())
}

fn labels(json: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, most) in [("transaction", 200), ("environment", 64), ("release", 200), ("server_name", 256)] {
        wrong.extend((text(&json[key]).chars().count() > most).then(|| format!("{key} is too long")));
    }
    wrong.extend(text(&json["environment"]).contains('/').then(|| "environment with a slash".to_owned()));
    for (key, value) in json["tags"].as_object().into_iter().flatten() {
        let value = text(value);
        let well = !value.is_empty() && value.chars().count() <= 200 && !value.contains('\n') && key.len() <= 32;
        wrong.extend((!well).then(|| format!("tag {key}: {value:?}")));
    }
    wrong
}

fn check_in(json: &Value) -> Vec<String> {
    let slug = text(&json["monitor_slug"]);
    let well = !slug.is_empty() && slug.len() <= 50;
    if well { Vec::new() } else { vec![format!("slug {slug:?}")] }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
