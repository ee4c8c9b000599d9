//! From what the parser accepts to what RFC 9535 does: functions are typed, and nobody else's are known.

use std::sync::Arc;

use jsonpath_rust::parser::model::{
    self, Comparable, FilterAtom, FnArg, Literal, SingularQuery, SingularQuerySegment, Test, TestFunction,
};
use serde_json::Value as Json;

use super::{
    automaton::Automaton,
    query::{Comparison, Expression, Filter, Operand, Query, Segment, Selector},
};

/// Why a query that could be parsed is still none.
type Compiled<T> = Result<T, String>;

/// Memory that a regular expression may take: it decides how long it takes to compile.
const PATTERN: usize = 1 << 18;

/// The segments of a query.
pub(super) fn segments(parsed: &[model::Segment]) -> Compiled<Vec<Segment>> {
    parsed.iter().map(segment).collect()
}

fn segment(parsed: &model::Segment) -> Compiled<Segment> {
    match parsed {
        model::Segment::Descendant(inner) => Ok(Segment { descends: true, ..segment(inner)? }),
        model::Segment::Selector(one) => Ok(Segment { descends: false, selectors: vec![selector(one)?] }),
        model::Segment::Selectors(all) => {
            Ok(Segment { descends: false, selectors: all.iter().map(selector).collect::<Compiled<_>>()? })
        }
    }
}

fn selector(parsed: &model::Selector) -> Compiled<Selector> {
    Ok(match parsed {
        model::Selector::Name(name) => Selector::Name(name.clone()),
        model::Selector::Wildcard => Selector::Wildcard,
        model::Selector::Index(index) => Selector::Index(*index),
        model::Selector::Slice(start, end, step) => Selector::Slice(*start, *end, step.unwrap_or(1)),
        model::Selector::Filter(inner) => Selector::Filter(filter(inner)?),
    })
}

fn filter(parsed: &model::Filter) -> Compiled<Filter> {
    Ok(match parsed {
        model::Filter::Or(any) => Filter::Any(any.iter().map(filter).collect::<Compiled<_>>()?),
        model::Filter::And(all) => Filter::All(all.iter().map(filter).collect::<Compiled<_>>()?),
        model::Filter::Atom(FilterAtom::Filter { expr, not }) => negated(filter(expr)?, *not),
        model::Filter::Atom(FilterAtom::Test { expr, not }) => negated(test(expr)?, *not),
        model::Filter::Atom(FilterAtom::Comparison(parsed)) => comparison(parsed)?,
    })
}

fn negated(filter: Filter, not: bool) -> Filter {
    if not { Filter::Not(Box::new(filter)) } else { filter }
}

fn test(parsed: &Test) -> Compiled<Filter> {
    match parsed {
        Test::RelQuery(parsed) => query(false, parsed).map(Filter::Finds),
        Test::AbsQuery(parsed) => query(true, &parsed.segments).map(Filter::Finds),
        Test::Function(function) => match &**function {
            TestFunction::Match(text, pattern) => matches(text, pattern, true),
            TestFunction::Search(text, pattern) => matches(text, pattern, false),
            other => {
                let name = known(other)?;
                Err(format!("{name}() gives a value and not a truth: compare it with something"))
            }
        },
    }
}

fn comparison(parsed: &model::Comparison) -> Compiled<Filter> {
    let (left, right) = parsed.vals();
    let (left, right) = (comparable(left)?, comparable(right)?);
    Ok(match parsed {
        model::Comparison::Eq(..) => Filter::Compare(left, Comparison::Equal, right),
        model::Comparison::Ne(..) => negated(Filter::Compare(left, Comparison::Equal, right), true),
        model::Comparison::Lt(..) => Filter::Compare(left, Comparison::Less, right),
        model::Comparison::Lte(..) => Filter::Compare(left, Comparison::LessOrEqual, right),
        model::Comparison::Gt(..) => Filter::Compare(right, Comparison::Less, left),
        model::Comparison::Gte(..) => Filter::Compare(right, Comparison::LessOrEqual, left),
    })
}

fn comparable(parsed: &Comparable) -> Compiled<Operand> {
    match parsed {
        Comparable::Literal(parsed) => literal(parsed).map(Operand::Literal),
        Comparable::Function(function) => value_of(function),
        Comparable::SingularQuery(parsed) => {
            let (from_root, parsed) = match parsed {
                SingularQuery::Root(parsed) => (true, parsed),
                SingularQuery::Current(parsed) => (false, parsed),
            };
            let one = |parsed: &SingularQuerySegment| {
                let selector = match parsed {
                    SingularQuerySegment::Index(index) => Selector::Index(*index),
                    SingularQuerySegment::Name(name) => Selector::Name(name.clone()),
                };
                Segment { descends: false, selectors: vec![selector] }
            };
            Ok(Operand::Only(Query { from_root, segments: parsed.iter().map(one).collect() }))
        }
    }
}

/// A call whose result is a value.
fn value_of(function: &TestFunction) -> Compiled<Operand> {
    match function {
        TestFunction::Length(argument) => Ok(Operand::Length(Box::new(value(argument, "length")?))),
        TestFunction::Count(argument) => Ok(Operand::Count(nodes(argument, "count")?)),
        TestFunction::Value(argument) => Ok(Operand::Only(nodes(argument, "value")?)),
        other => {
            let name = known(other)?;
            Err(format!("{name}() gives a truth and not a value: it cannot stand here"))
        }
    }
}

/// An argument that must be a value: a literal, a query that finds at most one, or a call with such a result.
fn value(argument: &FnArg, function: &str) -> Compiled<Operand> {
    let query = match argument {
        FnArg::Literal(parsed) => return literal(parsed).map(Operand::Literal),
        FnArg::Test(test) => match &**test {
            Test::Function(function) => return value_of(function),
            Test::RelQuery(_) | Test::AbsQuery(_) => nodes(argument, function)?,
        },
        FnArg::Filter(_) => return Err(format!("{function}() takes a value and not a condition")),
    };
    let is_one = |selector: &Selector| matches!(selector, Selector::Name(_) | Selector::Index(_));
    let singular =
        |segment: &Segment| !segment.descends && segment.selectors.len() == 1 && segment.selectors.iter().all(is_one);
    if query.segments.iter().all(singular) {
        Ok(Operand::Only(query))
    } else {
        Err(format!("{function}() takes one value, and this query can find several: wrap it in value()"))
    }
}

/// An argument that must be a query.
fn nodes(argument: &FnArg, function: &str) -> Compiled<Query> {
    if let FnArg::Test(test) = argument {
        match &**test {
            Test::RelQuery(parsed) => return query(false, parsed),
            Test::AbsQuery(parsed) => return query(true, &parsed.segments),
            Test::Function(_) => {}
        }
    }
    Err(format!("{function}() takes a query (`@…` or `$…`)"))
}

fn query(from_root: bool, parsed: &[model::Segment]) -> Compiled<Query> {
    Ok(Query { from_root, segments: segments(parsed)? })
}

fn matches(text: &FnArg, pattern: &FnArg, whole: bool) -> Compiled<Filter> {
    let function = if whole { "match" } else { "search" };
    let text = value(text, function)?;
    let pattern = match value(pattern, function)? {
        Operand::Literal(Json::String(pattern)) => {
            let compiled = Automaton::new(&pattern, whole, PATTERN)
                .map_err(|reason| format!("the regular expression of {function}() cannot be read: {reason}"))?;
            Expression::Known(Arc::new(compiled))
        }
        Operand::Literal(_) => return Err(format!("the second argument of {function}() must be text")),
        other => Expression::Found(other),
    };
    Ok(Filter::Matches { text, pattern, whole })
}

fn literal(parsed: &Literal) -> Compiled<Json> {
    Ok(match parsed {
        Literal::Int(number) => (*number).into(),
        Literal::Float(number) if !number.is_finite() => return Err("a number in it is too large".to_owned()),
        Literal::Float(number) => (*number).into(),
        Literal::String(text) => text.as_str().into(),
        Literal::Bool(value) => (*value).into(),
        Literal::Null => Json::Null,
    })
}

/// The name of a function of the RFC; the library brings others.
fn known(function: &TestFunction) -> Compiled<&'static str> {
    Ok(match function {
        TestFunction::Length(_) => "length",
        TestFunction::Count(_) => "count",
        TestFunction::Value(_) => "value",
        TestFunction::Search(..) => "search",
        TestFunction::Match(..) => "match",
        TestFunction::Custom(name, _) => {
            return Err(format!("there is no function {name}(): RFC 9535 has length, count, value, match and search"));
        }
    })
}
