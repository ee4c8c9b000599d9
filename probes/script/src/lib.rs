//! The script probe: requests in a chain, each filled with what the ones before it learnt.
//!
//! Modules in reading order, each using those below it: `probe` holds the compiled steps, `run` is one run of them; a
//! `step` is a `request` (with its `auth` and its `pairs`) and what is expected of its answer; `keys` is what can be
//! written, each value of it [`Written`] until its templates are compiled (`compile`). What fills are [`Template`]s (text,
//! URLs, values of any depth), from the [`Scope`] of keys that a run holds; that every key a step names is one that
//! something before it sets is checked at load by the [`Setters`]; what `init_keys` alone fill is filled then (`at_load`).

mod at_load;
mod auth;
mod built_in;
mod compile;
mod init_keys;
mod keys;
mod mask;
mod pairs;
mod probe;
mod request;
mod run;
mod scope;
mod setters;
mod step;
mod template;
mod url;
mod value;
mod written;

pub use crate::{
    built_in::BuiltIn,
    init_keys::{InitKey, InitKeys},
    keys::{RetryKeys, ScriptKeys, StepAuthKeys, StepBasicKeys, StepKeys, StepOAuth2Keys, Steps, Times},
    probe::ScriptProbe,
    scope::{Held, Run, Scope},
    setters::{Certainty, Origin, Setters, Visible},
    template::{Reason, RenderError, SpecError, SyntaxError, Template},
    url::UrlTemplate,
    value::ValueTemplate,
    written::Written,
};
