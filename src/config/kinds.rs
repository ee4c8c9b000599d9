//! The kinds of probe: this list, and an arm in each match below, is all that a new one costs here.

use std::sync::Arc;

use probe_core::Probe;
pub use probe_http::Tokens;
use probe_http::{HttpKeys, HttpProbe, Network};
use probe_keys::{At, Definitions, Fields, Findings, Keys, Properties, Read, Spot, nearest};
use probe_script::{ScriptKeys, ScriptProbe};
use probe_ssh::{Scratch, SshKeys, SshProbe};
use serde_json::{Value as Json, json};

/// What can stand after `probe:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One HTTP request.
    Http,
    /// HTTP requests in a chain.
    Script,
    /// An ssh service, a login, a command.
    Ssh,
}

/// The keys of a kind, read.
#[derive(Clone, Debug)]
pub(super) enum KindKeys {
    /// One HTTP request.
    Http(Box<HttpKeys>),
    /// HTTP requests in a chain.
    Script(Box<ScriptKeys>),
    /// An ssh service, a login, a command.
    Ssh(Box<SshKeys>),
}

/// A probe and its target in words.
#[derive(Debug)]
pub(super) struct Compiled {
    /// How the target is asked.
    pub(super) probe: Arc<dyn Probe>,
    /// `GET https://host/path`: the default title, and part of the identity; empty where there is no one target.
    pub(super) target: String,
}

/// Compiles probes; what they share is built once, when the first needs it.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    findings: &'a Findings,
    location: Option<String>,
    tokens: Tokens,
    network: Option<Arc<Network>>,
    scratch: Arc<Scratch>,
}

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Script, Self::Ssh];

    /// The short name and the original's.
    pub(super) const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Http => ["http", "probes.http"],
            Self::Script => ["script", "probes.script"],
            Self::Ssh => ["ssh", "probes.ssh"],
        }
    }

    /// Whether a title must be given: there is no one target to make it of.
    pub(super) const fn needs_title(self) -> bool {
        matches!(self, Self::Script)
    }

    /// Takes the keys of this kind.
    pub(super) fn take(self, fields: &mut Fields<'_>) -> Option<KindKeys> {
        match self {
            Self::Http => HttpKeys::take(fields).map(Box::new).map(KindKeys::Http),
            Self::Script => ScriptKeys::take(fields).map(Box::new).map(KindKeys::Script),
            Self::Ssh => SshKeys::take(fields).map(Box::new).map(KindKeys::Ssh),
        }
    }

    /// Adds the keys of this kind to a schema.
    pub(super) fn properties(self, properties: &mut Properties<'_>) {
        match self {
            Self::Http => properties.keys::<HttpKeys>(),
            Self::Script => properties.keys::<ScriptKeys>(),
            Self::Ssh => properties.keys::<SshKeys>(),
        }
    }
}

impl Read for Kind {
    fn read(at: &At<'_>) -> Option<Self> {
        let name = &at.text()?.text;
        let kind = Self::ALL.into_iter().find(|kind| kind.names().contains(&name.as_str()));
        if kind.is_none() {
            let names = || Self::ALL.iter().flat_map(|kind| kind.names());
            let hint = nearest(name, names()).map(|near| format!("did you mean `{near}`? "));
            let all = Self::ALL.map(|kind| kind.names()[0]).join(", ");
            at.wrong_with(
                format!("there is no kind of probe `{name}`"),
                format!("{}the kinds are: {all}", hint.unwrap_or_default()),
            );
        }
        kind
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": Self::ALL.map(Self::names).concat()})
    }
}

// === impl Compiler ===

impl<'a> Compiler<'a> {
    /// A compiler that notes mistakes here; `location` is where this daemon stands, when the file says so.
    pub(super) fn new(location: Option<String>, tokens: Tokens, findings: &'a Findings) -> Self {
        Self { findings, location, tokens, network: None, scratch: Arc::default() }
    }

    /// Compiles one probe; `None` when a mistake was noted, here or before, or the network cannot be used.
    pub(super) fn compile(&mut self, keys: KindKeys, spot: &Spot) -> Option<Compiled> {
        match keys {
            KindKeys::Http(keys) => {
                let probe = HttpProbe::new(*keys, &self.network(spot)?, self.findings)?;
                Some(Compiled { target: probe.target().to_owned(), probe: Arc::new(probe) })
            }
            KindKeys::Script(keys) => {
                let network = self.network(spot)?;
                let probe = ScriptProbe::new(*keys, self.location.as_deref(), &network, self.findings)?;
                // Its title, and no target of it, tells it from the others.
                Some(Compiled { target: String::new(), probe: Arc::new(probe) })
            }
            KindKeys::Ssh(keys) => {
                let probe = SshProbe::new(*keys, &self.scratch, self.findings)?;
                Some(Compiled { target: probe.target().to_owned(), probe: Arc::new(probe) })
            }
        }
    }

    /// What all requests share; a fault in it is told at the first probe that needs it.
    fn network(&mut self, spot: &Spot) -> Option<Arc<Network>> {
        if self.network.is_none() {
            match Network::new(self.tokens.clone()) {
                Ok(network) => self.network = Some(network),
                Err(error) => self.findings.wrong(spot, error.to_string()),
            }
        }
        self.network.clone()
    }
}
