//! Values of a query, a form, a JSON body that stand under a name which speaks of a secret.

use probe_core::{Secret, is_secret_name};
use serde_json::Value;
use url::Url;

use crate::asked::Payload;

/// The shortest value, in bytes, that is secret for a name as `key`: `?key=de` would mask every "de".
const SHORTEST: usize = 8;

/// Parts of names whose values are secret however short they are.
const CERTAIN: [&str; 3] = ["pass", "secret", "pwd"];

/// What is secret in the query of this URL and in this body, for the name it stands under.
pub(crate) fn secrets(url: &Url, body: &Payload) -> Vec<Secret> {
    let mut found = Vec::new();
    url.query_pairs().for_each(|(name, value)| take(&name, &value, &mut found));
    match body {
        Payload::Form(fields) => fields.iter().for_each(|(name, value)| take(name, value, &mut found)),
        Payload::Json(json) => fields("", json, &mut found),
        Payload::Text(text) => {
            if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                fields("", &json, &mut found);
            }
        }
        Payload::Empty => {}
    }
    found
}

fn take(name: &str, value: &str, found: &mut Vec<Secret>) {
    let is_certain = || CERTAIN.iter().any(|part| name.to_ascii_lowercase().contains(part));
    if !value.is_empty() && is_secret_name(name) && (value.len() >= SHORTEST || is_certain()) {
        found.push(Secret::new(value));
    }
}

/// What is below a name that speaks of a secret does not need one of its own.
fn fields(name: &str, value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::String(text) => take(name, text, found),
        Value::Number(number) => take(name, &number.to_string(), found),
        Value::Array(values) => values.iter().for_each(|value| fields(name, value, found)),
        Value::Object(entries) => entries.iter().for_each(|(own, value)| {
            fields(if is_secret_name(name) && !is_secret_name(own) { name } else { own }, value, found);
        }),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_makes_its_value_a_secret() {
        let url = Url::parse("https://h/?api_key=0123456789&key=de&page=0123456789").unwrap();
        let found = |body| secrets(&url, &body).iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(found(Payload::Empty), ["0123456789"]);
        let form = [("user", "a-long-user-name"), ("password", "short")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found(Payload::Form(form.into()))[1..], ["short"]);
        let json =
            json!({"credentials": {"user": "monitoring", "n": 1}, "tokens": ["aaaaaaaa", true], "text": "password"});
        assert_eq!(found(Payload::Text(json.to_string()))[1..], ["monitoring", "aaaaaaaa"]);
        assert_eq!(found(Payload::Json(json))[1..], ["monitoring", "aaaaaaaa"]);
    }
}
