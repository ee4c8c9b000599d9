//! Which host key a server may show, and what is said of another one.

use std::path::PathBuf;

use probe_core::{Failure, FailureClass};
use russh::keys::{
    Algorithm, Certificate, HashAlg, PublicKey,
    ssh_key::{Fingerprint, public::KeyData},
};

use crate::{
    keys::HostKeyRule,
    known_hosts::{Known, KnownHosts, Standing},
};

/// The key that a server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostKey {
    /// `ssh-ed25519`.
    pub(crate) kind: String,
    /// `SHA256:…`.
    pub(crate) fingerprint: String,
    /// The key itself; none when it is of a kind that is not known here.
    key: Option<KeyData>,
}

/// Whose key is asked for, where it may be found, and what is accepted.
#[derive(Clone, Debug)]
pub(crate) struct HostKeys {
    /// As known_hosts names the host.
    pub(crate) host: String,
    /// With another port than 22, known_hosts names it too.
    pub(crate) port: u16,
    /// The files, the first of them the one that is added to.
    pub(crate) files: Vec<PathBuf>,
    /// In place of the files, or beside them.
    pub(crate) rule: Option<HostKeyRule>,
}

// === impl HostKey ===

impl HostKey {
    /// A key as it stands on the wire (RFC 4253, 6.6), or a certificate of OpenSSH's with a key in it.
    pub(crate) fn new(blob: &[u8]) -> Self {
        let kind = blob.first_chunk().map(|length| u32::from_be_bytes(*length));
        let kind = kind.and_then(|length| blob.get(4..4 + usize::try_from(length).ok()?));
        let kind = String::from_utf8_lossy(kind.unwrap_or_default()).into_owned();
        let key = PublicKey::from_bytes(blob).map(|key| key.key_data().clone()).ok();
        let key = key.or_else(|| Certificate::from_bytes(blob).ok().map(|found| found.public_key().clone()));
        let digest = match &key {
            Some(key) => key.fingerprint(HashAlg::Sha256),
            None => Fingerprint::Sha256(sha256(blob)),
        };
        Self { kind, fingerprint: digest.to_string(), key }
    }

    fn named(&self) -> String {
        format!("{} {}", self.kind, self.fingerprint)
    }
}

// === impl HostKeys ===

impl HostKeys {
    /// Whether the key may be shown; with `accept-new`, a new one is added to the file.
    pub(crate) fn check(&self, shown: &HostKey) -> Result<(), Failure> {
        match &self.rule {
            Some(HostKeyRule::Any) => Ok(()),
            Some(HostKeyRule::Fingerprint(expected)) if *expected == shown.fingerprint => Ok(()),
            Some(HostKeyRule::Fingerprint(expected)) => Err(self.refused(
                shown,
                expected,
                format!(
                    "expected the host key {expected}, the server shows {} (it has a key of each kind)",
                    shown.named()
                ),
            )),
            None | Some(HostKeyRule::AcceptNew) => self.look_up(shown),
        }
    }

    /// Kinds of key that known_hosts has of the host: a server with several shall show one of these.
    pub(crate) fn known_kinds(&self) -> Vec<Algorithm> {
        match self.rule {
            None | Some(HostKeyRule::AcceptNew) => {
                self.known().keys.iter().map(|known| known.key.algorithm()).collect()
            }
            Some(_) => Vec::new(),
        }
    }

    /// What is wrong with a key that was refused, here or by ssh.
    pub(crate) fn explain(&self, shown: &HostKey) -> Failure {
        match self.check_only(shown) {
            Err(failure) => failure,
            Ok(()) => {
                self.refused(shown, "a key that ssh accepts", format!("ssh refused the host key {}", shown.named()))
            }
        }
    }

    fn look_up(&self, shown: &HostKey) -> Result<(), Failure> {
        let accept_new = self.rule == Some(HostKeyRule::AcceptNew);
        match (self.check_only(shown), &shown.key, self.files.first()) {
            (Err(_), Some(key), Some(file)) if accept_new && self.known().keys.is_empty() => {
                // As ssh does: a file that cannot be written is told of, and no reason to refuse.
                if let Err(error) = KnownHosts::add(file, &self.host, self.port, key) {
                    tracing::warn!(%error, file = %file.display(), host = self.host, "a new host key cannot be kept");
                }
                Ok(())
            }
            (checked, ..) => checked,
        }
    }

    fn check_only(&self, shown: &HostKey) -> Result<(), Failure> {
        let (known, place) = (self.known(), self.place());
        let standing = shown.key.as_ref().map_or(Standing::Unknown, |key| known.standing(key));
        match standing {
            Standing::Known => Ok(()),
            Standing::Revoked(line) => Err(self.refused(
                shown,
                "a key that is not revoked",
                format!("the host key of {place} is revoked: {line} says so of {}", shown.named()),
            )),
            Standing::Changed(was) => Err(self.refused(shown, &was.fingerprint(), self.changed(shown, &was))),
            Standing::Unknown => {
                let files = self.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
                let others = match known.keys.first() {
                    Some(other) => format!("has only {} of it", other.named()),
                    None if files.is_empty() => "there is no known_hosts file".to_owned(),
                    None => "has no key of it".to_owned(),
                };
                let message = format!(
                    "the host key of {place} is not known: the server shows {}, and {}; \
                     add it, or set `host_key: {}`",
                    shown.named(),
                    format!("{files} {others}").trim_start(),
                    shown.fingerprint
                );
                Err(self.refused(shown, "a known host key", message))
            }
        }
    }

    fn changed(&self, shown: &HostKey, was: &Known) -> String {
        let name = KnownHosts::name(&self.host, self.port);
        format!(
            "the host key of {} has changed: {} has {}, the server shows {}. If that was meant: \
             ssh-keygen -R '{name}' -f {}; if not, somebody may stand between",
            self.place(),
            was.line,
            was.named(),
            shown.named(),
            was.line.file.display()
        )
    }

    fn refused(&self, shown: &HostKey, expected: &str, message: String) -> Failure {
        Failure::new(FailureClass::HostKey, message).expected(expected, &shown.fingerprint).origin("host key")
    }

    fn known(&self) -> KnownHosts {
        KnownHosts::read(&self.files, &self.host, self.port)
    }

    /// `host:port`, for people.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}
