//! What of a file's line must not be shown: literal secrets, told by the names of their keys.

use std::sync::LazyLock;

use probe_core::Secret;
use regex::Regex;

/// A key that names a secret, and the rest of its line; or the credentials in a URL.
static LITERAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)(?:password|passwd|pwd|secret|token|(?:api|private)[_-]?key|identity|authorization|cookie|credential|bearer|dsn)"#,
        r#"[\w.-]*["']?[ \t]*:[ \t]+(?P<value>"(?:[^"\\]|\\.)*"?|'[^']*'?|\S.*)"#,
        r#"|://(?P<user>[^/\s@"']+)@"#,
    ))
    .ok()
});

/// Masks by `*`, byte for byte so that places stay true, what is secret in a line; also returns what it masked.
pub(super) fn line(line: &str, secrets: &[Secret]) -> (String, Vec<Secret>) {
    let mut shown = line.to_owned();
    let mut literals = Vec::new();
    let found = LITERAL.iter().flat_map(|literal| literal.captures_iter(line));
    for value in found.filter_map(|found| found.name("value").or_else(|| found.name("user"))) {
        if !is_reference(value.as_str()) {
            literals.push(Secret::new(value.as_str().trim_matches(['"', '\'', ' '])));
            shown.replace_range(value.range(), &stars(value.as_str()));
        }
    }
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= crate::redact::SHORTEST) {
        shown = shown.replace(secret, &stars(secret));
    }
    (shown, literals)
}

/// A substitution, a JSONPath, or the beginning of something longer: none of them is the secret itself.
fn is_reference(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ', '\r']);
    // The scheme of credentials (`Bearer ${env:TOKEN}`) may be shown.
    let credentials = value.rsplit_once(' ').filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphabetic()));
    let credentials = credentials.map_or(value, |(_, credentials)| credentials);
    let substituted = credentials.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    substituted.is_some_and(|inner| !inner.contains('}') && !inner.contains(":-"))
        || ["$.", "$[", "|", ">", "{", "["].iter().any(|start| value.starts_with(start))
}

fn stars(text: &str) -> String {
    "*".repeat(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_secrets_are_masked_by_the_name_of_their_key() {
        for (written, shown) in [
            ("password: hunter22", "password: ********"),
            ("  X-Api-Key: \"ab cd\"", "  X-Api-Key: *******"),
            ("headers: {Authorization: Bearer x, a: 1}", "headers: {Authorization: ***************"),
            ("dsn: https://k@s.example/1", "dsn: *********************"),
            ("url: https://me:pass@h.example/", "url: https://*******@h.example/"),
            ("password: a ${env:X} b", "password: ************"),
        ] {
            assert_eq!(line(written, &[]).0, shown);
        }
    }

    #[test]
    fn what_only_refers_to_a_secret_is_shown() {
        for written in [
            "password: '${env:PASSWORD}'",
            "authorization: Bearer ${file:/run/secrets/token}",
            "token: $.access_token",
            "token: {exists: true}",
            "every: 60",
        ] {
            assert_eq!(line(written, &[]).0, written);
        }
    }

    #[test]
    fn known_secrets_are_masked_wherever_they_stand() {
        assert_eq!(line("title: hunter22!", &[Secret::new("hunter22")]).0, "title: ********!");
    }
}
