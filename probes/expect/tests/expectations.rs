//! Assertions and expectations as they are written, held to values and answers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use probe_core::{Failure, FailureClass};
use probe_expect::{Answer, Assertion, Captures, Expect, Found, Pattern};
use probe_keys::{At, Entry, Findings, Node, Place, Read, Text, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn node(written: &Json) -> Node {
    let value = match written {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.clone(), number.to_string()),
        Json::String(text) => Value::Text(Text::plain(text)),
        Json::Array(elements) => Value::List(elements.iter().map(node).collect()),
        Json::Object(members) => {
            let entry =
                |(key, value): (&String, &Json)| Entry { key: key.clone(), place: Place::default(), node: node(value) };
            Value::Mapping(members.iter().map(entry).collect())
        }
    };
    Node { value, place: Place::default() }
}

/// What was written, or the first mistake in it.
fn read<T: Read>(written: &Json) -> Result<T, String> {
    let (node, findings) = (node(written), Findings::default());
    let read = T::read(&At::root(&node, &findings));
    read.ok_or_else(|| findings.problems()[0].reason.clone())
}

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
fn what_carries_a_session_is_not_told() {
    let found = Found { value: Some(&json!("s3cr3t")), origin: Some("from cookie sid"), private: true };
    for assertion in [json!({"length": 3}), json!({"type": "null"}), json!("x"), json!({"exists": false})] {
        let failure = read::<Assertion>(&assertion).unwrap().check("`sid`", found).unwrap_err();
        assert!(!format!("{failure:?}").contains("s3cr3t"), "{failure:?}");
        assert_eq!(failure.actual.as_deref(), Some("[cut]"));
    }
    let mut headers = HeaderMap::new();
    headers.append("x-csrf-token", HeaderValue::from_static("s3cr3t"));
    headers.append("set-cookie", HeaderValue::from_static("sid=s3cr3t"));
    let answer = Answer::new(200, &headers, b"");
    for name in ["x-csrf-token", "set-cookie"] {
        let expect: Expect = read(&json!({"headers": {name: {"matches": "^x"}}})).unwrap();
        assert!(!format!("{:?}", expect.check(&answer).unwrap_err()).contains("s3cr3t"), "{name}");
    }
    let captures: Captures =
        read(&json!({"a": {"header": "X-CSRF-Token"}, "b": {"cookie": "sid"}, "c": {"header": "etag"}})).unwrap();
    let values = captures.take(&answer).unwrap();
    assert_eq!(["a", "b", "c"].map(|key| values.get(key).private), [true, true, false]);
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

#[test]
fn an_answer_is_as_expected_or_says_what_was_not() {
    let mut headers = HeaderMap::new();
    for (name, value) in [("content-length", "34"), ("vary", "accept"), ("vary", "cookie"), ("etag", "\"x\"")] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let body = br#"{"status": "ok", "items": [1,2,3]}"#;
    let answer =
        Answer::new(200, &headers, body).version(Version::HTTP_2).took(Duration::from_millis(300)).days_left(Some(13));
    for (holds, fails, message, class) in [
        (
            json!({"time": "301ms"}),
            json!({"time": "300ms"}),
            "the request took 300.000ms, expected less than 300ms",
            "assertion",
        ),
        (
            json!({"http_version": 2}),
            json!({"http_version": 1.1}),
            "the answer came by HTTP/2.0, expected HTTP/1.1",
            "assertion",
        ),
        (
            json!({"certificate": {"days_left": 13}}),
            json!({"certificate": {"days_left": 14}}),
            "the certificate is valid for 13 more days, expected 14 or more",
            "assertion",
        ),
        (json!({"size": 34}), json!({"size": {"lt": 34}}), "the body has 34 bytes, expected at most 33", "body"),
        (
            json!({"headers": {"Content-Length": 34, "vary": {"contains": "cookie"}, "x-none": {"exists": false}}}),
            json!({"headers": {"Content-Length": {"gt": 34}}}),
            "expected header `content-length` to be more than 34, got 34",
            "assertion",
        ),
        (
            json!({"headers": {"etag": "\"x\"", "content-length": "34"}}),
            json!({"headers": {"x-none": {}}}),
            "header `x-none` is not set: nothing came from the answer's headers",
            "assertion",
        ),
        (
            json!({"body": {"contains": ["status", "ok"]}}),
            json!({"body": {"contains": ["status", "bad"]}}),
            "the body does not contain \"bad\"",
            "body",
        ),
        (
            json!({"body": {"not_contains": "error"}}),
            json!({"body": {"not_contains": ["error", "items"]}}),
            "the body contains \"items\"",
            "body",
        ),
        (
            json!({"body": {"matches": "o[k]"}}),
            json!({"body": {"matches": "^o[k]"}}),
            "the body does not match `^o[k]`",
            "body",
        ),
        (
            json!({"body": {"not_matches": "^x"}}),
            json!({"body": {"not_matches": "[1-3],"}}),
            "the body matches `[1-3],`",
            "body",
        ),
        (
            json!({"json": {"$.status": "ok", "$.items[*]": {"length": 3}, "$.none": {"exists": false}}}),
            json!({"json": {"$.items[-1:]": {"lt": 3}}}),
            "expected `$.items[-1:]` to be less than 3, got 3",
            "assertion",
        ),
    ] {
        assert_eq!(read::<Expect>(&holds).unwrap().check(&answer), Ok(()), "{holds}");
        let failure = read::<Expect>(&fails).unwrap().check(&answer).expect_err(&fails.to_string());
        assert_eq!((failure.message.as_str(), failure.class.as_str()), (message, class));
    }
}

#[test]
fn an_expectation_that_needs_more_than_was_read_says_so() {
    let headers = HeaderMap::new();
    let answer = Answer::new(200, &headers, b"the beginning").cut(true);
    let check = |expect: Json| read::<Expect>(&expect).unwrap().check(&answer);
    assert_eq!(check(json!({"body": {"contains": "beginning"}})), Ok(()));
    for expect in [
        json!({"body": {"contains": "end"}}),
        json!({"body": {"not_contains": "end"}}),
        json!({"body": {"matches": "beg"}}),
        json!({"size": {"ge": 3}}),
        json!({"json": {"$.a": 1}}),
    ] {
        let failure = check(expect).unwrap_err();
        assert!(failure.message.starts_with("the body is larger than `max_body` (13 bytes)"), "{failure}");
        assert_eq!(failure.class, FailureClass::Body);
    }
    let failure = check(json!({"certificate": {"days_left": 1}})).unwrap_err();
    assert_eq!(failure.message, "no certificate was shown for this request, so its end is not known");
}

#[test]
fn a_wrong_expectation_is_found_when_it_is_read() {
    for (expect, reason) in [
        (json!({"time": 0}), "nothing takes less than no time"),
        (json!({"http_version": 3}), "expected 1.1 or 2, got the number 3"),
        (json!({"headers": {"a b": 1}}), "\"a b\" is not a header's name"),
        (json!({"json": {"status": 1}}), "this is not a JSONPath: it must begin with `$`"),
        (json!({"body": {"contains": ""}}), "it is empty: every body contains that"),
        (
            json!({"body": {"contains": "abc", "not_contains": "b"}}),
            "no body contains \"abc\" and does not contain \"b\"",
        ),
        (json!({"certificate": {}}), "`days_left` is missing"),
        (json!({"body": "text"}), "expected a mapping, got text \"text\""),
    ] {
        assert_eq!(read::<Expect>(&expect).unwrap_err(), reason, "{expect}");
    }
    for (capture, reason) in [
        (json!({"a": {}}), "a value comes from just one of jsonpath, header, cookie, regex, status, body"),
        (json!({"a": {"status": false}}), "`false` takes no value: write `true`, or leave it out"),
        (
            json!({"a": {"header": "x", "cookie": "y"}}),
            "a value comes from just one of jsonpath, header, cookie, regex, status, body",
        ),
        (json!({"a": {"heder": "x"}}), "unknown key `heder`"),
    ] {
        assert_eq!(read::<Captures>(&capture).unwrap_err(), reason, "{capture}");
    }
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

    #[test]
    fn no_body_makes_an_expectation_panic(body in prop::collection::vec(any::<u8>(), 0..200), cut in any::<bool>()) {
        let headers = HeaderMap::new();
        let answer = Answer::new(200, &headers, &body).cut(cut);
        let captures = json!({"a": "$..a", "b": {"regex": "(.)"}, "c": {"cookie": "c"}, "d": {"body": true}});
        let _ = read::<Captures>(&captures).unwrap().take(&answer);
        let expect = json!({"body": {"contains": "a", "not_matches": "b"}, "size": {"lt": 100}, "json": {"$": {}}});
        let _ = read::<Expect>(&expect).unwrap().check(&answer);
    }
}
