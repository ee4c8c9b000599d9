//! Raw values of YAML to nodes: each with its place, its written form, and no key twice.

use std::collections::HashMap;

use probe_keys::{Entry, Findings, Node, Place, Spot, Text, Value};
use serde_yaml::{Location, Spanned};

use super::yaml::{self, Raw, Refusal};

/// What YAML 1.1 and so `PyYAML`, which read the original's files, takes for a boolean.
const BOOLEANS: [&str; 18] = [
    "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off",
    "Off", "OFF",
];

/// Makes nodes of raw values, and notes what only now can be seen.
struct Nodes<'a> {
    text: &'a str,
    source: u32,
    findings: &'a Findings,
}

/// Reads one document; `None` when it is no YAML, which is then noted.
pub(super) fn parse(text: &str, source: u32, findings: &Findings) -> Option<Node> {
    let nodes = Nodes { text, source, findings };
    match yaml::read(text, false) {
        Ok(raw) => Some(nodes.node(raw, "", None)),
        // The reader stops at the first duplicate: so they are let through, and all are found here.
        Err(refusal) if refusal.duplicate => match yaml::read(text, true) {
            Ok(raw) => {
                let before = findings.problems().len();
                let node = nodes.node(raw, "", None);
                if findings.problems().len() == before {
                    nodes.refuse(refusal);
                }
                Some(node)
            }
            Err(other) => {
                nodes.refuse(refusal);
                nodes.refuse(other);
                None
            }
        },
        Err(refusal) => {
            nodes.refuse(refusal);
            None
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

    fn refuse(&self, Refusal { location, reason, hint, .. }: Refusal) {
        let place = location.map(|location| self.place(&location)).unwrap_or_default();
        let spot = Spot { place: Place { source: self.source, ..place }, path: String::new() };
        match hint {
            Some(hint) => self.findings.wrong_with(&spot, reason, hint),
            None => self.findings.wrong(&spot, reason),
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

#[cfg(test)]
mod tests {
    use super::{super::yaml::DEEPEST, *};

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
        for (text, many) in [("200: x\n0xC8: y\n", 1), ("a: 1\na: 2\nb: [\n", 2)] {
            let findings = Findings::default();
            parse(text, 0, &findings);
            assert_eq!(findings.problems().len(), many, "{text}");
        }
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
