//! One run's HTTP client: made from prepared parts in about a microsecond, gone with the run.

use http::{HeaderValue, header::HOST};
use reqwest::{redirect::Policy, retry};
use url::Position;

use crate::{
    connect::{Alias, AttemptLayer, Attempts, MarkingResolver, Returning},
    keys,
    wire::Way,
};

/// A client and a log of the connections it makes.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) attempts: Attempts,
    /// What connections may be on their way back to be used again.
    pub(crate) returning: Returning,
    /// The name for TLS that stands in place of the URL's host.
    server_name: Option<String>,
}

/// What stands in place of the URL's host while a connection is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// What a name stands for, in place of what the resolver says of it.
    pub(crate) alias: Option<(String, Alias)>,
    /// The name for TLS.
    pub(crate) server_name: Option<String>,
}

// === impl Client ===

impl Client {
    /// A client that follows nothing, retries nothing, and asks no environment; it uses a connection again only where the
    /// way says so.
    pub(crate) fn new(way: &Way, names: Names) -> Result<Self, reqwest::Error> {
        let Names { alias, server_name } = names;
        let (attempts, returning) = (Attempts::default(), Returning::new(way.reuse));
        let wants_h2 = way.version == Some(keys::Version::Http2);
        let resolver = MarkingResolver { resolver: way.resolver.clone(), family: way.family, alias };
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(retry::never())
            .referer(false)
            .dns_resolver(resolver)
            .tls_backend_preconfigured((*way.tls).clone())
            .connector_layer(AttemptLayer { attempts: attempts.clone(), returning: returning.clone(), wants_h2 });
        if !way.reuse {
            builder = builder.pool_max_idle_per_host(0);
        }
        builder = match way.version {
            None => builder,
            Some(keys::Version::Http1) => builder.http1_only(),
            Some(keys::Version::Http2) => builder.http2_prior_knowledge(),
        };
        if let Some(via) = &way.proxy {
            builder = builder.proxy(via.proxy());
        }
        Ok(Self { http: builder.build()?, attempts, returning, server_name })
    }

    /// TLS takes its name from the URL: with a name of its own, the URL gets that, and the host is told in the head.
    pub(crate) fn rename(&self, request: &mut reqwest::Request) {
        let Some(name) = &self.server_name else { return };
        let host = &request.url()[Position::BeforeHost..Position::AfterPort];
        if let Ok(host) = HeaderValue::from_str(host) {
            request.headers_mut().entry(HOST).or_insert(host);
        }
        // It cannot fail: the name was checked, and the URL has a host.
        let _ = request.url_mut().set_host(Some(name));
    }
}
