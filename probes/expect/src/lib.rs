//! What is expected of an answer: status sets, captures, assertions.

mod assertion;
mod capture;
mod status;

pub use crate::{
    assertion::Assertions,
    capture::{Answer, Captures, Values},
    status::StatusSet,
};
