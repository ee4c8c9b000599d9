//! One run's HTTP client: made from prepared parts in about a microsecond, gone with the run.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{HeaderValue, Version, header::HOST};
use reqwest::{redirect::Policy, retry};
use tokio::time;
use url::Position;

use crate::{
    connect::{Alias, AttemptLayer, Attempts, MarkingResolver},
    keys,
    wire::Way,
};

/// After an answer, a connection needs a moment to be found again (measured: without it, 4.1 connections for 6 requests).
const PAUSE: Duration = Duration::from_millis(1);

/// A client and a log of the connections it makes.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) attempts: Attempts,
    /// The name for TLS that stands in place of the URL's host.
    server_name: Option<String>,
    reuse: bool,
    /// Whether a connection may be on its way back.
    settling: AtomicBool,
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
        let attempts = Attempts::default();
        let wants_h2 = way.version == Some(keys::Version::Http2);
        let resolver = MarkingResolver { resolver: way.resolver.clone(), family: way.family, alias };
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(retry::never())
            .referer(false)
            .dns_resolver(resolver)
            .tls_backend_preconfigured((*way.tls).clone())
            .connector_layer(AttemptLayer { attempts: attempts.clone(), wants_h2 });
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
        Ok(Self { http: builder.build()?, attempts, server_name, reuse: way.reuse, settling: AtomicBool::new(false) })
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

    /// Notes an answer: its connection comes back, unless it never left, as of HTTP/2.
    pub(crate) fn answered(&self, version: Version) {
        self.settling.store(self.reuse && version != Version::HTTP_2, Ordering::Relaxed);
    }

    /// Waits until a connection that is used again can be found; false when there is nothing to wait for.
    pub(crate) async fn settle(&self) -> bool {
        let settling = self.settling.swap(false, Ordering::Relaxed);
        if settling {
            time::sleep(PAUSE).await;
        }
        settling
    }
}
