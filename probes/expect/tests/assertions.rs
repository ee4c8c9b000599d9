//! Assertions as they are written, held to values.

mod written;

use probe_core::{Failure, FailureClass};
use probe_expect::{Assertion, Found, Pattern};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::written::read;

fn check(assertion: &Json, value: &Json) -> Result<(), Failure> {
    let assertion: Assertion = read(assertion).unwrap_or_else(|reason| panic!("{assertion}: {reason}"));
    assertion.check("`key`", Found { value: Some(value), origin: Some("from $.key"), private: false })
}

#[test]
fn an_assertion_holds_or_says_what_it_expected_and_what_was_there() {
    for (assertion, holds, fails, message) in [
        (json!("ok"), json!("ok"), json!("bad"), r#"expected `key` to be "ok", got "bad""#),
        (json!({"value": false}), json!(false), json!(0), "expected `key` to be false, got 0"),
        (json!({"value": 0}), json!(0.0), json!(false), "expected `key` to be 0, got false"),
        (json!({"value": ""}), json!(""), json!(null), r#"expected `key` to be "", got null"#),
        (json!(null), json!(null), json!(""), r#"expected `key` to be null, got """#),
        (
            json!({"value": [1, {"a": 2}]}),
            json!([1, {"a": 2}]),
            json!([1]),
            r#"expected `key` to be [1,{"a":2}], got [1]"#,
        ),
        (json!({"not": null}), json!(0), json!(null), "expected `key` to be anything but null, got null"),
        (json!({"in": [1, "a"]}), json!("a"), json!("1"), r#"expected `key` to be one of [1,"a"], got "1""#),
        (json!({"type": "string"}), json!("5"), json!(5), "expected `key` to be a string, got an integer: 5"),
        (json!({"type": "number"}), json!(5), json!("5"), r#"expected `key` to be a number, got a string: "5""#),
        (json!({"type": "integer"}), json!(5.0), json!(5.5), "expected `key` to be an integer, got a number: 5.5"),
        (json!({"type": "boolean"}), json!(false), json!(0), "expected `key` to be a boolean, got an integer: 0"),
        (json!({"type": "array"}), json!([]), json!({}), "expected `key` to be an array, got an object: {}"),
        (json!({"type": "object"}), json!({}), json!(null), "expected `key` to be an object, got null: null"),
        (json!({"type": "null"}), json!(null), json!([]), "expected `key` to be null, got an array: []"),
        (json!({"type": null}), json!(null), json!(0), "expected `key` to be null, got an integer: 0"),
        (json!({"contains": "b"}), json!("abc"), json!("xyz"), r#"expected `key` to contain "b", got "xyz""#),
        (json!({"contains": 1}), json!([0, 1.0]), json!("1"), r#"expected `key` to contain 1, got "1""#),
        (json!({"contains": "b"}), json!({"b": null}), json!(["a"]), r#"expected `key` to contain "b", got ["a"]"#),
        (json!({"matches": "^a.c$"}), json!("abc"), json!("abcd"), r#"expected `key` to match `^a.c$`, got "abcd""#),
        (json!({"gt": 1}), json!(1.5), json!(1), "expected `key` to be more than 1, got 1"),
        (json!({"ge": 1}), json!(1), json!(0.5), "expected `key` to be at least 1, got 0.5"),
        (json!({"lt": 1}), json!(-1), json!("0"), r#"expected `key` to be less than 1, got "0""#),
        (json!({"le": 1.5}), json!(1.5), json!(null), "expected `key` to be at most 1.5, got null"),
        (json!({"length": 2}), json!("é1"), json!("é"), r#"expected `key` to have a length of 2, got 1: "é""#),
        (
            json!({"length": {"ge": 1}}),
            json!({"a": 1}),
            json!([]),
            "expected `key` to have a length of at least 1, got 0: []",
        ),
        (
            json!({"length": {"gt": 1, "lt": 4}}),
            json!([1, 2]),
            json!(2),
            "expected `key` to have a length of 2 to 3, got 2",
        ),
        (
            json!({"ge": 1, "lt": 3, "type": "integer", "not": 2}),
            json!(1),
            json!(2),
            "expected `key` to be anything but 2, got 2",
        ),
        (json!({"exists": false}), json!(null), json!(null), "`key` is set: null"),
    ] {
        let failure = check(&assertion, &fails).expect_err(&assertion.to_string());
        assert_eq!((failure.message.as_str(), failure.class), (message, FailureClass::Assertion));
        assert_eq!(failure.origin.as_deref(), Some("from $.key"));
        assert!(failure.expected.is_some() && failure.actual.is_some());
        if assertion != json!({"exists": false}) {
            assert_eq!(check(&assertion, &holds), Ok(()), "{assertion}");
        }
    }
}

#[test]
fn what_is_not_there_says_where_it_would_have_come_from() {
    let check = |assertion: Json, origin| {
        read::<Assertion>(&assertion).unwrap().check("`token`", Found { value: None, origin, private: false })
    };
    assert_eq!(check(json!({"exists": false}), None), Ok(()));
    let failure = check(json!({}), Some("from $.token")).unwrap_err();
    assert_eq!(failure.message, "`token` is not set: nothing came from $.token");
    let failure = check(json!({"gt": 1}), None).unwrap_err();
    assert_eq!((failure.message.as_str(), failure.expected.as_deref()), ("`token` is not set", Some("more than 1")));
}

#[test]
fn what_was_there_is_shortened() {
    let failure = check(&json!({"lt": 1}), &json!("é".repeat(10_000))).unwrap_err();
    assert_eq!(failure.actual.unwrap(), format!("\"{}…", "é".repeat(199)));
    assert!(failure.message.len() < 500);
}

#[test]
fn what_can_never_hold_is_found_when_it_is_read() {
    for (assertion, reason) in [
        (json!({"exists": false, "value": 1}), "`exists: false` goes with nothing else: there is no value to look at"),
        (json!({"value": 1, "not": 1.0}), "nothing can be 1 and be anything but 1.0"),
        (json!({"value": 1, "type": "string"}), "nothing can be 1 and be a string"),
        (json!({"value": "x", "matches": "y"}), "nothing can be \"x\" and match `y`"),
        (json!({"in": []}), "nothing is in an empty list"),
        (json!({"in": [1, 2], "gt": 2}), "nothing can be one of [1,2] and pass the other tests"),
        (json!({"type": "string", "gt": 2}), "nothing can be a string and be more than 2"),
        (json!({"matches": "a", "contains": 2}), "nothing can contain 2 and match `a`"),
        (json!({"gt": 5, "le": 5}), "no number is more than 5 and at most 5"),
        (json!({"ge": 6, "lt": 5}), "no number is at least 6 and less than 5"),
        (json!({"length": {"gt": 2, "lt": 3}}), "no number lies between these bounds"),
        (json!({"length": {}}), "no bound is given: write a number, or one of gt, ge, lt, le"),
        (json!({"length": -1}), "expected a whole number, got the number -1"),
        (json!({"gt": "1"}), "expected a number, got text \"1\""),
        (json!({"matches": "a("}), "this is not a regular expression: unclosed group"),
        (json!({"type": "text"}), "\"text\" is not a type of JSON"),
        (json!(["a"]), "a list alone does not say what must hold"),
    ] {
        assert_eq!(read::<Assertion>(&assertion).unwrap_err(), reason, "{assertion}");
    }
    assert!(read::<Assertion>(&json!({"gt": 5, "le": 6, "type": "integer", "not": 7})).is_ok());
    assert!(read::<Assertion>(&json!({"contains": "a", "matches": "b", "length": 2, "type": "string"})).is_ok());
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        (0..4_u64).prop_map(Json::from),
    ];
    let key = prop::sample::select(
        &["exists", "value", "not", "in", "type", "contains", "matches", "gt", "ge", "lt", "le", "length", "a"][..],
    );
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let member = (key.clone(), inner.clone()).prop_map(|(key, value)| (key.to_owned(), value));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Json::from),
            prop::collection::vec(member, 0..4).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_assertion_panics_on_any_value(written in any_json(), value in any_json()) {
        if let Ok(assertion) = read::<Assertion>(&written) {
            let _ = assertion.check("`key`", Found { value: Some(&value), origin: None, private: false });
        }
    }

    #[test]
    fn a_value_is_itself_and_not_something_else(value in any_json()) {
        let is = |key: &str| read::<Assertion>(&json!({key: value})).unwrap().check("`key`", Found { value: Some(&value), origin: None, private: false });
        prop_assert!(is("value").is_ok());
        prop_assert!(is("not").is_err());
    }

    #[test]
    fn no_text_makes_a_regular_expression_panic(pattern in "\\PC{0,40}", text in "\\PC{0,40}") {
        match Pattern::new(&pattern) {
            Ok(pattern) => drop(pattern.find(&text).collect::<Vec<_>>()),
            Err(reason) => prop_assert!(!reason.contains('\n')),
        }
    }
}
