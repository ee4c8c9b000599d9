//! Templates against Python's own `str.format_map`: the table that `templates/generate.py` wrote with Python 3.11.

use probe_script::{Reason, RenderError, SpecError, Template};
use serde_json::Value;

use crate::scope;

/// The exception that Python raises where this error stands.
fn exception(error: &RenderError) -> &'static str {
    match &error.reason {
        Reason::Absent { .. } | Reason::NoField(_) => "KeyError",
        Reason::NoElement { .. } => "IndexError",
        Reason::NoAttribute(..) => "AttributeError",
        Reason::NoElements { .. } | Reason::NoSpec(_) => "TypeError",
        Reason::Spec(SpecError::NoCharacter) => "OverflowError",
        Reason::Spec(_) => "ValueError",
        Reason::Several(_) | Reason::Url { .. } => "none",
    }
}

#[test]
fn templates_do_what_python_does() {
    let table: Value = serde_json::from_str(include_str!("templates/table.json")).unwrap();
    let scope = scope(&table["keys"]);
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() > 2_000);
    let mut wrong = Vec::new();
    for case in cases {
        let template = case["template"].as_str().unwrap();
        let ours = match Template::parse(template) {
            Err(_) => Err("ValueError"),
            Ok(template) => template.render(&scope).map_err(|error| exception(&error)),
        };
        let expected = case["text"].as_str().ok_or_else(|| case["error"].as_str().unwrap());
        if ours.as_deref() != expected.as_ref().map(|text| &**text) {
            wrong.push(format!("{template}: expected {expected:?}, got {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_width_has_a_bound_that_python_does_not_have() {
    let scope = scope(&serde_json::json!({"w": 10_001, "most": 10_000, "f": 0.1}));
    let render = |text| Template::parse(text).unwrap().render(&scope);
    assert_eq!(render("{f:{most}}").unwrap().len(), 10_000);
    assert_eq!(render("{f:.{most}f}").unwrap().len(), 10_002);
    assert_eq!(render("{f:{w}}").unwrap_err().to_string(), "`{f:{w}}`: a width or precision is at most 10000");
    assert!(Template::parse("{f:.10001f}").is_err());
}
