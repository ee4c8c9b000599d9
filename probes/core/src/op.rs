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
    /// A moment in which a connection might have come back to be used again, and did not.
    pub const NET_POOL: Op = Op::new("net.pool", "Waiting for a connection to come back");
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
    /// One step of a script, its repetitions included.
    pub const SCRIPT_STEP: Op = Op::new("script.step", "Step");
    /// A pause that the configuration asks for, before a step or before it is asked again.
    pub const SCRIPT_DELAY: Op = Op::new("script.delay", "Waiting, as configured");
    /// The start of our own ssh program, until it is ready to talk.
    pub const SSH_INIT: Op = Op::new("ssh.init", "Starting ssh");
    /// From the name of a host to a stream of bytes to it, by TCP or through a jump host.
    pub const SSH_CONNECT: Op = Op::new("ssh.connect", "Connecting");
    /// From the stream to the server's identification line (RFC 4253, 4.2).
    pub const SSH_BANNER: Op = Op::new("ssh.banner", "Awaiting the banner");
    /// From the identification line to the last of both sides' NEWKEYS, the host key's check included.
    pub const SSH_KEX: Op = Op::new("ssh.kex", "Key exchange");
    /// From the first encrypted message to the login, or to the list of ways to log in.
    pub const SSH_AUTH: Op = Op::new("ssh.auth", "Authentication");
    /// A channel for a command, or for the way on from a jump host.
    pub const SSH_EXEC: Op = Op::new("ssh.exec", "Opening a channel");
    /// The command, from its start to its exit status and the end of its output.
    pub const SSH_CMD: Op = Op::new("ssh.cmd", "Running the command");

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
