//! What is known of secrets: each in every form in which it may turn up, and where a text holds one.

use std::{collections::HashSet, ops::Range};

use aho_corasick::AhoCorasick;
use probe_core::Secret;

use super::{SHORTEST, forms};

/// Of a longer secret its beginning is known, in bytes: no text that leaves holds more of it.
const LONGEST: usize = 16 << 10;

/// Secrets, ready to be looked for.
#[derive(Default)]
pub(super) struct Known {
    forms: HashSet<String>,
    matcher: Matcher,
}

#[derive(Default)]
enum Matcher {
    /// Nothing is secret yet.
    #[default]
    Nothing,
    /// What holds one of these.
    Forms(AhoCorasick),
    /// There are absurdly many bytes of secrets: then nothing may be shown at all.
    Everything,
}

// === impl Known ===

impl Known {
    /// Learns more secrets; those learnt before stay.
    pub(super) fn learn(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        let before = self.forms.len();
        for secret in secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST) {
            let known_part = &secret.expose()[..secret.expose().floor_char_boundary(LONGEST)];
            self.forms.extend(forms::of(known_part).into_iter().filter(|form| form.len() >= SHORTEST));
        }
        if self.forms.len() > before {
            self.matcher = AhoCorasick::new(&self.forms).map_or(Matcher::Everything, Matcher::Forms);
        }
    }

    /// Adds where the secrets in the text stand. They may lie across each other.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        match &self.matcher {
            Matcher::Nothing => {}
            Matcher::Forms(matcher) => found.extend(matcher.find_overlapping_iter(text).map(|one| one.range())),
            Matcher::Everything => found.push(0..text.len()),
        }
    }

    /// Where the beginning of a secret begins that ends with the text.
    pub(super) fn beginning(&self, text: &[u8]) -> Option<usize> {
        let of = |form: &String| {
            let earliest = text.len().saturating_sub(form.len());
            (earliest..text.len().saturating_sub(SHORTEST - 1)).find(|at| form.as_bytes().starts_with(&text[*at..]))
        };
        self.forms.iter().filter_map(of).min()
    }
}
