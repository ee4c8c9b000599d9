//! Every example of RFC 9535 through `set_keys`: one match is a value, several are a list, none leaves the key unset.

use std::fs;

use http::HeaderMap;
use probe_expect::{Answer, Captures};
use probe_keys::{At, Entry, Findings, Node, Place, Read, Text, Value};
use serde_json::Value as Json;

fn node(value: Value) -> Node {
    Node { value, place: Place::default() }
}

/// `set_keys: {found: QUERY}`.
fn set_keys(query: &str) -> Result<Captures, String> {
    let entry = Entry { key: "found".to_owned(), place: Place::default(), node: node(Value::Text(Text::plain(query))) };
    let (written, findings) = (node(Value::Mapping(vec![entry])), Findings::default());
    let captures = Captures::read(&At::root(&written, &findings));
    captures.ok_or_else(|| findings.problems()[0].reason.clone())
}

fn table() -> Json {
    serde_json::from_str(&fs::read_to_string("tests/data/rfc9535.json").unwrap()).unwrap()
}

#[test]
fn every_query_of_the_rfc_resolves_as_it_says() {
    let (table, headers, mut count) = (table(), HeaderMap::new(), 0);
    for section in table["sections"].as_array().unwrap() {
        let body = section["document"].to_string();
        for case in section["cases"].as_array().unwrap() {
            let query = case["query"].as_str().unwrap();
            let captures = set_keys(query).unwrap_or_else(|reason| panic!("{query}: {reason}"));
            let values = captures.take(&Answer::new(200, &headers, body.as_bytes())).unwrap();
            let found = case["found"].as_array().unwrap();
            let expected = match found.as_slice() {
                [] => None,
                [one] => Some(one),
                _ => Some(&case["found"]),
            };
            assert_eq!(values.get("found").value, expected, "{}: {query}", section["section"]);
            count += 1;
        }
    }
    assert!(count >= 100, "{count}");
}

#[test]
fn what_the_rfc_refuses_is_refused_in_one_line() {
    for case in table()["refused"].as_array().unwrap() {
        let reason = set_keys(case["query"].as_str().unwrap()).expect_err(&case.to_string());
        assert!(reason.starts_with("this is not a JSONPath: "), "{case}: {reason}");
        assert!(!reason.contains('\n') && reason.len() < 160, "{case}: {reason}");
    }
}
