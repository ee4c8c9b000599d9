//! The http probe: asks, follows, judges.

use std::sync::Arc;

use probe_core::{BoxFuture, Context, Failure, FailureClass, Probe};
use probe_keys::Findings;
use tokio::time::Instant;

use crate::{
    HttpKeys, Network, client::Client, exchange::Asking, judge, judge::Expected, network::Route, redirect::Trail,
    request::Request,
};

/// One request, compiled, and what is expected of its answer.
#[derive(Debug)]
pub struct HttpProbe {
    target: String,
    request: Request,
    route: Route,
    redirects: usize,
    max_body: usize,
    expected: Expected,
}

// === impl HttpProbe ===

impl HttpProbe {
    /// Compiles what was written; `None` when a mistake was noted.
    pub fn new(keys: HttpKeys, network: &Arc<Network>, findings: &Findings) -> Option<Self> {
        // Both are prepared before the first bad one ends it: all mistakes at once.
        let (request, route) = (Request::compile(&keys, findings), network.route(&keys, findings));
        judge::names_are_set(&keys, findings);
        let (request, route) = (request?, route?);
        Some(Self {
            target: request.shown(),
            expected: Expected::new(&keys, &request.method),
            redirects: keys.redirects.unwrap_or_default().0,
            max_body: keys.max_body.unwrap_or_default().0,
            request,
            route,
        })
    }

    /// What is asked, in words: `GET https://host/path`, without credentials and without a query.
    pub fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&self, context: &Context) -> Result<(), Failure> {
        let begun = Instant::now();
        let client = Client::new(&self.route).map_err(|error| {
            Failure::new(FailureClass::Internal, format!("the HTTP client could not be built: {error}"))
        })?;
        let asking =
            Asking { client: &client, resolver: &self.route.resolver, parent: &context.root, max_body: self.max_body };
        let mut trail = Trail::new(self.redirects);
        let mut hop = asking.ask(&self.request, begun, Some(&context.propagation)).await?;
        let mut request = None;
        loop {
            let current = request.as_ref().unwrap_or(&self.request);
            let next = match trail.next(current, &hop.answer) {
                Ok(Some(next)) => next,
                Ok(None) => return self.expected.judge(hop, begun),
                Err(failure) => {
                    let ended = hop.ended;
                    return Err(hop.fail(failure, ended));
                }
            };
            let ended = hop.ended;
            hop.finish(ended);
            // The trace is for the host that the configuration names, and for no other.
            let trace = (next.host() == self.request.host()).then_some(&context.propagation);
            hop = asking.ask(&next, ended, trace).await?;
            request = Some(next);
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

    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.ask(context))
    }
}
