//! YAML text to nodes, each with its place and its written form.

use std::{collections::HashMap, fmt};

use probe_keys::{Entry, Findings, Node, Place, Spot, Text, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::{
    Error, Location, Options, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

/// What YAML 1.1 and so `PyYAML`, which read the original's files, takes for a boolean.
const BOOLEANS: [&str; 18] = [
    "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off",
    "Off", "OFF",
];

/// Deepest nesting: a body may be deep, the stack is not.
const DEEPEST: usize = 48;

/// Nodes that aliases may multiply a file to; without the bound a few lines become gigabytes.
const MOST_REPEATED: usize = 200_000;

/// A value as YAML has it, before its written form is known.
enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    NotFinite,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

struct RawVisitor;

/// Makes nodes of raw values, and notes what only now can be seen.
struct Nodes<'a> {
    text: &'a str,
    source: u32,
    findings: &'a Findings,
}

/// Reads one document; `None` when it is no YAML, which is then noted.
pub(super) fn parse(text: &str, source: u32, findings: &Findings) -> Option<Node> {
    let nodes = Nodes { text, source, findings };
    let raw = match serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::Error)) {
        // All duplicates are wanted, and the reader stops at the first: so they are let through, and found below.
        Err(error) if matches!(error.without_snippet(), Error::DuplicateMappingKey { .. }) => {
            let all: Option<Spanned<Raw>> =
                serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::LastWins)).ok();
            let node = all.map(|raw| nodes.node(raw, "", None));
            if !findings.has_errors() {
                nodes.refuse(&error);
            }
            return node;
        }
        Err(error) => {
            nodes.refuse(&error);
            return None;
        }
        Ok(raw) => raw,
    };
    Some(nodes.node(raw, "", None))
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEEPEST,
            max_documents: 1,
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_aliases: 100_000,
            max_merge_keys: 100_000,
            // Ten thousand checks may well share one anchor; `MOST_REPEATED` bounds what that costs.
            enforce_alias_anchor_ratio: false,
        },
        duplicate_keys: duplicate_keys,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MOST_REPEATED },
        // As `PyYAML` reads them: `010` is eight.
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// What a reader's error means to whoever wrote the file.
fn reason(error: &Error) -> (String, Option<&'static str>) {
    match error {
        Error::MultipleDocuments { .. } | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            ("a second document begins here".to_owned(), Some("one file holds one document: remove the `---`"))
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            (format!("nested deeper than {DEEPEST} levels"), None)
        }
        Error::Budget { breach, .. } => (format!("too much of one thing for a configuration: {breach:?}"), None),
        Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. } => {
            (format!("the aliases repeat more than {MOST_REPEATED} values"), Some("write it out, or use `defaults`"))
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("this alias stands within its own anchor".to_owned(), None)
        }
        Error::AliasError { error, .. } => reason(error),
        Error::NullIntoString { .. } | Error::Unexpected { expected: "string scalar", .. } => {
            ("a key must be text".to_owned(), None)
        }
        other => {
            let text = other.to_string();
            let text = text.split(" at line ").next().unwrap_or(&text);
            (format!("this is no YAML: {}", text.trim_start_matches("error: ")), None)
        }
    }
}

// === impl Nodes ===

impl Nodes<'_> {
    fn node(&self, raw: Spanned<Raw>, path: &str, key: Option<Place>) -> Node {
        let mut place = self.place(&raw.defined);
        let value = match raw.value {
            Raw::Null => {
                // An empty value stands nowhere; its key does.
                let stands = matches!(self.written(place), "~" | "null" | "Null" | "NULL");
                place = key.filter(|_| !stands).unwrap_or(place);
                Value::Null
            }
            Raw::Bool(value) => match self.written(place) {
                written if is_text(written) => Value::Text(Text::plain(written)),
                _ => Value::Bool(value),
            },
            Raw::Number(number) => {
                let written = Some(self.written(place)).filter(|written| written.starts_with(is_numeric));
                let written = written.map_or_else(|| number.to_string(), str::to_owned);
                Value::Number(number, written)
            }
            Raw::NotFinite => {
                self.wrong(place, path, "neither infinity nor \"not a number\" can be used here".to_owned());
                Value::Null
            }
            Raw::Text(text) => Value::Text(Text::plain(text)),
            Raw::List(elements) => Value::List(
                elements
                    .into_iter()
                    .enumerate()
                    .map(|(index, element)| self.node(element, &format!("{path}[{index}]"), None))
                    .collect(),
            ),
            Raw::Mapping(entries) => {
                let entries = self.entries(entries, path);
                // A mapping without braces begins with its first key: that is what is shown of it.
                if let Some(first) = entries.iter().find(|entry| entry.place.start == place.start) {
                    place = first.place;
                }
                Value::Mapping(entries)
            }
        };
        Node { value, place }
    }

    fn entries(&self, raw: Vec<(Spanned<String>, Spanned<Raw>)>, path: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        let mut first: HashMap<String, Place> = HashMap::with_capacity(raw.len());
        for (key, value) in raw {
            let place = self.place(&key.defined);
            let path = if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
            let node = self.node(value, &path, Some(place));
            if let Some(first) = first.get(&key.value) {
                let line = self.text[..first.start as usize].matches('\n').count() + 1;
                self.wrong(place, &path, format!("key `{}` stands twice, first in line {line}", key.value));
                continue;
            }
            first.insert(key.value.clone(), place);
            entries.push(Entry { key: key.value, place, node });
        }
        entries
    }

    fn place(&self, location: &Location) -> Place {
        let index = |byte: Option<u64>| byte.and_then(|byte| u32::try_from(byte).ok()).unwrap_or_default();
        let span = location.span();
        // The scanner's own errors have a line and a column, and no bytes.
        let start = span.byte_offset().map_or_else(|| self.byte(location), |byte| index(Some(byte)));
        let start = start.min(index(Some(self.text.len() as u64)));
        let end = start.saturating_add(index(span.byte_len()));
        // What has no length of its own, as a list, is shown by its first character.
        let one = self.text[start as usize..].chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        Place { source: self.source, start, end: end.max(start + u32::try_from(one).unwrap_or_default()) }
    }

    fn byte(&self, location: &Location) -> u32 {
        let at = |number: u64| usize::try_from(number).unwrap_or_default().saturating_sub(1);
        let line = self.text.split_inclusive('\n').nth(at(location.line())).unwrap_or_default();
        let before: usize = self.text.split_inclusive('\n').take(at(location.line())).map(str::len).sum();
        let column = line.char_indices().nth(at(location.column())).map_or(line.trim_end().len(), |(byte, _)| byte);
        u32::try_from(before + column).unwrap_or_default()
    }

    fn written(&self, place: Place) -> &str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or_default().trim()
    }

    fn wrong(&self, place: Place, path: &str, reason: String) {
        self.findings.wrong(&Spot { place, path: path.to_owned() }, reason);
    }

    fn refuse(&self, error: &Error) {
        let place = error.location().map(|location| self.place(&location)).unwrap_or_default();
        let spot = Spot { place: Place { source: self.source, ..place }, path: String::new() };
        match reason(error.without_snippet()) {
            (reason, Some(hint)) => self.findings.wrong_with(&spot, reason, hint),
            (reason, None) => self.findings.wrong(&spot, reason),
        }
    }
}

/// `y`, `n` and `tRUE`, which the reader takes for booleans and `PyYAML` does not.
fn is_text(written: &str) -> bool {
    let word = !written.is_empty() && written.len() <= 5 && written.chars().all(|c| c.is_ascii_alphabetic());
    word && !BOOLEANS.contains(&written)
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '+' | '.')
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(value).map_or(Raw::NotFinite, Raw::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Raw::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Node, Vec<String>) {
        let findings = Findings::default();
        let node = parse(text, 0, &findings).expect("it is YAML");
        let problems = findings.problems().iter().map(|problem| problem.reason.clone()).collect();
        (node, problems)
    }

    fn refusal(text: &str) -> (String, String) {
        let findings = Findings::default();
        assert!(parse(text, 0, &findings).is_none(), "{text}");
        let problems = findings.problems();
        let Place { start, end, .. } = problems[0].spot.place;
        (problems[0].reason.clone(), text[start as usize..end as usize].to_owned())
    }

    fn get<'n>(node: &'n Node, key: &str) -> &'n Node {
        let Value::Mapping(entries) = &node.value else { panic!("{node:?} is no mapping") };
        &entries.iter().find(|entry| entry.key == key).expect("the key is there").node
    }

    #[test]
    fn numbers_keep_how_they_were_written() {
        let (node, _) = read("a: 1.10\nb: 0x1F\nc: &x 1_000\nd: *x\ne: 010\n");
        for (key, want) in [("a", "1.10"), ("b", "0x1F"), ("c", "1_000"), ("d", "1_000"), ("e", "010")] {
            assert!(matches!(&get(&node, key).value, Value::Number(_, written) if written == want), "{key}");
        }
        assert_eq!(get(&node, "e").value.to_json(), 8);
    }

    #[test]
    fn booleans_are_those_of_the_original() {
        let (node, _) = read("a: yes\nb: Off\nc: y\nd: tRUE\ne: 'no'\n");
        assert_eq!(node.value.to_json(), serde_json::json!({"a": true, "b": false, "c": "y", "d": "tRUE", "e": "no"}));
    }

    #[test]
    fn merges_give_way_to_what_is_written() {
        let (node, problems) = read("x: &x {k: 1, l: v}\nz:\n  <<: *x\n  k: 2\n");
        assert_eq!(get(&node, "z").value.to_json(), serde_json::json!({"k": 2, "l": "v"}));
        assert!(problems.is_empty());
    }

    #[test]
    fn every_duplicate_is_found() {
        let (_, problems) = read("a: 1\na: 2\nb: {c: 1, c: 2}\n");
        assert_eq!(problems, ["key `a` stands twice, first in line 1", "key `c` stands twice, first in line 3"]);
        let findings = Findings::default();
        parse("200: x\n0xC8: y\n", 0, &findings);
        assert!(findings.has_errors());
    }

    #[test]
    fn an_error_of_the_scanner_has_a_place() {
        assert_eq!(refusal("a: 1\nb: \u{fc} [\nc: [\n").1, "[");
        assert_eq!(refusal("a: *nope\n").1, "*");
        assert_eq!(refusal("a: 1\n---\nb: 2\n").1, "---");
    }

    #[test]
    fn depth_is_bounded_before_the_stack_is() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            let findings = Findings::default();
            assert!(parse(&text, 0, &findings).is_none());
        }
        let deep = format!("{}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST));
        assert!(read(&deep).1.is_empty());
    }
}
