//! Tags as they are written: what Sentry would drop without a word is a mistake here (trace.md, "Limits").

use probe_keys::{At, Definitions, Findings, Map, Placed, Read, Spot};
use serde_json::Value as Json;

use super::line::Line;
use crate::check::Tags;

/// The longest key that Sentry keeps.
const LONGEST_KEY: usize = 32;

/// Names with a meaning of their own in Sentry.
const RESERVED: [&str; 6] = ["release", "dist", "user", "filename", "function", "environment"];

/// Tags that the daemon itself sets.
const OWN: [&str; 2] = ["probe", "verdict"];

/// The tags of one place of the file, in written order.
#[derive(Clone, Debug, Default)]
pub(super) struct WrittenTags(Vec<(Placed<String>, String)>);

// === impl WrittenTags ===

impl WrittenTags {
    /// As they stand here.
    pub(super) fn to_tags(&self) -> Tags {
        let mut tags = Tags::new();
        self.over(&mut tags);
        tags
    }

    /// Adds them to `tags`, over what is there.
    pub(super) fn over(&self, tags: &mut Tags) {
        tags.extend(self.0.iter().map(|(key, value)| (key.value.clone(), value.clone())));
    }

    /// One tag, written in a place of its own.
    pub(super) fn one(key: &str, value: String, spot: Spot) -> Self {
        Self(vec![(Placed { value: key.to_owned(), spot }, value)])
    }

    /// The global tags, brought together from several places, which must not speak of the same key.
    pub(super) fn join(mut self, other: Self, findings: &Findings) -> Self {
        for (key, value) in other.0 {
            if let Some((first, _)) = self.0.iter().find(|(known, _)| known.value == key.value) {
                let reason = format!("global tag `{}` is given by `{}` already", key.value, first.spot.path);
                findings.wrong_with(&key.spot, reason, "keep one of them");
            } else {
                self.0.push((key, value));
            }
        }
        self
    }
}

impl Read for WrittenTags {
    fn read(at: &At<'_>) -> Option<Self> {
        let Map(tags) = Map::<Line<200>>::read(at)?;
        tags.iter().for_each(|(key, _)| lint(key, at.findings()));
        Some(Self(tags.into_iter().map(|(key, Line(value))| (key, value)).collect()))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let mut schema = Map::<Line<200>>::schema(definitions);
        schema["propertyNames"] = serde_json::json!({"pattern": format!("^[a-zA-Z0-9_.:-]{{1,{LONGEST_KEY}}}$")});
        schema
    }
}

fn lint(Placed { value: key, spot }: &Placed<String>, findings: &Findings) {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if key.is_empty() || key.len() > LONGEST_KEY || !key.chars().all(valid) {
        let reason = format!("`{key}` is no tag key that Sentry keeps");
        findings.wrong_with(spot, reason, format!("1 to {LONGEST_KEY} of the characters a-z A-Z 0-9 _ . : -"));
    } else if RESERVED.contains(&key.as_str()) {
        let hint = match key.as_str() {
            "release" | "environment" => format!("there is `sentry.{key}`"),
            _ => "choose another name".to_owned(),
        };
        findings.wrong_with(spot, format!("tag `{key}` is reserved by Sentry"), hint);
    } else if OWN.contains(&key.as_str()) {
        findings.wrong_with(spot, format!("tag `{key}` is set by SentryNet itself"), "choose another name");
    }
}
