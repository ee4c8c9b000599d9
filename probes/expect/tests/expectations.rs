//! Captures and expectations as they are written, held to answers.

mod written;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use probe_core::FailureClass;
use probe_expect::{Answer, Assertion, Captures, Expect, Found};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::written::read;

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

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
