//! Envelopes as Sentry reads them (develop.sentry.dev, "Envelopes").

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An envelope that was read.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) header: Value,
    pub(crate) items: Vec<Item>,
}

/// One of its items.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) header: Value,
    pub(crate) payload: Vec<u8>,
}

// === impl Envelope ===

impl Envelope {
    /// Reads it; else what is wrong.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (header, mut rest) = line(bytes);
        let header = object(header, "the envelope's header")?;
        if let Some(id) = header.get("event_id") {
            let id = id.as_str().unwrap_or_default();
            uuid::Uuid::try_parse(id).map_err(|error| format!("event_id {id:?}: {error}"))?;
        }
        let mut items = Vec::new();
        while !rest.is_empty() {
            let (header, after) = line(rest);
            let header = object(header, "an item's header")?;
            if header["type"].as_str().is_none() {
                return Err("an item without a type".to_owned());
            }
            let payload = match header.get("length").map(|length| length.as_u64().and_then(|n| usize::try_from(n).ok()))
            {
                None => line(after).0,
                Some(Some(length)) => after.get(..length).ok_or("an item is cut short")?,
                Some(None) => return Err("a length that is none".to_owned()),
            };
            rest = match after[payload.len()..].split_first() {
                None => &[],
                Some((b'\n', rest)) => rest,
                Some(_) => return Err("an item without an end".to_owned()),
            };
            items.push(Item { header, payload: payload.to_vec() });
        }
        Ok(Self { header, items })
    }

    pub(crate) fn event_id(&self) -> Option<&str> {
        self.header["event_id"].as_str()
    }

    /// When it says that it was sent.
    pub(crate) fn sent_at(&self) -> SystemTime {
        let sent_at = self.header["sent_at"].as_str().expect("an envelope says when it was sent");
        DateTime::<Utc>::from(DateTime::parse_from_rfc3339(sent_at).expect("a time")).into()
    }

    /// The type of its first item.
    pub(crate) fn kind(&self) -> &str {
        self.items.first().map_or("", Item::kind)
    }
}

// === impl Item ===

impl Item {
    pub(crate) fn kind(&self) -> &str {
        self.header["type"].as_str().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }
}

fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn object(bytes: &[u8], what: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("{what}: {error}"))?;
    if value.is_object() { Ok(value) } else { Err(format!("{what} is no object")) }
}
