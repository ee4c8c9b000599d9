//! The parts of a secret that are secrets by themselves: the lines of a key, what a URL or a JSON document holds.

use serde_json::Value;
use url::Url;

/// The shortest part that is secret by itself, in bytes: shorter ones are words that stand anywhere.
const SHORTEST: usize = 8;

/// The shortest line or segment of a path that is.
const SHORTEST_LINE: usize = 16;

/// The parts of a secret, without the secret itself.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut parts = lines(secret);
    parts.extend(Url::parse(secret.trim()).ok().into_iter().flat_map(|url| of_url(&url)));
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(secret) {
        texts(&json, &mut parts);
    }
    parts
}

/// Its lines; what it is on one line, without the blanks around it.
fn lines(secret: &str) -> Vec<String> {
    let whole = secret.trim();
    let mut lines: Vec<String> = Vec::new();
    if whole != secret {
        lines.push(whole.to_owned());
    }
    if whole.contains('\n') {
        let is_own = |line: &&str| line.len() >= SHORTEST_LINE && !line.starts_with("-----");
        lines.extend(whole.lines().map(str::trim).filter(is_own).map(str::to_owned));
    }
    lines
}

/// The URL as it is asked; path, query, and what in them is long.
fn of_url(url: &Url) -> Vec<String> {
    if !url.has_host() {
        return Vec::new();
    }
    let mut asked = url.clone();
    asked.set_fragment(None);
    // Neither can fail: the URL has a host.
    let _ = (asked.set_username(""), asked.set_password(None));
    let path = asked[url::Position::BeforePath..].to_owned();
    // A user name is none: that of a DSN is its public key, which targets see.
    let password = url.password().unwrap_or_default();
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let segments = url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= SHORTEST_LINE);
    let mut parts = vec![asked.to_string(), path, url.path().to_owned()];
    parts.extend(std::iter::once(password).chain(segments).map(str::to_owned).chain(values));
    parts.retain(|part| part.len() >= SHORTEST);
    parts
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
