//! What can be written and is hardly meant: it runs, and is never up, or never says what it seems to.

use http::Method;
use probe_expect::{Captures, Expect};
use probe_keys::{Findings, Spot};

use crate::{AnswerKeys, WireKeys};

/// Warns of what is expected of an answer that such a request never gets. `secure` says whether it is asked by TLS, where
/// that is known; `spot` is where the request stands.
pub fn doubt(
    answer: &AnswerKeys,
    wire: &WireKeys,
    method: &Method,
    secure: Option<bool>,
    spot: &Spot,
    findings: &Findings,
) {
    let follows = wire.redirects.unwrap_or_default().0 > 0;
    let needs_body = answer.set_keys.as_ref().is_some_and(Captures::needs_body)
        || answer.expect.as_ref().is_some_and(Expect::needs_body);
    if *method == Method::HEAD && needs_body {
        findings.warn(spot, "an answer to HEAD has no body, and something in it is expected", "use GET");
    }
    if follows && answer.expected.as_ref().is_some_and(|expected| expected.is_of_redirects()) {
        let hint = "with `redirects: false` the redirect itself is the answer";
        findings.warn(spot, "a redirect is expected, and redirects are followed", hint);
    }
    if secure == Some(false) && !follows && answer.expect.as_ref().is_some_and(Expect::needs_certificate) {
        findings.warn(spot, "a certificate is expected, and there is none on the way to an http URL", "use https");
    }
}
