//! The walk from nodes to nodes, in a bounded number of steps.

use serde_json::Value as Json;
use thiserror::Error;

use super::{
    automaton::Search,
    filter::Pattern,
    query::{Segment, Selector},
};

/// A query wanted more steps than it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the JSONPath would take more than {most} steps on this document")]
pub struct Exhausted {
    most: usize,
}

/// One query on one document.
#[derive(Debug)]
pub(super) struct Walk<'j> {
    pub(super) root: &'j Json,
    most: usize,
    left: usize,
    /// The regular expressions at work, and the last one that was found in the document.
    pub(super) searches: Vec<Search>,
    pub(super) found: Option<Pattern>,
}

// === impl Walk ===

impl<'j> Walk<'j> {
    /// A walk over a document that was written in so many bytes.
    pub(super) fn new(root: &'j Json, size: usize) -> Self {
        let most = size.saturating_mul(2).saturating_add(1_000_000);
        Self { root, most, left: most, searches: Vec::new(), found: None }
    }

    /// Takes so many steps. A step is what takes some ten nanoseconds: a node looked at, a dozen bytes compared.
    pub(super) fn step(&mut self, many: usize) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(many).ok_or(self.exhausted())?;
        Ok(())
    }

    /// There is no way to tell how many more steps it would take.
    pub(super) const fn exhausted(&self) -> Exhausted {
        Exhausted { most: self.most }
    }

    /// The nodes that the segments lead to from here.
    pub(super) fn find(&mut self, segments: &[Segment], from: &'j Json) -> Result<Vec<&'j Json>, Exhausted> {
        let mut nodes = vec![from];
        for segment in segments {
            self.step(1)?;
            let mut next = Vec::new();
            for node in nodes {
                if segment.descends {
                    self.descend(&segment.selectors, node, &mut next)?;
                } else {
                    self.select(&segment.selectors, node, &mut next)?;
                }
            }
            nodes = next;
        }
        Ok(nodes)
    }

    /// Selects from a node and from all below it, each before those below it (RFC 9535, 2.5.2.2).
    fn descend(&mut self, selectors: &[Selector], from: &'j Json, found: &mut Vec<&'j Json>) -> Result<(), Exhausted> {
        let mut waiting = vec![from];
        while let Some(node) = waiting.pop() {
            self.select(selectors, node, found)?;
            self.step(1 + size(node))?;
            match node {
                Json::Array(elements) => waiting.extend(elements.iter().rev()),
                Json::Object(members) => waiting.extend(members.values().rev()),
                _ => {}
            }
        }
        Ok(())
    }

    fn select(&mut self, selectors: &[Selector], node: &'j Json, found: &mut Vec<&'j Json>) -> Result<(), Exhausted> {
        for selector in selectors {
            self.step(1)?;
            match (selector, node) {
                (Selector::Name(name), Json::Object(members)) => found.extend(members.get(name)),
                (Selector::Index(index), Json::Array(elements)) => {
                    found.extend(place(*index, elements.len()).and_then(|index| elements.get(index)));
                }
                (Selector::Slice(start, end, step), Json::Array(elements)) => {
                    self.slice(elements, (*start, *end, *step), found)?;
                }
                (Selector::Wildcard, Json::Array(_) | Json::Object(_)) => {
                    self.step(size(node))?;
                    found.extend(children(node));
                }
                (Selector::Filter(filter), Json::Array(_) | Json::Object(_)) => {
                    for child in children(node) {
                        self.step(1)?;
                        if self.holds(filter, child)? {
                            found.push(child);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// RFC 9535, 2.3.4.2.2.
    fn slice(
        &mut self,
        elements: &'j [Json],
        (start, end, step): (Option<i64>, Option<i64>, i64),
        found: &mut Vec<&'j Json>,
    ) -> Result<(), Exhausted> {
        let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
        let from_start = |at: i64| if at >= 0 { at } else { length.saturating_add(at) };
        let (mut at, end) = match step {
            0 => return Ok(()),
            1.. => (start.map_or(0, from_start).clamp(0, length), end.map_or(length, from_start).clamp(0, length)),
            _ => (
                start.map_or(length - 1, from_start).clamp(-1, length - 1),
                end.map_or(-1, from_start).clamp(-1, length - 1),
            ),
        };
        while if step > 0 { at < end } else { at > end } {
            self.step(1)?;
            found.extend(usize::try_from(at).ok().and_then(|at| elements.get(at)));
            at = at.saturating_add(step);
        }
        Ok(())
    }
}

/// The place of an element that may be counted from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// How many children a node has.
fn size(node: &Json) -> usize {
    match node {
        Json::Array(elements) => elements.len(),
        Json::Object(members) => members.len(),
        _ => 0,
    }
}

fn children(node: &Json) -> impl Iterator<Item = &Json> {
    let elements = node.as_array().into_iter().flatten();
    elements.chain(node.as_object().into_iter().flat_map(serde_json::Map::values))
}
