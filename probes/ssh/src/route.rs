//! Where a session goes and how it gets there, compiled.

use std::path::PathBuf;

use probe_keys::{FileOrText, Findings, Placed, Spot, Text};

use crate::{
    host_key::HostKeys,
    identity::Identity,
    jump::Jump,
    keys::{HostKeyRule, SshKeys},
    paths::{expanded, usual_known_hosts},
    ssh_config::{self, Meant},
};

/// The way: hosts to go through, then the one that is asked.
#[derive(Debug)]
pub(crate) struct Route {
    /// At least one; the last is the one that is asked.
    pub(crate) hops: Vec<Hop>,
    /// What logs in at each.
    pub(crate) access: Access,
}

/// One host on the way.
#[derive(Debug)]
pub(crate) struct Hop {
    /// As it is written: what ssh_config(5) knows it by.
    pub(crate) named: String,
    /// Who logs in there.
    pub(crate) username: Option<String>,
    /// Where the connection goes.
    pub(crate) host: String,
    /// To this port.
    pub(crate) port: u16,
    /// Which key it may show.
    pub(crate) keys: HostKeys,
}

/// What the ssh program is given to log in with.
#[derive(Debug)]
pub(crate) struct Access {
    /// The private key; none for the agent's and the default ones.
    pub(crate) identity: Option<Identity>,
    /// The file that it reads.
    pub(crate) config: Option<PathBuf>,
}

// === impl Route ===

impl Route {
    /// As it was written; `None` when a mistake was noted.
    pub(crate) fn new(keys: &SshKeys, findings: &Findings) -> Option<Self> {
        let identity = keys.identity.as_ref().map(|written| Identity::new(written, findings));
        let known_hosts = known_hosts(keys, findings);
        let hops = hops(keys, known_hosts.clone().flatten(), findings);
        let config = keys.config.as_ref().map(|config| expanded(&config.value.0.text));
        let identity = match identity {
            Some(identity) => Some(identity?),
            None => None,
        };
        known_hosts?;
        Some(Self { hops: hops?, access: Access { identity, config } })
    }
}

// === impl Hop ===

impl Hop {
    /// `host:port`, for people.
    pub(crate) fn place(&self) -> String {
        let host = &self.named;
        if host.contains(':') { format!("[{host}]:{}", self.port) } else { format!("{host}:{}", self.port) }
    }
}

/// The file of known hosts that was written; the outer `None` is a mistake.
#[allow(clippy::option_option)]
fn known_hosts(keys: &SshKeys, findings: &Findings) -> Option<Option<PathBuf>> {
    let Some(Placed { value: FileOrText(Text { text, .. }), spot }) = &keys.known_hosts else { return Some(None) };
    let rule = keys.host_key.as_ref().map(|rule| &rule.value);
    if matches!(rule, Some(HostKeyRule::Any | HostKeyRule::Fingerprint(_))) && keys.jump.is_none() {
        findings.wrong_with(spot, "`known_hosts` has no use with this `host_key`", "leave one of the two out");
        return None;
    }
    let path = expanded(text);
    // A new key makes the file.
    match path.metadata() {
        Err(error) if rule != Some(&HostKeyRule::AcceptNew) => {
            findings.wrong(spot, format!("the file of known hosts cannot be read: {error}"));
            None
        }
        _ => Some(Some(path)),
    }
}

fn hops(keys: &SshKeys, known_hosts: Option<PathBuf>, findings: &Findings) -> Option<Vec<Hop>> {
    let (host, spot) = (&keys.host.value.0, &keys.host.spot);
    let username = keys.username.as_ref().map(|username| username.value.0.clone());
    let port = keys.port.map(|port| port.0);
    let rule = keys.host_key.as_ref().map(|rule| rule.value.clone());
    let target = Jump { username, host: host.clone(), port };
    let map = Map { keys, known_hosts, findings };
    let (hop, from_config) = map.hop(target, rule.clone(), spot)?;
    // A rule for the host's own key says nothing of the others' but where any new one is welcome.
    let rule = rule.filter(|rule| *rule == HostKeyRule::AcceptNew);
    let jumps = keys.jump.as_ref().map_or(from_config, |jumps| jumps.value.0.clone());
    let spot = keys.jump.as_ref().map_or(spot, |jumps| &jumps.spot);
    let jumps = jumps.into_iter().map(|jump| map.hop(jump, rule.clone(), spot).map(|(hop, _)| hop));
    jumps.chain([Some(hop)]).collect()
}

/// What is known of any host.
struct Map<'a> {
    keys: &'a SshKeys,
    known_hosts: Option<PathBuf>,
    findings: &'a Findings,
}

impl Map<'_> {
    /// A host, and those that the configuration of ssh wants to go through to it.
    fn hop(&self, jump: Jump, rule: Option<HostKeyRule>, spot: &Spot) -> Option<(Hop, Vec<Jump>)> {
        let Jump { username, host: named, port } = jump;
        let meant = match &self.keys.config {
            None => Meant {
                host: named.clone(),
                port: port.unwrap_or(22),
                known_hosts: usual_known_hosts(),
                ..Meant::default()
            },
            Some(config) => match ssh_config::ask(&expanded(&config.value.0.text), &named, port, username.as_deref()) {
                Ok(meant) => meant,
                Err(reason) => {
                    let spot = if reason.contains("ProxyCommand") { spot } else { &config.spot };
                    self.findings.wrong(spot, reason);
                    return None;
                }
            },
        };
        let Meant { host, port, alias, known_hosts, jumps } = meant;
        let files = self.known_hosts.clone().map_or(known_hosts, |file| vec![file]);
        // By an alias, ssh looks a key up without a port.
        let (name, named_port) = alias.map_or_else(|| (host.clone(), port), |alias| (alias, 22));
        let keys = HostKeys { host: name, port: named_port, files, rule };
        Some((Hop { named, username, host, port, keys }, jumps))
    }
}
