//! The http probe: asks once, or once for each version of IP, and has the answer judged.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use probe_core::{BoxFuture, Context, Failure, FailureClass, Probe, Secret};
use probe_expect::Found;
use probe_keys::Findings;

use crate::{
    Bound, HttpKeys, Network, OAuth2, Question, Request, Session, Wire, compile, doubt, judge::Expected, phases,
};

/// One request, compiled, and what is expected of its answer.
#[derive(Debug)]
pub struct HttpProbe {
    target: String,
    request: Request,
    tokens: Option<Arc<OAuth2>>,
    /// One, or one for each version of IP, with its name.
    wires: Vec<(Option<&'static str>, Wire)>,
    expected: Expected,
}

// === impl HttpProbe ===

impl HttpProbe {
    /// Compiles what was written; `None` when a mistake was noted.
    pub fn new(keys: HttpKeys, network: &Arc<Network>, findings: &Findings) -> Option<Self> {
        // Both are prepared before the first bad one ends it: all mistakes at once.
        let request = compile::request(&keys.asked, network.tokens(), findings);
        let headers = keys.asked.headers.iter().flat_map(|headers| &headers.0);
        let names_host = headers.into_iter().any(|(name, _)| name.value.eq_ignore_ascii_case("host"));
        let wire = Wire::compile(&keys.wire, names_host, network, findings);
        let captures = keys.answer.set_keys.as_ref();
        keys.answer.assertions.iter().for_each(|assertions| {
            assertions.are_on_keys(captures, |_| false, findings);
        });
        let ((request, tokens), wire) = (request?, wire?);
        let (secure, spot) = (Some(request.url.scheme() == "https"), &keys.asked.url.spot);
        doubt(&keys.answer, &keys.wire, &request.method, secure, spot, findings);
        wire.fits(&request, &keys.wire, findings).then(|| Self {
            target: request.shown(),
            expected: Expected::new(&keys.answer, &request.method),
            wires: wire.split(),
            request,
            tokens,
        })
    }

    /// What is asked, in words: `GET https://host/path`, without credentials and without a query.
    pub fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&self, context: &Context) -> Result<(), Failure> {
        let [(_, wire)] = self.wires.as_slice() else { return self.ask_each(context).await };
        self.ask_over(wire, context).await
    }

    async fn ask_over(&self, wire: &Wire, context: &Context) -> Result<(), Failure> {
        let session = Session::new(context.learnt.clone());
        let bound = Bound { until: context.deadline, whole: context.timeout };
        let (parent, trace) = (&context.root, &context.propagation);
        let (request, tokens) = (&self.request, self.tokens.as_deref());
        let hop = session.ask(&Question { parent, request, tokens, wire, trace, bound }).await?;
        let seen = hop.seen();
        let (values, judged) = self.expected.judge(hop, |_| Found::default());
        context.learnt.learn(values.secrets());
        judged.map_err(|failure| session.told(failure, request, wire, &seen, Some(bound.whole)))
    }

    /// Side by side; up only when each is.
    async fn ask_each(&self, context: &Context) -> Result<(), Failure> {
        let each = self.wires.iter().map(|(name, wire)| async move {
            let asked = self.ask_over(wire, context).await;
            asked.map_err(|failure| (name.unwrap_or_default(), failure))
        });
        let failures: Vec<_> = join_all(each).await.into_iter().filter_map(Result::err).collect();
        // What the target did wrong weighs more than what we could not find out.
        let worst = failures.iter().position(|(_, failure)| failure.class != FailureClass::Internal).unwrap_or(0);
        let said: Vec<String> = failures.iter().map(|(name, failure)| format!("over {name}: {failure}")).collect();
        match failures.into_iter().nth(worst) {
            Some((_, mut failure)) => {
                failure.message = said.join("; ");
                Err(failure)
            }
            None => Ok(()),
        }
    }
}

impl Probe for HttpProbe {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn op(&self) -> &'static str {
        "probes.http"
    }

    fn spans(&self) -> usize {
        1 + self.wires.len() * (phases::SPANS + self.expected.spans())
    }

    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.ask(context))
    }

    fn reproduce(&self, timeout: Duration) -> Option<String> {
        let (_, wire) = self.wires.first()?;
        let masked = self.tokens.as_ref().map(|_| self.request.with_token(&Secret::new(Secret::MASK)));
        Some(wire.curl(masked.as_ref().unwrap_or(&self.request), timeout))
    }
}
