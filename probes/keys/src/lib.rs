//! Written values with their places, read into types: all mistakes at once, and a schema of the same keys.
//!
//! A kind of probe declares what it takes with [`keys!`]; that one declaration is the type, the reader, the list of
//! valid names for "did you mean", and the JSON Schema with its descriptions. The crate knows no file format: whoever
//! loads a file makes [`Node`]s of it.

mod at;
mod duration;
mod fields;
mod file;
mod keys;
mod node;
mod ranges;
mod read;
mod schema;
mod size;
mod suggest;

pub use crate::{
    at::{At, Findings, Problem, Severity, Spot},
    duration::parse as parse_duration,
    fields::{Fields, Keys},
    file::FileOrText,
    node::{Entry, Node, Place, Text, Value},
    ranges::Ranges,
    read::{Map, OneOrMany, Placed, Published, Read},
    schema::{Definitions, Properties},
    size::Size,
    suggest::nearest,
};

#[doc(hidden)]
pub use serde_json;
