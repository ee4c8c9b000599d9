//! Targets to look at: loopback servers that are well, slow, broken in different ways, and a configuration for them.

mod certificate;
mod names;
mod targets;

use std::{io, net::SocketAddr};

use thiserror::Error;

/// The first line of the configuration: a file without it is not ours to write over.
pub const HEADING: &str = "# What `sentrynet demo` probes. Copy it, and put your own hosts in.";

/// The domain of all targets; reserved for tests (RFC 6761), so that no name of anybody's is asked for.
const DOMAIN: &str = "demo.test";

/// Targets that answer until this is dropped.
#[derive(Debug)]
pub struct Demo {
    names: SocketAddr,
    plain: SocketAddr,
    secure: SocketAddr,
    refusing: SocketAddr,
    /// The authority that signed the certificate of the target over TLS, as PEM.
    authority: String,
    /// Bound and never listened at: whoever knocks is refused.
    _refusing: tokio::net::TcpSocket,
    _tasks: tokio::task::JoinSet<()>,
}

/// Why there is nothing to show.
#[derive(Debug, Error)]
pub enum DemoError {
    /// No port on loopback.
    #[error("no port can be used on 127.0.0.1: {0}")]
    Bind(#[from] io::Error),
    /// No certificate.
    #[error("no certificate can be made: {0}")]
    Certificate(#[from] certificate::CertificateError),
}

// === impl Demo ===

impl Demo {
    /// Starts all targets on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// No port, or no certificate.
    pub async fn start() -> Result<Self, DemoError> {
        let mut tasks = tokio::task::JoinSet::new();
        let signed = certificate::signed(&format!("shop.{DOMAIN}"))?;
        let refusing = tokio::net::TcpSocket::new_v4()?;
        refusing.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self {
            names: names::serve(&mut tasks).await?,
            plain: targets::serve(&mut tasks, None).await?,
            secure: targets::serve(&mut tasks, Some(signed.server)).await?,
            refusing: refusing.local_addr()?,
            authority: signed.authority,
            _refusing: refusing,
            _tasks: tasks,
        })
    }

    /// The configuration that probes them.
    pub fn configuration(&self) -> String {
        let Self { names, plain, secure, refusing, authority, .. } = self;
        let (plain, secure, refusing) = (plain.port(), secure.port(), refusing.port());
        let authority: String = authority.lines().map(|line| format!("            {line}\n")).collect();
        format!(
            r#"{HEADING}
# Its targets live only while the demo runs; their ports are new each time.

location: demo              # the tag `location` on everything

# To send the results to Sentry:
# sentry:
#   dsn: ${{env:SENTRY_DSN}}

defaults:
  every: 5s                 # each at a moment of its own
  timeout: 2s               # name, connection, answer and body together

groups:
  - name: what is well
    tags: {{service: shop}}
    probes:
      - probe: http
        title: Front page
        url: http://www.{DOMAIN}:{plain}/
        dns: "{names}"

      - probe: http
        title: Status over TLS
        url: https://shop.{DOMAIN}:{secure}/status
        dns: "{names}"
        tls:
          ca: |
{authority}        set_keys:
          status: $.status
        assertions:
          status: ok

      - probe: http
        title: Slow report
        url: http://reports.{DOMAIN}:{plain}/slow
        dns: "{names}"

      - probe: http
        title: Old address redirects
        url: http://old.{DOMAIN}:{plain}/moved
        dns: "{names}"

      - probe: script           # requests in a chain: a span for each step
        title: Order journey
        init_keys: {{base: "http://api.{DOMAIN}:{plain}", password: opensesame}}
        steps:
          - url: "{{base}}/login"
            dns: "{names}"
            form: {{user: demo, password: "{{password}}"}}
            expected: 200
            set_keys: {{token: $.token}}
          - url: "{{base}}/orders"
            dns: "{names}"
            auth: {{bearer: "{{token}}"}}
            body: {{article: tea, count: 2}}
            set_keys: {{id: $.id}}
          - url: "{{base}}/orders/{{id}}"
            dns: "{names}"
            auth: {{bearer: "{{token}}"}}
            retry: {{times: 3, delay: 100ms}}
            set_keys: {{state: $.state}}
            assertions: {{state: ready}}
          - url: "{{base}}/orders/{{id}}"
            dns: "{names}"
            method: DELETE
            auth: {{bearer: "{{token}}"}}
            expected: 204
            always: true

  - name: what is broken
    tags: {{service: shop}}
    probes:
      - probe: http
        title: Answers 500
        url: http://api.{DOMAIN}:{plain}/broken
        dns: "{names}"
        runbook: "Look at the log of the api, then roll back."

      - probe: http
        title: Refuses connections
        url: http://db.{DOMAIN}:{refusing}/
        dns: "{names}"

      - probe: http
        title: Name does not resolve
        url: http://nowhere.{DOMAIN}/
        dns: "{names}"
"#
        )
    }
}
