//! A compiled JSONPath: nothing in it can be ill-typed (RFC 9535, 2.4.3).

use std::sync::Arc;

use serde_json::Value as Json;

use super::automaton::Automaton;

/// One step from nodes to nodes.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Whether the descendants of each node are looked at as well.
    pub(super) descends: bool,
    pub(super) selectors: Vec<Selector>,
}

/// Which children of a node are taken.
#[derive(Clone, Debug)]
pub(super) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    /// Start, end and step.
    Slice(Option<i64>, Option<i64>, i64),
    Filter(Filter),
}

/// A query within a filter.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Whether it begins at the document's root and not at the child that is looked at.
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

/// What must hold of a child: RFC 9535's `LogicalType`.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    /// The query finds something.
    Finds(Query),
    Compare(Operand, Comparison, Operand),
    /// A text that a regular expression matches: as a whole, or somewhere.
    Matches {
        text: Operand,
        pattern: Expression,
        whole: bool,
    },
}

/// How two operands stand; the other three comparisons are these, turned round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
}

/// A value, or none: RFC 9535's `ValueType`.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Json),
    /// The value of the only node that the query finds: a singular query, or the function `value`.
    Only(Query),
    Length(Box<Operand>),
    Count(Query),
}

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// It stands in the query.
    Known(Arc<Automaton>),
    /// It stands in the document.
    Found(Operand),
}
