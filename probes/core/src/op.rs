//! The span operations SentryNet emits: the wire contract with dashboards.

/// A low-cardinality, dotted, lower-case span operation, with the description that is the same in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Op {
    name: &'static str,
    description: &'static str,
}

// === impl Op ===

impl Op {
    /// One HTTP request and its answer; a redirect hop is one of its own.
    pub const HTTP_REQUEST: Op = Op::new("http.request", "");
    /// From the wish for a connection to one that can carry a request.
    pub const NET_CONN: Op = Op::new("net.conn", "Creating connection");
    /// Name to addresses.
    pub const NET_DNS: Op = Op::new("net.dns", "DNS resolution");
    /// SYN to established, all addresses tried.
    pub const NET_TCP: Op = Op::new("net.tcp", "TCP connect");
    /// In place of [`NET_TCP`](Self::NET_TCP) where a proxy makes the connection: TCP to the proxy and what it then needs
    /// for its own to the target, which cannot be told apart from outside.
    pub const NET_PROXY: Op = Op::new("net.proxy", "Connecting through the proxy");
    /// ClientHello to a verified, finished handshake.
    pub const NET_TLS: Op = Op::new("net.tls", "TLS handshake");
    /// The request's head and body, handed to the kernel.
    pub const HTTP_SEND: Op = Op::new("http.send", "Send request");
    /// From the last byte sent to the answer's complete head.
    pub const HTTP_WAIT: Op = Op::new("http.wait", "Awaiting response");
    /// The answer's body.
    pub const HTTP_RECV: Op = Op::new("http.recv", "Receiving response");
    /// The body, read as JSON.
    pub const JSON_PARSE: Op = Op::new("json.parse", "Parse body");
    /// Keys taken from the answer, and the expectations on it.
    pub const JSON_ASSERT: Op = Op::new("json.assert", "Checking assertions");

    const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }

    /// The operation of a run's root span: `probes.` and the kind, as in the configuration (`probes.http`).
    pub(crate) const fn root(name: &'static str) -> Self {
        Self::new(name, "")
    }

    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        self.name
    }

    /// What a person reads when the span has no description of its own.
    pub const fn description(self) -> &'static str {
        self.description
    }
}
