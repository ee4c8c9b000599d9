//! What is known when the program loads: what `init_keys` alone fill.

use probe_http::Tokens;
use probe_keys::{Findings, Spot};

use crate::{RenderError, Scope, Template, Visible};

/// What a step knows before anything runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtLoad<'a> {
    /// The keys that it can name.
    pub(crate) visible: Visible<'a>,
    /// The keys that every run begins with.
    pub(crate) start: &'a Scope,
    /// Sources of tokens.
    pub(crate) tokens: &'a Tokens,
    /// Where mistakes go.
    pub(crate) findings: &'a Findings,
}

/// A mistake that has been noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted;

// === impl AtLoad ===

impl AtLoad<'_> {
    /// What these keys fill; none where one of them is only known in a run.
    ///
    /// # Errors
    /// When they cannot fill it: the mistake is noted at `spot`.
    pub(crate) fn fill<'k, T>(
        &self,
        spot: &Spot,
        keys: impl IntoIterator<Item = &'k str>,
        fill: impl FnOnce(&Scope) -> Result<T, RenderError>,
    ) -> Result<Option<T>, Noted> {
        if !keys.into_iter().all(|key| self.visible.is_of_the_start(key) && self.start.held(key).is_some()) {
            return Ok(None);
        }
        fill(self.start).map(Some).map_err(|error| {
            self.findings.wrong(spot, error.to_string());
            Noted
        })
    }

    /// The text of a template.
    ///
    /// # Errors
    /// As those of [`fill`](Self::fill).
    pub(crate) fn text(&self, spot: &Spot, template: &Template) -> Result<Option<String>, Noted> {
        self.fill(spot, template.keys(), |start| template.render(start))
    }
}
