//! What is wrong with a request whatever the answers will be: templates over `init_keys` alone are filled at load.

use probe_keys::{Findings, Spot};

use super::{RequestTemplate, entry_spot};
use crate::{RenderError, Scope, StepKeys, Visible};

impl RequestTemplate {
    /// Notes every template that only `init_keys` fill and that they cannot fill; false when there is one. `start` holds
    /// the keys that a run begins with.
    pub(crate) fn fills(&self, keys: &StepKeys, visible: &Visible<'_>, start: &Scope, findings: &Findings) -> bool {
        let mut sound = true;
        let mut check = |spot: Spot, named: Vec<&str>, filled: Result<(), RenderError>| {
            let known = !named.is_empty() && named.iter().all(|key| visible.is_of_the_start(key));
            if let Some(error) = filled.err().filter(|_| known) {
                findings.wrong(&spot, error.to_string());
                sound = false;
            }
        };
        check(keys.url.spot(), self.url.keys().collect(), self.url.render(start).map(drop));
        if let Some(query) = &keys.query {
            check(query.spot(), self.query.keys().collect(), self.query.render(start).map(drop));
        }
        if let Some(written) = &keys.headers {
            let at = written.at(findings);
            for (index, header) in self.headers.iter().enumerate() {
                let spot = entry_spot(&at, index);
                check(spot, header.value.keys().collect(), header.value.render(start).map(drop));
            }
        }
        let spot = keys.body.as_ref().map(crate::Written::spot).or(keys.form.as_ref().map(crate::Written::spot));
        if let Some(spot) = spot {
            check(spot, self.body.keys(), self.body.render(start).map(drop));
        }
        sound
    }
}
