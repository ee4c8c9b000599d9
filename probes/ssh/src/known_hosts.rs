//! Files of known hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"), as far as keys go: authorities are ssh's own affair.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use ring::hmac;
use russh::keys::{
    HashAlg, PublicKey,
    ssh_key::{
        known_hosts::{Entry, HostPatterns, Marker},
        public::KeyData,
    },
};

/// The keys that the files have of one host.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    pub(crate) keys: Vec<Known>,
    revoked: Vec<Known>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) key: KeyData,
    pub(crate) line: Line,
}

/// Where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) file: PathBuf,
    number: usize,
}

/// How a key stands to the files.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It is one of the host's.
    Known,
    /// It must not be used any more.
    Revoked(Line),
    /// The host's key of this kind is another.
    Changed(Box<Known>),
    /// The host has no key of this kind there.
    Unknown,
}

// === impl KnownHosts ===

impl KnownHosts {
    /// Reads what the files have of a host. What cannot be read has nothing of it, as for ssh.
    pub(crate) fn read(files: &[PathBuf], host: &str, port: u16) -> Self {
        let name = Self::name(host, port);
        let mut found = Self { keys: Vec::new(), revoked: Vec::new() };
        for file in files {
            let text = fs::read_to_string(file).unwrap_or_default();
            for (index, line) in text.lines().enumerate() {
                let line = line.trim();
                let entry = Some(line).filter(|line| !line.is_empty() && !line.starts_with('#'));
                let Some(Ok(entry)) = entry.map(str::parse::<Entry>) else { continue };
                if !matches(entry.host_patterns(), &name) {
                    continue;
                }
                let line = Line { file: file.clone(), number: index + 1 };
                let known = Known { key: entry.public_key().key_data().clone(), line };
                match entry.marker() {
                    None => found.keys.push(known),
                    Some(Marker::Revoked) => found.revoked.push(known),
                    Some(Marker::CertAuthority) => {}
                }
            }
        }
        found
    }

    /// How `key` stands to them.
    pub(crate) fn standing(&self, key: &KeyData) -> Standing {
        if let Some(known) = self.revoked.iter().find(|known| known.key == *key) {
            return Standing::Revoked(known.line.clone());
        }
        if self.keys.iter().any(|known| known.key == *key) {
            return Standing::Known;
        }
        match self.keys.iter().find(|known| known.key.algorithm() == key.algorithm()) {
            Some(known) => Standing::Changed(Box::new(known.clone())),
            None => Standing::Unknown,
        }
    }

    /// Adds a host's key at the end of a file.
    pub(crate) fn add(file: &Path, host: &str, port: u16, key: &KeyData) -> io::Result<()> {
        let key = PublicKey::from(key.clone()).to_openssh().map_err(io::Error::other)?;
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        let whole = fs::read(file).map_or(true, |text| text.last().is_none_or(|byte| *byte == b'\n'));
        let line = format!("{}{} {key}\n", if whole { "" } else { "\n" }, Self::name(host, port));
        // One write: two probes at once do not mix their lines.
        fs::OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())
    }

    /// A host as the files name it: `host`, or `[host]:port`.
    pub(crate) fn name(host: &str, port: u16) -> String {
        let host = host.to_lowercase();
        if port == 22 { host } else { format!("[{host}]:{port}") }
    }
}

// === impl Known ===

impl Known {
    pub(crate) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.key.algorithm(), self.fingerprint())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let salt = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&salt, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let of = |pattern: &str| glob(pattern.to_lowercase().as_bytes(), name.as_bytes());
            let refused = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(of);
            !refused && patterns.iter().filter(|pattern| !pattern.starts_with('!')).any(|pattern| of(pattern))
        }
    }
}

/// `*` stands for any text, `?` for any character (ssh_config(5), "PATTERNS").
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                // The last star takes one character more.
                Some((starred, taken)) => {
                    (at, from) = (starred + 1, taken + 1);
                    star = Some((starred, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn key(text: &str) -> KeyData {
        PublicKey::from_openssh(text).unwrap().key_data().clone()
    }

    fn standing(text: &str, host: &str, port: u16) -> Standing {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("known_hosts");
        fs::write(&file, text).unwrap();
        KnownHosts::read(&[file], host, port).standing(&key(ONE))
    }

    #[test]
    fn a_host_is_found_by_name_port_pattern_and_hash() {
        // The salt and hash of example.com, from OpenSSH.
        let hashed = "|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak=";
        for (hosts, host, port, known) in [
            ("a.example", "a.example", 22, true),
            ("a.example", "A.Example", 22, true),
            ("a.example", "a.example", 23, false),
            ("[a.example]:23,b", "a.example", 23, true),
            ("*.example,!b.example", "a.example", 22, true),
            ("*.example,!b.example", "b.example", 22, false),
            ("192.0.2.?", "192.0.2.7", 22, true),
            ("192.0.2.?", "192.0.2.77", 22, false),
            (hashed, "example.com", 22, true),
            (hashed, "example.org", 22, false),
        ] {
            let text = format!("# a comment\n\nnonsense\n{hosts} {ONE} me@here\n");
            assert_eq!(matches!(standing(&text, host, port), Standing::Known), known, "{hosts} {host} {port}");
        }
    }

    #[test]
    fn a_changed_key_a_revoked_one_and_an_unknown_one_differ() {
        let Standing::Changed(was) = standing(&format!("other {ONE}\na {OTHER}\n"), "a", 22) else { panic!() };
        assert!(was.line.to_string().ends_with("known_hosts:2"), "{}", was.line);
        assert!(matches!(standing(&format!("a {ONE}\n@revoked * {ONE}\n"), "a", 22), Standing::Revoked(_)));
        assert!(matches!(standing(&format!("b {ONE}\n@cert-authority a {ONE}\n"), "a", 22), Standing::Unknown));
        assert!(matches!(standing(&format!("a {OTHER}\na {ONE}\n"), "a", 22), Standing::Known));
    }

    #[test]
    fn an_added_key_is_known_from_then_on() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("new/known_hosts");
        KnownHosts::add(&file, "::1", 2222, &key(ONE)).unwrap();
        fs::write(&file, fs::read_to_string(&file).unwrap().trim_end()).unwrap();
        KnownHosts::add(&file, "Other", 22, &key(OTHER)).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.trim_end(), format!("[::1]:2222 {ONE}\nother {OTHER}"));
        let known = KnownHosts::read(&[file], "::1", 2222);
        assert!(matches!(known.standing(&key(ONE)), Standing::Known));
    }

    #[test]
    fn stars_backtrack() {
        for (pattern, text, matched) in
            [("*a*b", "xaxbxb", true), ("*a*b", "xaxbx", false), ("", "", true), ("*", "", true), ("?", "", false)]
        {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), matched, "{pattern} {text}");
        }
    }
}
