//! Which values of keys may be shown.
//!
//! A value is masked when it came into the file by substitution, or when its name or that of a field in it speaks of a
//! secret. What an answer gave is masked, too, when it is not short: most tokens are long, and most identifiers that help
//! a reader are not.

use probe_core::{Secret, is_secret_name};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// The longest text that may be shown, in characters; a UUID may, too.
const SHORT: usize = 24;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It stands in the file for all to see.
    Written,
    /// From an answer.
    Answered,
    /// By substitution, or from where secrets are (a cookie): all of it is secret.
    Private,
}

/// The secrets in a value that is held under `name`.
pub(crate) fn secrets(name: &str, value: &Value, source: Source) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut left = vec![(source == Source::Private || is_secret_name(name), value)];
    let is_long = |text: &str| source != Source::Written && !may_be_shown(text);
    while let Some((secret, value)) = left.pop() {
        match value {
            Value::String(text) if secret || is_long(text) => found.push(Secret::new(text)),
            Value::String(text) => found.extend(password(text)),
            Value::Number(number) if secret => found.push(Secret::new(number.to_string())),
            Value::Array(values) => left.extend(values.iter().map(|value| (secret, value))),
            Value::Object(fields) => {
                left.extend(fields.iter().map(|(field, value)| (secret || is_secret_name(field), value)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

fn may_be_shown(text: &str) -> bool {
    text.chars().nth(SHORT).is_none() || Uuid::try_parse(text).is_ok_and(|uuid| uuid.to_string().len() == text.len())
}

/// The password in a URL.
fn password(text: &str) -> Option<Secret> {
    Url::parse(text).ok()?.password().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exposed(name: &str, value: &Value) -> Vec<String> {
        secrets(name, value, Source::Answered).iter().map(|secret| secret.expose().to_owned()).collect()
    }

    #[test]
    fn short_values_with_plain_names_are_shown_and_long_ones_are_not() {
        assert!(exposed("id", &json!("order-17")).is_empty());
        assert!(exposed("id", &json!("0d9ff8c8-93a7-4a4c-8b3b-3a4a31a5a0a1")).is_empty());
        assert_eq!(exposed("id", &json!("0d9ff8c893a74a4c8b3b3a4a31a5a0a1")), ["0d9ff8c893a74a4c8b3b3a4a31a5a0a1"]);
        assert_eq!(exposed("pin", &json!(4711)), ["4711"]);
        assert!(exposed("count", &json!(4711)).is_empty());
    }

    #[test]
    fn what_stands_in_the_file_is_secret_for_its_name_alone() {
        let base = json!("https://shop.example.com/api/v1");
        assert!(secrets("base", &base, Source::Written).is_empty());
        assert_eq!(secrets("base", &base, Source::Answered).len(), 1);
        assert_eq!(secrets("api_key", &base, Source::Written).len(), 1);
        let login = secrets("base", &json!("https://probe:hunter22@shop.example.com/"), Source::Written);
        assert_eq!(login.iter().map(Secret::expose).collect::<Vec<_>>(), ["hunter22"]);
    }

    #[test]
    fn a_secret_deep_in_a_value_is_found() {
        let value = json!({"id": 1, "name": "ann", "login": {"password": "hunter22", "tries": [true, null]}});
        assert_eq!(exposed("user", &value), ["hunter22"]);
        assert_eq!(secrets("user", &json!(["a", "b"]), Source::Private).len(), 2);
    }
}
