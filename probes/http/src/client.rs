//! One run's HTTP client: made from prepared parts in about a microsecond, gone with the run.

use reqwest::{redirect::Policy, retry};

use crate::{
    connect::{AttemptLayer, Attempts, MarkingResolver},
    network::Route,
};

/// A client and a log of the connections it makes.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) attempts: Attempts,
}

// === impl Client ===

impl Client {
    /// A client that uses each connection once, follows nothing, retries nothing, and asks no environment.
    pub(crate) fn new(route: &Route) -> Result<Self, reqwest::Error> {
        let attempts = Attempts::default();
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .dns_resolver(MarkingResolver(route.resolver.clone()))
            .tls_backend_preconfigured((*route.tls).clone())
            .connector_layer(AttemptLayer(attempts.clone()));
        Ok(Self { http: builder.build()?, attempts })
    }
}
