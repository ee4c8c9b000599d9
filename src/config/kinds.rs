//! The kinds of probe: this list, and an arm in each match below, is all that a new one costs here.

use std::sync::Arc;

use probe_core::Probe;
use probe_http::{HttpKeys, HttpProbe, Network};
use probe_keys::{At, Definitions, Fields, Findings, Keys, Properties, Read, Spot, nearest};
use probe_ssh::{Scratch, SshKeys, SshProbe};
use serde_json::{Value as Json, json};

/// What can stand after `probe:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One HTTP request.
    Http,
    /// An ssh service, a login, a command.
    Ssh,
}

/// The keys of a kind, read.
#[derive(Clone, Debug)]
pub(super) enum KindKeys {
    /// One HTTP request.
    Http(Box<HttpKeys>),
    /// An ssh service, a login, a command.
    Ssh(Box<SshKeys>),
}

/// A probe and its target in words.
#[derive(Debug)]
pub(super) struct Compiled {
    /// How the target is asked.
    pub(super) probe: Arc<dyn Probe>,
    /// `GET https://host/path`: the default title, and part of the identity.
    pub(super) target: String,
}

/// Compiles probes; what they share is built once, when the first needs it.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    findings: &'a Findings,
    network: Option<Arc<Network>>,
    scratch: Arc<Scratch>,
}

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 2] = [Self::Http, Self::Ssh];

    /// The short name and the original's.
    pub(super) const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Http => ["http", "probes.http"],
            Self::Ssh => ["ssh", "probes.ssh"],
        }
    }

    /// Takes the keys of this kind.
    pub(super) fn take(self, fields: &mut Fields<'_>) -> Option<KindKeys> {
        match self {
            Self::Http => HttpKeys::take(fields).map(Box::new).map(KindKeys::Http),
            Self::Ssh => SshKeys::take(fields).map(Box::new).map(KindKeys::Ssh),
        }
    }

    /// Adds the keys of this kind to a schema.
    pub(super) fn properties(self, properties: &mut Properties<'_>) {
        match self {
            Self::Http => properties.keys::<HttpKeys>(),
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
    /// A compiler that notes mistakes here.
    pub(super) fn new(findings: &'a Findings) -> Self {
        Self { findings, network: None, scratch: Arc::default() }
    }

    /// Compiles one probe; `None` when a mistake was noted, here or before, or the network cannot be used.
    pub(super) fn compile(&mut self, keys: KindKeys, spot: &Spot) -> Option<Compiled> {
        match keys {
            KindKeys::Http(keys) => {
                let probe = HttpProbe::new(*keys, &self.network(spot)?, self.findings)?;
                Some(Compiled { target: probe.target().to_owned(), probe: Arc::new(probe) })
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
            match Network::new() {
                Ok(network) => self.network = Some(network),
                Err(error) => self.findings.wrong(spot, error.to_string()),
            }
        }
        self.network.clone()
    }
}
