//! The script probe: requests in a chain, each filled with what the ones before it learnt.
//!
//! What stands here so far is the half that fills: [`Template`]s (text, URLs, values of any depth), the [`Scope`] of keys
//! that a run holds, and the check at load that every key a step names is one that something before it sets.

mod built_in;
mod compile;
mod init_keys;
mod mask;
mod scope;
mod setters;
mod template;
mod url;
mod value;

pub use crate::{
    built_in::BuiltIn,
    init_keys::{InitKey, InitKeys},
    scope::{Held, Run, Scope},
    setters::{Certainty, Origin, Setters, Visible},
    template::{Reason, RenderError, SpecError, SyntaxError, Template},
    url::UrlTemplate,
    value::ValueTemplate,
};
