//! Nothing secret leaves: every secret of the configuration is masked by value, in whatever text it turns up.

mod forms;
mod known;
mod parts;
#[cfg(test)]
mod tests;
mod view;

use std::{
    borrow::Cow,
    fmt,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use probe_core::Secret;
use serde_json::Value;

use self::known::Known;

/// What stands in a secret's place.
pub const MASK: &str = Secret::MASK;

/// Shorter values are in every text by chance: masking them would hide the text and nothing else.
pub const SHORTEST: usize = 4;

/// What stands where a text was cut, by us or by others.
const CUTS: [&str; 2] = ["…", "..."];

/// Masks the secrets it has been told, in their plain, URL-encoded, JSON-escaped and base64 forms. Clones share what
/// they know.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
    /// What those it comes from do not know.
    besides: Vec<Arc<Known>>,
}

// === impl Redactor ===

impl Redactor {
    /// Learns more secrets; those learnt before stay.
    pub fn learn(&self, secrets: impl IntoIterator<Item = Secret>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).learn(secrets);
    }

    /// One that knows these as well, for a while: this one does not learn them.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut known = Known::default();
        known.learn(secrets);
        let mut more = self.clone();
        more.besides.push(Arc::new(known));
        more
    }

    /// The text with every secret masked.
    ///
    /// Secrets that lie across each other are masked as one: masked one after the other, the first mask would hide from
    /// the second what it is to look for, and its rest would stay.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found: Vec<Range<usize>> = Vec::new();
        self.each(|known| known.find(text.as_bytes(), |range| found.push(range)));
        for view in view::layers(text.as_bytes(), false) {
            self.each(|known| known.find(view.bytes(), |range| found.push(view.origin(&range))));
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for range in united(found) {
            masked.push_str(&text[end..range.start]);
            masked.push_str(MASK);
            end = range.end;
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }

    /// Masks in place.
    pub fn redact_string(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.redact(text) {
            *text = masked;
        }
    }

    /// Masks in place, also the beginning of a secret before a `…` or `...`, or at the end of a text that was `cut`
    /// there, and the end of one behind such a mark.
    pub fn redact_cut(&self, text: &mut String, cut: bool) {
        self.redact_string(text);
        let mut cuts: Vec<(usize, usize)> =
            CUTS.iter().flat_map(|mark| text.match_indices(mark).map(|(at, mark)| (at, at + mark.len()))).collect();
        cuts.extend(cut.then_some((text.len(), text.len())));
        cuts.sort_unstable();
        // From the end, so that those before it stay where they are.
        for (at, behind) in cuts.into_iter().rev() {
            if let Some(end) = self.end(&text[behind..]) {
                text.replace_range(behind..behind + end, MASK);
            }
            if let Some(begin) = self.beginning(&text[..at]) {
                text.replace_range(begin..at, MASK);
            }
        }
    }

    /// Masks every text in a JSON value, keys included.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact_string(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact_json(value)),
            Value::Object(object) => {
                if object.keys().any(|key| matches!(self.redact(key), Cow::Owned(_))) {
                    *object = std::mem::take(object)
                        .into_iter()
                        .map(|(key, value)| (self.redact(&key).into_owned(), value))
                        .collect();
                }
                object.values_mut().for_each(|value| self.redact_json(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Where the beginning of a secret begins that ends with the text.
    fn beginning(&self, text: &str) -> Option<usize> {
        let mut begins = Vec::new();
        self.each(|known| begins.extend(known.beginning(text.as_bytes())));
        for view in view::layers(text.as_bytes(), true) {
            self.each(|known| begins.extend(known.beginning(view.bytes()).map(|at| view.origin(&(at..at + 1)).start)));
        }
        begins.into_iter().min()
    }

    /// Where the end of a secret ends that the text begins with.
    fn end(&self, text: &str) -> Option<usize> {
        let mut ends = Vec::new();
        self.each(|known| ends.extend(known.end(text.as_bytes())));
        for view in view::layers(text.as_bytes(), false) {
            self.each(|known| ends.extend(known.end(view.bytes()).map(|at| view.origin(&(0..at)).end)));
        }
        ends.into_iter().max()
    }

    fn each(&self, mut ask: impl FnMut(&Known)) {
        ask(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        self.besides.iter().for_each(|known| ask(known));
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// The same bytes in order, each once.
fn united(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut united: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match united.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}
