//! What holds of a child, as a filter asks it (RFC 9535, 2.3.5).

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use serde_json::Value as Json;

use super::{
    automaton::{Automaton, Search, TooMany},
    query::{Comparison, Expression, Filter, Operand, Query},
    select::{Exhausted, Walk},
};
use crate::compare::{order, same};

/// A pattern that was found in the document, whether it must match the whole, and what it was compiled to: what is not a
/// regular expression matches nothing. Most filters find theirs in one place.
pub(super) type Pattern = (String, bool, Option<Arc<Automaton>>);

/// Memory that a pattern of the document may take, and the steps that it costs to compile one.
const PATTERN: usize = 1 << 16;
const COMPILE: usize = 50_000;

/// The steps that it costs to begin with an expression.
const START: usize = 1_000;

/// Bytes of text that one step compares, and that one step matches.
const COMPARED: usize = 64;
const MATCHED: usize = 4;

// === impl Walk ===

impl<'j> Walk<'j> {
    /// Whether a filter holds of a child.
    pub(super) fn holds(&mut self, filter: &Filter, child: &'j Json) -> Result<bool, Exhausted> {
        self.step(1)?;
        Ok(match filter {
            Filter::Any(any) => {
                for one in any {
                    if self.holds(one, child)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::All(all) => {
                for one in all {
                    if !self.holds(one, child)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Not(inner) => !self.holds(inner, child)?,
            Filter::Finds(query) => !self.nodes(query, child)?.is_empty(),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = (self.value(left, child)?, self.value(right, child)?);
                self.compare(left.as_deref(), *comparison, right.as_deref())?
            }
            Filter::Matches { text, pattern, whole } => {
                let text = self.value(text, child)?;
                match text.as_deref() {
                    Some(Json::String(text)) => self.matches(text, pattern, *whole, child)?,
                    _ => false,
                }
            }
        })
    }

    fn nodes(&mut self, query: &Query, child: &'j Json) -> Result<Vec<&'j Json>, Exhausted> {
        let from = if query.from_root { self.root } else { child };
        self.find(&query.segments, from)
    }

    /// The value of an operand; none is RFC 9535's `Nothing`.
    fn value<'o>(&mut self, operand: &'o Operand, child: &'j Json) -> Result<Option<Cow<'o, Json>>, Exhausted>
    where
        'j: 'o,
    {
        Ok(match operand {
            Operand::Literal(value) => Some(Cow::Borrowed(value)),
            Operand::Only(query) => match self.nodes(query, child)?[..] {
                [only] => Some(Cow::Borrowed(only)),
                _ => None,
            },
            Operand::Count(query) => Some(Cow::Owned(self.nodes(query, child)?.len().into())),
            Operand::Length(operand) => {
                let value = self.value(operand, child)?;
                let length = match value.as_deref() {
                    Some(Json::String(text)) => {
                        self.step(text.len() / COMPARED)?;
                        Some(text.chars().count())
                    }
                    Some(Json::Array(elements)) => Some(elements.len()),
                    Some(Json::Object(members)) => Some(members.len()),
                    _ => None,
                };
                length.map(|length| Cow::Owned(length.into()))
            }
        })
    }

    /// RFC 9535, 2.3.5.2.2: nothing is the same as nothing, and only numbers and texts are less than others.
    fn compare(&mut self, left: Option<&Json>, how: Comparison, right: Option<&Json>) -> Result<bool, Exhausted> {
        let less = |left: Option<&Json>, right: Option<&Json>| match (left, right) {
            (Some(Json::Number(left)), Some(Json::Number(right))) => order(left, right) == Some(Ordering::Less),
            (Some(Json::String(left)), Some(Json::String(right))) => left < right,
            _ => false,
        };
        if let (Some(left), Some(right)) = (left, right) {
            self.weigh(left, right)?;
        }
        let equal = || match (left, right) {
            (Some(left), Some(right)) => same(left, right),
            (left, right) => left.is_none() && right.is_none(),
        };
        Ok(match how {
            Comparison::Equal => equal(),
            Comparison::Less => less(left, right),
            Comparison::LessOrEqual => less(left, right) || equal(),
        })
    }

    /// Takes the steps that it costs to compare two values.
    fn weigh(&mut self, left: &Json, right: &Json) -> Result<(), Exhausted> {
        match (left, right) {
            (Json::String(left), Json::String(right)) => self.step(1 + left.len().min(right.len()) / COMPARED),
            (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
                self.step(1)?;
                left.iter().zip(right).try_for_each(|(left, right)| self.weigh(left, right))
            }
            (Json::Object(left), Json::Object(right)) if left.len() == right.len() => {
                self.step(1)?;
                left.iter().try_for_each(|(key, left)| match right.get(key) {
                    Some(right) => self.weigh(left, right),
                    None => self.step(1),
                })
            }
            _ => self.step(1),
        }
    }

    fn matches(&mut self, text: &str, pattern: &Expression, whole: bool, child: &'j Json) -> Result<bool, Exhausted> {
        let pattern = match pattern {
            Expression::Known(automaton) => return self.search(automaton, text),
            Expression::Found(operand) => self.value(operand, child)?,
        };
        let Some(Json::String(pattern)) = pattern.as_deref() else { return Ok(false) };
        let known = matches!(&self.found, Some((known, how, _)) if known == pattern && *how == whole);
        if !known {
            self.step(COMPILE + pattern.len())?;
            let automaton = Automaton::new(pattern, whole, PATTERN).ok().map(Arc::new);
            self.found = Some((pattern.clone(), whole, automaton));
        }
        match &self.found {
            Some((_, _, Some(automaton))) => self.search(&Arc::clone(automaton), text),
            _ => Ok(false),
        }
    }

    fn search(&mut self, automaton: &Arc<Automaton>, text: &str) -> Result<bool, Exhausted> {
        self.step(1 + text.len() / MATCHED)?;
        let at_work = self.searches.iter().position(|search| Arc::ptr_eq(&search.automaton, automaton));
        let index = at_work.unwrap_or(self.searches.len());
        if at_work.is_none() {
            self.step(START)?;
            self.searches.push(Search::new(automaton));
        }
        let Some(search) = self.searches.get_mut(index) else { return Ok(false) };
        let (found, steps) = search.is_match(text);
        self.step(steps)?;
        found.map_err(|TooMany| self.exhausted())
    }
}
