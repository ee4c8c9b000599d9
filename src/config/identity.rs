//! What a check is called, and what it is known by over restarts.

use std::collections::HashMap;

use probe_keys::{Findings, Spot};

/// The longest readable part of a derived identity.
const READABLE: usize = 40;

/// Gives out identities, each once.
#[derive(Debug, Default)]
pub(super) struct Identities {
    explicit: HashMap<String, String>,
    derived: HashMap<String, u32>,
}

// === impl Identities ===

impl Identities {
    /// Notes an identity that the file gives; the second of two equal ones is a mistake.
    pub(super) fn explicit(&mut self, id: &str, spot: &Spot, findings: &Findings) {
        if let Some(first) = self.explicit.get(id) {
            let reason = format!("id `{id}` is that of {first} already");
            findings.wrong_with(spot, reason, "an identity is one check's: history and issues in Sentry hang on it");
        } else {
            self.explicit.insert(id.to_owned(), spot.path.trim_end_matches(".id").to_owned());
        }
    }

    /// An identity made of kind, title and target. Call it once all explicit ones are known, in file order.
    pub(super) fn derived(
        &mut self,
        kind: &str,
        title: &str,
        target: &str,
        spot: &Spot,
        findings: &Findings,
    ) -> String {
        let id = derive(kind, title, target);
        let many = self.derived.entry(id.clone()).or_default();
        loop {
            *many += 1;
            let numbered = if *many == 1 { id.clone() } else { format!("{id}-{many}") };
            if self.explicit.contains_key(&numbered) {
                continue;
            }
            if *many > 1 {
                let reason = format!("probe {many} of the same kind, title and target: only its place tells it apart");
                findings.warn(spot, reason, "give it an `id`, or a `title` of its own");
            }
            return numbered;
        }
    }
}

/// A readable part and a hash of the whole.
fn derive(kind: &str, title: &str, target: &str) -> String {
    let mut readable = String::with_capacity(READABLE);
    for c in title.chars().flat_map(char::to_lowercase) {
        let c = if c.is_ascii_alphanumeric() { c } else { '-' };
        if readable.len() < READABLE && !(c == '-' && (readable.is_empty() || readable.ends_with('-'))) {
            readable.push(c);
        }
    }
    let readable = Some(readable.trim_end_matches('-')).filter(|text| !text.is_empty()).unwrap_or(kind);
    format!("{readable}-{:016x}", fnv1a(&[kind, title, target].join("\0")))
}

/// FNV-1a, 64 bits: stable over versions and machines, which the standard library's hasher does not promise.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // The vectors of the FNV draft.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_identity_is_readable_and_stays_as_it_is() {
        let id = derive("http", "GET https://api.example/v1/Status?x=1", "GET https://api.example/v1/Status");
        assert!(id.starts_with("get-https-api-example-v1-status-x-1-"), "{id}");
        assert_eq!(id, derive("http", "GET https://api.example/v1/Status?x=1", "GET https://api.example/v1/Status"));
        assert_ne!(id, derive("http", "GET https://api.example/v1/Status?x=1", "POST https://api.example/v1/Status"));
        assert!(derive("http", "日本", "x").starts_with("http-"));
    }

    #[test]
    fn equal_ones_are_numbered_with_a_warning() {
        let (mut identities, findings) = (Identities::default(), Findings::default());
        let first = identities.derived("http", "t", "x", &Spot::default(), &findings);
        assert!(findings.problems().is_empty());
        let second = identities.derived("http", "t", "x", &Spot::default(), &findings);
        assert_eq!(second, format!("{first}-2"));
        assert_eq!(findings.problems().len(), 1);
    }
}
