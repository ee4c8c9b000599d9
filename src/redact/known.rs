//! What is known of secrets: each in every form in which it may turn up, and where a text holds one.

use std::{collections::HashSet, ops::Range};

use aho_corasick::AhoCorasick;
use probe_core::Secret;

use super::{SHORTEST, forms, parts};

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
            for part in std::iter::once(known_part.to_owned()).chain(parts::of(known_part)) {
                self.forms.extend(forms::of(&part).into_iter().filter(|form| form.len() >= SHORTEST));
            }
        }
        if self.forms.len() > before {
            // Hosts, and some targets, write in small letters what was written in large ones.
            let matcher = AhoCorasick::builder().ascii_case_insensitive(true).build(&self.forms);
            self.matcher = matcher.map_or(Matcher::Everything, Matcher::Forms);
        }
    }

    /// Where the secrets in the text stand. They may lie across each other.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        match &self.matcher {
            Matcher::Nothing => {}
            // Most texts hold none, which is told far quicker.
            Matcher::Forms(matcher) if matcher.is_match(text) => {
                matcher.find_overlapping_iter(text).for_each(|one| found(one.range()));
            }
            Matcher::Forms(_) => {}
            Matcher::Everything => found(0..text.len()),
        }
    }

    /// Where the beginning of a secret begins that ends with the text.
    pub(super) fn beginning(&self, text: &[u8]) -> Option<usize> {
        let longest = |form: &&str| form.len().min(text.len());
        let is_one = |form: &str, size: usize| form.as_bytes()[..size].eq_ignore_ascii_case(&text[text.len() - size..]);
        let size = |form: &str| (SHORTEST..=longest(&form)).rev().find(|size| is_one(form, *size));
        self.forms.iter().filter_map(|form| size(form)).max().map(|size| text.len() - size)
    }

    /// Where the end of a secret ends that the text begins with.
    pub(super) fn end(&self, text: &[u8]) -> Option<usize> {
        let longest = |form: &&str| form.len().min(text.len());
        let is_one = |form: &str, size: usize| form.as_bytes()[form.len() - size..].eq_ignore_ascii_case(&text[..size]);
        let size = |form: &str| (SHORTEST..=longest(&form)).rev().find(|size| is_one(form, *size));
        self.forms.iter().filter_map(|form| size(form)).max()
    }
}
