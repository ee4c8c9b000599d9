//! What holds for every template and every value.

use probe_script::{Setters, Template, UrlTemplate, ValueTemplate};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::{init_keys, read, scope, written};

const KEYS: [&str; 4] = ["a", "b c", "now", "ü"];

/// Text that is likely to be a template, or nearly one.
fn template() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "{",
        "}",
        "{a",
        "{now",
        "{ü",
        "{b c",
        "{zz",
        "[0]",
        "[x]",
        ".x",
        "!r",
        "!s",
        "!",
        ":",
        "}}",
        "{{",
        ":>5",
        ":{a}",
        ":05d",
        ".3f",
        "🎉",
        "^",
        "=",
        ",",
        "_",
        "9",
        "99999999999",
        "http://",
        "/",
        "?",
        "@",
        "..",
        " ",
        "\0",
        "a",
        "now",
    ]);
    prop_oneof![proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()), any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![">5", "x", "..", "a"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((select(vec!["x", "a", "{a}", ""]), inner), 0..4).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

/// The value without its texts.
fn without_texts(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from(""),
        Value::Array(values) => values.iter().map(without_texts).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), without_texts(value))).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_template_panics(text in template(), values in proptest::array::uniform4(value())) {
        let keys = Value::Object(KEYS.iter().map(|key| (*key).to_owned()).zip(values).collect());
        let (setters, scope) = (Setters::new(&init_keys(&keys), true), scope(&keys));
        if let Ok(template) = Template::parse(&text) {
            let _ = template.render(&scope);
        }
        let node = written(&text.into());
        let (url, told) = read(&node, |at| UrlTemplate::compile(at, &setters.before(1)));
        prop_assert_eq!(url.is_none(), !told.is_empty());
        if let Some(url) = url {
            let _ = url.render(&scope);
        }
    }

    #[test]
    fn text_without_braces_that_is_no_key_comes_out_as_it_went_in(text in "[^{}]*") {
        prop_assume!(!KEYS.contains(&text.as_str()));
        let keys = json!({"a": 1, "b c": 2, "now": 3, "ü": 4});
        let setters = Setters::new(&init_keys(&keys), true);
        let (body, told) = read(&written(&text.clone().into()), |at| ValueTemplate::compile(at, &setters.before(1)));
        prop_assert_eq!(told, Vec::<String>::new());
        prop_assert_eq!(body.unwrap().render(&scope(&keys)).unwrap(), Value::from(text));
    }

    #[test]
    fn what_is_no_text_in_a_body_never_changes(body in value()) {
        // A key that holds text: what stands for it stays text.
        let keys = json!({"a": "text"});
        let setters = Setters::new(&init_keys(&keys), true);
        let (template, _) = read(&written(&body), |at| ValueTemplate::compile(at, &setters.before(1)));
        if let Some(template) = template {
            prop_assert_eq!(without_texts(&template.render(&scope(&keys)).unwrap()), without_texts(&body));
        }
    }

    #[test]
    fn a_value_in_the_path_stays_one_segment(text in any::<String>()) {
        let keys = json!({"a": text});
        let setters = Setters::new(&init_keys(&keys), true);
        let (url, _) = read(&written(&"https://h/x/{a}/y".into()), |at| UrlTemplate::compile(at, &setters.before(1)));
        if let Ok(url) = url.unwrap().render(&scope(&keys)) {
            prop_assert_eq!(url.matches('/').count(), 5);
            prop_assert!(url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%/:".contains(&byte)), "{}", url);
        }
    }
}
