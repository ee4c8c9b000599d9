//! JSONPath under load, and what the library would make of it alone.

use std::time::Duration;

use jsonpath_rust::{parser::parse_json_path, query::js_path_process};
use probe_expect::JsonPath;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

/// Nothing may take longer, in a debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(1);

fn table() -> Json {
    serde_json::from_str(include_str!("../../../tests/data/rfc9535.json")).expect("the table is JSON")
}

/// What the library finds by itself; none when it refuses the query.
fn alone(query: &str, document: &Json) -> Option<Vec<Json>> {
    let query = parse_json_path(query).ok()?;
    Some(js_path_process(&query, document).ok()?.into_iter().map(|found| found.val().clone()).collect())
}

fn ours(query: &str, document: &Json) -> Result<Vec<Json>, String> {
    let found = JsonPath::new(query)?.find(document, 100).map_err(|error| error.to_string())?;
    Ok(found.into_iter().cloned().collect())
}

/// Runs it and says how it ended, and that it ended in time.
fn in_time(query: &str, document: &Json, size: usize) -> Result<usize, String> {
    let begun = Instant::now();
    let found = JsonPath::new(query)
        .and_then(|path| path.find(document, size).map(|found| found.len()).map_err(|error| error.to_string()));
    let (took, shown) = (begun.elapsed(), query.chars().take(60).collect::<String>());
    assert!(took < LONGEST, "{shown} took {took:?}");
    found
}

/// `docs/jsonpath.md` lists these. One that the library gets right by now fails here: take it from both lists.
#[test]
fn what_the_library_alone_gets_wrong_is_known() {
    let table = table();
    let mut wrong = Vec::new();
    for section in table["sections"].as_array().unwrap() {
        for case in section["cases"].as_array().unwrap() {
            let query = case["query"].as_str().unwrap();
            if alone(query, &section["document"]).map(Json::from).as_ref() != Some(&case["found"]) {
                wrong.push(query);
            }
        }
    }
    for case in table["refused"].as_array().unwrap() {
        let query = case["query"].as_str().unwrap();
        if parse_json_path(query).is_ok() {
            wrong.push(query);
        }
    }
    let known = [
        "$[?@[?@.b]]",
        "$.a..[0, 1]",
        "$.a ",
        "$[?length(@.*) < 3]",
        "$[?value(@..color)]",
        "$.a b",
        "$[?in(@.a, $.b)]",
    ];
    assert_eq!(wrong, known);
}

/// Not in the RFC's tables, and listed in `docs/jsonpath.md` too.
#[test]
fn numbers_are_the_same_when_they_count_the_same() {
    for (query, document, right, library) in [
        ("$[?@ == 1e-17]", json!([1e-17, 2e-17]), json!([1e-17]), json!([1e-17, 2e-17])),
        ("$[?@ == $[0]]", json!([[1], [1.0]]), json!([[1], [1.0]]), json!([[1]])),
    ] {
        assert_eq!(ours(query, &document).map(Json::from), Ok(right), "{query}");
        assert_eq!(alone(query, &document).map(Json::from), Some(library), "{query}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place_in_one_line() {
    for (query, reason) in [
        ("$.a[[", "this is not a JSONPath: expected selector at character 5"),
        ("a.b", "this is not a JSONPath: it must begin with `$`"),
        ("$.a. b", "this is not a JSONPath: a blank behind a dot (at character 5)"),
        ("$.a.b c", "this is not a JSONPath: a blank inside of a name (at character 7)"),
        (
            "$[?length(@.a)]",
            "this is not a JSONPath: length() gives a value and not a truth: compare it with something",
        ),
        ("$[?count(@.a..b, 1) == 1]", "this is not a JSONPath: expected letter or segment at character 16"),
        (
            "$[?match(@.*, 'a')]",
            "this is not a JSONPath: match() takes one value, and this query can find several: wrap it in value()",
        ),
        ("$[?match(@.a, 1)]", "this is not a JSONPath: the second argument of match() must be text"),
        (
            "$[?search(@.a, 'a(')]",
            "this is not a JSONPath: the regular expression of search() cannot be read: unclosed group",
        ),
        (
            "$[?nin(@.a, $.b)]",
            "this is not a JSONPath: there is no function nin(): RFC 9535 has length, count, value, match and search",
        ),
    ] {
        assert_eq!(JsonPath::new(query).unwrap_err(), reason, "{query}");
    }
}

#[test]
fn a_query_that_is_too_long_or_too_deep_is_refused_at_once() {
    let deep =
        |open: &str, inner: &str, close: &str| format!("$[?{}{inner}{}]", open.repeat(10_000), close.repeat(10_000));
    for query in [
        deep("(", "@.a", ")"),
        deep("@[?", "@.a", "]"),
        deep("length(", "@.a", ")"),
        deep("!(", "@.a", ")"),
        format!("${}", ".a".repeat(10_000)),
        format!("${}", "..*".repeat(10_000)),
        format!("${}", "[0]".repeat(10_000)),
        format!("$[?{}@.a]", "@.a || ".repeat(10_000)),
        "[".repeat(10_000),
    ] {
        let reason = in_time(&query, &json!({"a": 1}), 10).unwrap_err();
        assert!(reason.contains("is too long: at most 4096"), "{reason}");
    }
    let reason = |query: &str| in_time(query, &json!([[1]]), 10).unwrap_err();
    let many = |what: &str, times: usize| what.repeat(times);
    assert_eq!(
        reason(&format!("$[?{}@.a{}]", many("(", 40), many(")", 40))),
        "this JSONPath is nested deeper than 32 levels (at character 35)"
    );
    assert_eq!(
        reason(&format!("$[?{}@.a{} > 1]", many("length(", 5), many(")", 5))),
        "more than 4 function calls within each other (at character 38)"
    );
}

#[test]
fn what_is_just_within_the_bounds_is_read_in_time() {
    let document = json!([[[1]], {"a": [1, 2, 3]}]);
    let many = |what: &str, times: usize| what.repeat(times);
    let call = "length(value(@[?length(value(@.a";
    for query in [
        format!("$[?{}@.a{}]", many("(", 31), many(")", 31)),
        format!("$[?{}@.a{}]", many("!(", 31), many(")", 31)),
        format!("${}", many("[?@", 32)) + &many("]", 32),
        format!("${}", many("..*", 1_365)),
        format!("${}", many("..[?@..*]", 450)),
        format!("$[?{call})) > 1])) > 1]"),
        format!("$[?{call}"),
        format!("$[?{}1", many(&format!("{call})) > 1])) > 1 || "), 70)),
        format!("$[{}0]", many("0,", 2_000)),
        format!("$[?search(@, '{}')]", many("(a|b)*", 600)),
        format!("$[?match(@, '{}')]", many("(", 300)),
        format!("$[?match(@, '{}')]", many("[^\\\\w]{9}", 300)),
        format!("$['{}']", many("\\\\", 2_000)),
        format!("$.{}", many("é", 2_000)),
        format!("$[?{}@.a]", many("@.a || ", 500)),
    ] {
        let _ = in_time(&query, &document, 100);
    }
}

#[test]
fn a_hostile_query_on_a_large_document_ends_in_time() {
    let flat = Json::from(vec![1; 100_000]);
    let deep = (0..120).fold(json!([1]), |inner, _| json!([inner]));
    let text = json!([["x".repeat(200_000), "x".repeat(200_000)], vec![1; 50_000]]);
    let noise: String = (0..200_000_u64)
        .map(|n| if n.wrapping_mul(n).wrapping_mul(2_654_435_761) >> 13 & 1 == 0 { 'x' } else { 'y' })
        .collect();
    let noise = json!([[noise], vec![1; 50_000]]);
    let patterns = json!((0..5_000).map(|n| format!("(a{{1,{}}}){{9}}", 10 + n % 50)).collect::<Vec<_>>());
    for (query, document) in [
        ("$..*..*..*..*..*..*", &flat),
        ("$[?$..*]", &flat),
        ("$[?count($..*) > 1]", &flat),
        ("$[?count($..*[?count($..*) > 1]) > 1]", &flat),
        ("$[?@ == $]", &flat),
        ("$[?$ == $]", &flat),
        ("$..[?@..[?@..[?@..*]]]", &deep),
        ("$..*..*..*..*..*..*..*..*", &deep),
        ("$[1][?$[0][0] == $[0][1]]", &text),
        ("$[1][?$[0][0] <= $[0][1]]", &text),
        ("$[1][?length($[0][0]) > 1]", &text),
        ("$[1][?search($[0][0], '(.*y){20}')]", &text),
        ("$[1][?search($[0][0], '[xy]*x[xy]{400}z')]", &noise),
        ("$[1][?search($[0][0], '(x[xy]{400}|y[xy]{300}x){9}z')]", &noise),
        ("$[?match('aaaaaaaaaaaaaaaaaaaaaaaaa', @)]", &patterns),
        ("$[0,0,0,0,0,0,0,0,0,0]..*[::-1]", &flat),
        ("$[::1,::1,::1,::1,::1,::1,::1,::1,::1]", &flat),
        ("$[9007199254740991,-9007199254740991]", &flat),
        ("$[-9007199254740991:9007199254740991:9007199254740991]", &flat),
        ("$[::-9007199254740991]", &flat),
    ] {
        // Whether it ends with an answer or for want of steps, it ends.
        let _ = in_time(query, document, 200_000);
    }
    let exhausted = in_time("$[?count($..*) > 1]", &flat, 200_000).unwrap_err();
    assert_eq!(exhausted, "the JSONPath would take more than 1400000 steps on this document");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_jsonpath_panic(text in "\\PC{0,60}") {
        let _ = ours(&format!("${text}"), &json!({"a": [1, {"b": "c"}]}));
    }

    #[test]
    fn nothing_that_looks_like_a_jsonpath_makes_it_panic(
        pieces in prop::collection::vec(
            prop::sample::select(&[
                "$", "@", ".", "..", "*", "[", "]", "?", "(", ")", "'", "\"", "a", "b", "0", "1", "-1", ":", ",", " ", "==",
                "!=", "<", ">=", "&&", "||", "!", "length(", "count(", "value(", "match(", "search(", "null", "true", "1e9",
                "\\", "\\u0041", "[0]", ".a", "['a']", "[?@.a", "\n", "é", "0.5", "'[a-z]+'", "in(", "[::2]", "[-1:]",
            ][..]),
            0..30,
        ),
    ) {
        let text = pieces.concat();
        let document = json!({"a": [1, {"b": "c"}, ["a", null]], "b": {"a": "ab"}});
        for query in [format!("${text}"), format!("$[?{text}]"), format!("$..[?@{text}]")] {
            let begun = Instant::now();
            let _ = ours(&query, &document);
            prop_assert!(begun.elapsed() < LONGEST, "{query}");
        }
    }
}
