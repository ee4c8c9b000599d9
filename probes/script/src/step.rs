//! One step of a script, compiled.

use std::{sync::Arc, time::Duration};

use probe_expect::{Assertions, Captures};
use probe_http::{Expected, Network, Request, SPANS, SPANS_REUSED, Wire, doubt};
use probe_keys::{Findings, Spot};

use crate::{Certainty, Origin, Scope, Setters, StepKeys, Visible, at_load::AtLoad, request::RequestTemplate};

/// The pause before a step is asked again, unless another is given.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A step, ready to run.
#[derive(Debug)]
pub(crate) struct Step {
    /// From 1.
    pub(crate) number: usize,
    /// `POST https://host/orders/{id}`: the same in every run.
    pub(crate) name: String,
    pub(crate) request: RequestTemplate,
    pub(crate) wire: Wire,
    pub(crate) expected: Expected,
    /// The keys that the request names.
    pub(crate) names: Vec<String>,
    /// A pause before it.
    pub(crate) delay: Duration,
    /// The bound on each request.
    pub(crate) timeout: Option<Duration>,
    /// How many more times it is asked, and the pause before each.
    pub(crate) retry: (u32, Duration),
    /// Whether it runs even after a failure.
    pub(crate) always: bool,
}

/// Notes in `setters` which keys a step sets.
pub(crate) fn sets(keys: &StepKeys, number: usize, setters: &mut Setters) {
    for (key, capture) in keys.answer.set_keys.iter().flat_map(Captures::iter) {
        let certainty = if capture.is_certain() { Certainty::Sure } else { Certainty::Perhaps };
        setters.add(key.value.as_str(), number, place(&capture.to_string()), certainty);
    }
}

/// Where a key comes from, as a capture tells it ("from $.id").
pub(crate) fn origin(number: usize, captured: &str) -> Origin {
    Origin::Step { number, from: place(captured).to_owned() }
}

fn place(captured: &str) -> &str {
    captured.strip_prefix("from ").unwrap_or(captured)
}

// === impl Step ===

impl Step {
    /// Compiles step `number`; `None` when a mistake was noted. `start` holds the keys that a run begins with.
    pub(crate) fn compile(
        mut keys: StepKeys,
        number: usize,
        setters: &Setters,
        start: &Scope,
        network: &Arc<Network>,
        findings: &Findings,
    ) -> Option<Self> {
        let always = keys.always.unwrap_or(false);
        let visible = if always { setters.before_always(number) } else { setters.before(number) };
        keys.wire.reuse = Some(keys.wire.reuse.unwrap_or(true));
        // All is compiled before the first bad one ends it: all mistakes at once.
        let load = AtLoad { visible, start, tokens: network.tokens(), findings };
        let request = RequestTemplate::compile(&keys, &load);
        let names_host = request.as_ref().is_some_and(RequestTemplate::names_host);
        let wire = Wire::compile(&keys.wire, names_host, network, findings);
        let sound = asks_once(&keys, wire.as_ref(), findings)
            & keys.answer.assertions.as_ref().is_none_or(|assertions| {
                assertions.are_on_keys(keys.answer.set_keys.as_ref(), |key| visible.is_own(key), findings)
            })
            & takes_time(&keys, findings);
        let (request, wire) = (request?, wire?);
        let fits = request.known(&keys, &load).is_none_or(|known: Request| wire.fits(&known, &keys.wire, findings));
        let method = request.method();
        doubt(&keys.answer, &keys.wire, &method, None, &keys.url.spot(), findings);
        takes_templates_for_values(&keys, &visible, findings);
        (sound && fits).then(|| Self {
            number,
            name: format!("{method} {}", request.url().shown(start)),
            expected: Expected::new(&keys.answer, &method),
            names: request.keys(),
            request,
            wire,
            delay: keys.delay.unwrap_or_default(),
            timeout: keys.timeout.map(|timeout| timeout.value),
            retry: keys.retry.map_or((0, RETRY_DELAY), |retry| (retry.times.0, retry.delay.unwrap_or(RETRY_DELAY))),
            always,
        })
    }

    /// The spans of it when all goes well; the first step connects.
    pub(crate) fn spans(&self) -> usize {
        let request = if self.number == 1 { SPANS } else { SPANS_REUSED };
        1 + usize::from(!self.delay.is_zero()) + request + self.expected.spans()
    }
}

/// Two requests side by side would set each key twice.
fn asks_once(keys: &StepKeys, wire: Option<&Wire>, findings: &Findings) -> bool {
    let both = wire.is_some_and(Wire::is_both);
    if let Some(family) = keys.wire.family.as_ref().filter(|_| both) {
        let hint = "4, 6 or any; or two scripts, one for each";
        findings.wrong_with(&family.spot, "a step asks once: of two answers, which one would set the keys?", hint);
    }
    !both
}

/// Assertions are no templates: what looks like one is warned of.
fn takes_templates_for_values(keys: &StepKeys, visible: &Visible<'_>, findings: &Findings) {
    for (key, texts) in keys.answer.assertions.iter().flat_map(Assertions::texts) {
        let named = texts.iter().flat_map(|text| text.split('{').skip(1).filter_map(|rest| rest.split_once('}')));
        for name in named.map(|(name, _)| name).filter(|name| visible.certainty(name).is_some()) {
            let reason = format!("assertions are no templates: `{{{name}}}` stands for itself");
            findings.warn(&key.spot, reason, "write the value, or a pattern of it");
        }
    }
}

fn takes_time(keys: &StepKeys, findings: &Findings) -> bool {
    let none = keys.timeout.as_ref().filter(|timeout| timeout.value.is_zero());
    let note = |spot: &Spot| findings.wrong(spot, "nothing can be asked in no time");
    none.iter().for_each(|timeout| note(&timeout.spot));
    none.is_none()
}
