//! What is expected of an answer: status sets, captures, assertions.
//!
//! Modules in reading order, each using those below it: [`Expect`] is asked of the answer itself, [`Captures`] takes
//! keys from it and [`Assertions`] holds them to what was written; both see an [`Answer`]. `jsonpath` finds places in
//! JSON, `pattern` in text; `extent`, `compare` and `shown` are what a single test needs.

mod answer;
mod assertion;
mod assertions;
mod capture;
mod captures;
mod claim;
mod compare;
mod expect;
mod extent;
mod jsonpath;
mod kind;
mod pattern;
mod shown;
mod status;

pub use crate::{
    answer::Answer,
    assertion::Assertion,
    assertions::Assertions,
    capture::Capture,
    captures::{Captures, Found, Values},
    expect::Expect,
    extent::Extent,
    jsonpath::{Exhausted, JsonPath},
    pattern::Pattern,
    shown::shown,
    status::StatusSet,
};
