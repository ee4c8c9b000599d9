//! Which values of keys may be shown.
//!
//! A value is masked when it came into the file by substitution, or when its name or that of a field in it speaks of a
//! secret. What an answer gave is masked, too, when it is not short: most tokens are long, and most identifiers that help
//! a reader are not. A sentence, a link, a path are as long as the longest word in them.

use probe_core::{Secret, is_secret_name};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// The longest word that may be shown, in characters; a UUID may, too.
const SHORT: usize = 24;

/// The longest text that is looked at for its words.
const LONG: usize = 200;

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
    if is_short(text) {
        return true;
    }
    // In Base64, too, there are slashes; a link begins as one.
    let is_link = ["http://", "https://", "/"].iter().any(|start| text.starts_with(start));
    let ends = |letter: char| letter.is_whitespace() || (is_link && "/?&=#:".contains(letter));
    let mut words = text.split(ends);
    text.len() <= LONG && words.clone().nth(1).is_some() && words.all(|word| is_short(word) && !is_secret_name(word))
}

fn is_short(word: &str) -> bool {
    word.chars().nth(SHORT).is_none() || Uuid::try_parse(word).is_ok_and(|uuid| uuid.to_string().len() == word.len())
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
        for shown in [
            "all systems are fine and operational",
            "https://shop.example.com/orders/0d9ff8c8-93a7-4a4c-8b3b-3a4a31a5a0a1?page=2",
            "/api/v1/orders/17/items/of/all/sorts",
        ] {
            assert!(exposed("next", &json!(shown)).is_empty(), "{shown}");
        }
        for masked in [
            "the token is hunter22 and it is long",
            "https://shop.example.com/orders?sig=0123456789abcdef0123456789",
            "https://shop.example.com/orders?access_token=a",
            "aGVsbG8gd29ybGQgdGhpcyBpcyBi/NjQgdGV4dA==",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        ] {
            assert_eq!(exposed("next", &json!(masked)), [masked]);
        }
        assert_eq!(exposed("pin", &json!(4711)), ["4711"]);
        assert!(exposed("count", &json!(4711)).is_empty());
    }

    #[test]
    fn what_stands_in_the_file_is_secret_for_its_name_alone() {
        let base = json!("a-beginning-that-is-rather-long");
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
