//! Regular expressions of a query: their work is counted, and one that would take too much of it gives up.
//!
//! A `Regex` always answers, at worst in time that grows with the text times the expression. Here both can be a target's,
//! so that only the lazily built automaton is used: it tells how much of it was built.

use std::sync::Arc;

use regex::RegexBuilder;
use regex_automata::{
    Input,
    hybrid::dfa::{Cache, DFA},
    nfa::thompson,
};

use crate::pattern::reason;

/// Memory for the states of an automaton, and how often it may be filled anew within one walk.
const STATES: usize = 1 << 18;
const FILLED: usize = 2;

/// Bytes of states that one step builds.
const BUILT: usize = 4;

/// An expression, compiled.
#[derive(Debug)]
pub(super) struct Automaton(DFA);

/// An expression at work, with the states that were built so far.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) automaton: Arc<Automaton>,
    states: Cache,
}

/// There would be more states than there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

// === impl Automaton ===

impl Automaton {
    /// Compiles an I-Regexp (RFC 9485), which is to match a whole text or a part of one, within so many bytes.
    pub(super) fn new(pattern: &str, whole: bool, memory: usize) -> Result<Self, String> {
        let pattern = translated(pattern);
        let pattern = if whole { format!("^(?:{pattern})$") } else { pattern };
        RegexBuilder::new(&pattern).size_limit(memory).build().map_err(|error| reason(&error))?;
        let config = DFA::config()
            .cache_capacity(STATES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(FILLED));
        let built = DFA::builder()
            .configure(config)
            .thompson(thompson::Config::new().nfa_size_limit(Some(memory)))
            .build(&pattern);
        built.map(Self).map_err(|_| "it is too large, or asks for a word's boundary".to_owned())
    }
}

// === impl Search ===

impl Search {
    pub(super) fn new(automaton: &Arc<Automaton>) -> Self {
        Self { automaton: Arc::clone(automaton), states: automaton.0.create_cache() }
    }

    /// Whether it matches, and how many steps it took to build what was not there yet.
    pub(super) fn is_match(&mut self, text: &str) -> (Result<bool, TooMany>, usize) {
        let before = self.built();
        let found = self.automaton.0.try_search_fwd(&mut self.states, &Input::new(text).earliest(true));
        let steps = self.built().saturating_sub(before) / BUILT;
        (found.map(|found| found.is_some()).map_err(|_| TooMany), steps)
    }

    /// The bytes of all states built, also of those thrown away.
    fn built(&self) -> usize {
        self.states.memory_usage() + self.states.clear_count() * STATES
    }
}

/// A dot stands for any character that ends no line (RFC 9485, 5.3): for the library that is `\n` alone.
fn translated(pattern: &str) -> String {
    let (mut translated, mut escaped, mut in_class) = (String::with_capacity(pattern.len()), false, false);
    for current in pattern.chars() {
        if current == '.' && !escaped && !in_class {
            translated.push_str(r"[^\n\r]");
            continue;
        }
        match current {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = current == '\\' && !escaped;
        translated.push(current);
    }
    translated
}
