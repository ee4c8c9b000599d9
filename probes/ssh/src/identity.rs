//! The private key that logs in.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use probe_core::{Failure, FailureClass, Secret};
use probe_keys::{FileOrText, Findings, Placed};
use russh::keys::{HashAlg, PrivateKey, PublicKey};

use crate::{paths::expanded, scratch::Desk};

/// Where the key is.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// In this file.
    File(PathBuf),
    /// Here.
    Text(Secret),
}

// === impl Identity ===

impl Identity {
    /// What was written: a path, or the key itself. `None` when a mistake was noted.
    pub(crate) fn new(written: &Placed<FileOrText>, findings: &Findings) -> Option<Self> {
        let Placed { value: FileOrText(text), spot } = written;
        let (identity, key, beside) = if text.text.contains("-----BEGIN") {
            let secret = Secret::new(format!("{}\n", text.text.trim()));
            findings.secret(secret.clone());
            (Self::Text(secret), text.text.clone(), None)
        } else {
            let path = expanded(&text.text);
            match fs::read_to_string(&path) {
                Ok(key) => (Self::File(path.clone()), key, Some(path)),
                Err(error) => {
                    findings.wrong(spot, format!("the private key cannot be read: {error}"));
                    return None;
                }
            }
        };
        match Kind::of(&key) {
            Kind::Usable => Some(identity),
            Kind::NoKey => {
                findings.wrong(spot, "this is not a private key");
                None
            }
            Kind::Encrypted(own) => {
                let public = own.or_else(|| beside.as_deref().and_then(public_beside));
                if public.is_some_and(|public| held_by_agent(&public)) {
                    return Some(identity);
                }
                findings.wrong_with(
                    spot,
                    "the private key is encrypted, and nobody is there to type its passphrase",
                    "use a key without one, or add this one to an ssh-agent before the start (ssh-add)",
                );
                None
            }
        }
    }

    /// The file for the ssh program.
    pub(crate) fn file(&self, desk: &Desk) -> Result<PathBuf, Failure> {
        let internal = |message: String| Failure::new(FailureClass::Internal, message);
        match self {
            // ssh goes on without a key that it cannot read, and the server would be blamed.
            Self::File(path) => match File::open(path) {
                Ok(_) => Ok(path.clone()),
                Err(error) => Err(internal(format!("the private key {} cannot be read: {error}", path.display()))),
            },
            Self::Text(text) => desk
                .write("identity", text.expose())
                .map_err(|error| internal(format!("the private key cannot be handed to ssh: {error}"))),
        }
    }
}

/// What a text is, as a private key.
enum Kind {
    Usable,
    /// With the public half, where that is not encrypted.
    Encrypted(Option<PublicKey>),
    NoKey,
}

impl Kind {
    fn of(text: &str) -> Self {
        if let Ok(key) = PrivateKey::from_openssh(text) {
            return if key.is_encrypted() { Self::Encrypted(Some(key.public_key().clone())) } else { Self::Usable };
        }
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Self::Encrypted(None);
        }
        // A public key stands for a private one that the agent has.
        let usable = text.contains("PRIVATE KEY-----") || PublicKey::from_openssh(text.trim()).is_ok();
        if usable { Self::Usable } else { Self::NoKey }
    }
}

fn public_beside(path: &Path) -> Option<PublicKey> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PublicKey::from_openssh(fs::read_to_string(name).ok()?.trim()).ok()
}

/// Whether the agent of this process's environment has it.
fn held_by_agent(key: &PublicKey) -> bool {
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let listed = Command::new("ssh-add").args(["-l", "-E", "sha256"]).stdin(Stdio::null()).output();
    listed
        .is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).split_whitespace().any(|word| word == fingerprint))
}
