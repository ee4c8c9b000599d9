//! What of a file's line must not be shown: literal secrets, told by the names of their keys. Files with mistakes are read
//! here as they stand, so that the rules are about lines and not about YAML; where in doubt, too much is masked.

use std::{ops::Range, sync::LazyLock};

use probe_core::{Secret, is_secret_name};
use regex::Regex;

/// A name and its colon; a secret parameter of a query; credentials in a URL.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?P<name>[A-Za-z_][\w.-]*)["']?[ \t]*:(?P<blank>[ \t]*)"#,
        r#"|[?&](?P<parameter>[\w.-]+)=(?P<argument>[^&\s"'#]+)"#,
    ))
    .ok()
});

/// Credentials before a host.
static CREDENTIALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"://(?P<user>[^\s/"'@]*:[^\s"']*|[^\s/"'@]+)@|["' ](?P<bare>[\w.+-]+:[^\s/"'@]+)@[\w.-]"#).ok()
});

/// The beginning of a line that has a key.
static KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^[ ]*(?:- +)*["']?(?P<name>[A-Za-z_][\w.-]*)["']?[ \t]*:(?:\s|$)"#).ok());

/// Names that only sound like that of a secret, or hold some that do and some that do not.
const ABOVE: [&str; 4] = ["auth", "set_keys", "init_keys", "host_key"];

/// Keys that hold who asks, or a mapping that says so.
const NESTED: [&str; 4] = ["auth", "basic", "bearer", "oauth2"];

/// Keys of such a mapping that hold no secret.
const OPEN: [&str; 6] = ["username", "token_url", "client_id", "scope", "audience", "client_auth"];

/// Masks by `*`, byte for byte so that places stay true, what is secret in a line of a text; also returns what it masked.
/// `path` is where in the document the line is complained of.
pub(super) fn line(text: &str, line: Range<usize>, path: &str, secrets: &[Secret]) -> (String, Vec<Secret>) {
    let own = &text[line.clone()];
    let found = if is_below_a_secret(text, &line) {
        let start = own.len() - own.trim_start().len();
        std::iter::once(start..own.trim_end().len()).collect()
    } else {
        values(own, path.split(['.', '[']).any(|name| name == "auth"))
    };
    let mut shown = own.to_owned();
    let mut literals = Vec::new();
    for range in found {
        let value = &own[range.clone()];
        literals.push(Secret::new(value.trim_matches(['"', '\'', ' '])));
        shown.replace_range(range, &stars(value));
    }
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= crate::redact::SHORTEST) {
        shown = shown.replace(secret, &stars(secret));
    }
    (shown, literals)
}

/// Whether the line belongs to the value of a key above it that names a secret: a block of text, a value on a line of its
/// own, or one that should have been further to the right.
fn is_below_a_secret(text: &str, line: &Range<usize>) -> bool {
    let own = &text[line.clone()];
    if own.trim().is_empty() {
        return false;
    }
    let mut least = indent(own);
    let mut continues = key(own).is_none();
    for above in text[..line.start].lines().rev().filter(|above| !above.trim().is_empty()) {
        let nearer = indent(above) < least;
        least = least.min(indent(above));
        match key(above) {
            Some(name) if (nearer || continues) && is_secret(name) => return true,
            // What follows a key further left belongs to that one.
            Some(_) => continues = false,
            None => {}
        }
        if least == 0 && !continues {
            return false;
        }
    }
    false
}

/// Where in the line values stand that are secret for their names; `within_auth`, all but those known to be none.
fn values(line: &str, within_auth: bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (Some(named), Some(credentials)) = (NAMED.as_ref(), CREDENTIALS.as_ref()) else {
        return std::iter::once(0..line.len()).collect();
    };
    let (mut at, mut quoted) = (0, 0);
    while let Some(next) = named.captures_at(line, at) {
        at = next.get(0).map_or(line.len(), |whole| whole.end());
        if let (Some(parameter), Some(argument)) = (next.name("parameter"), next.name("argument")) {
            if is_secret(parameter.as_str()) {
                found.push(argument.range());
            }
            continue;
        }
        let name = next.name("name").map_or("", |name| name.as_str());
        // In a text there are no keys, though some of it may look like a header.
        let within_auth = within_auth && at > quoted;
        let secret = !OPEN.contains(&name) && (NESTED.contains(&name) || is_secret(name) || within_auth);
        let value = value(line, at);
        let written = &line[value.clone()];
        if value.is_empty() || written.starts_with("//") {
            continue;
        }
        let masked = secret && !is_reference(name, written);
        if written.starts_with(['"', '\'']) {
            quoted = value.end;
        }
        if masked {
            at = value.end;
            found.push(value);
        }
    }
    for credentials in credentials.captures_iter(line) {
        let user = credentials.name("user").or_else(|| credentials.name("bare"));
        found.extend(
            user.map(|user| user.range())
                .filter(|user| !found.iter().any(|known| known.start < user.end && user.start < known.end)),
        );
    }
    found
}

/// The value that begins here: to its quote, to the end of its brackets, to the next key in the brackets around it, or to
/// the end of the line.
fn value(line: &str, from: usize) -> Range<usize> {
    let bytes = line.as_bytes();
    let end = line.trim_end().len();
    match bytes.get(from) {
        Some(quote @ (b'"' | b'\'')) => {
            let mut at = from + 1;
            while at < end && bytes[at] != *quote {
                at += if bytes[at] == b'\\' && *quote == b'"' { 2 } else { 1 };
            }
            from..(at + 1).min(end)
        }
        Some(_) => {
            let open = |byte: &u8| i32::from(b"{[".contains(byte)) - i32::from(b"}]".contains(byte));
            let around: i32 = bytes[..from].iter().map(open).sum();
            let mut depth = 0;
            for at in from..end {
                depth += open(&bytes[at]);
                let closes = around > 0 && depth < 0;
                let next = around > 0 && depth == 0 && bytes[at] == b',' && begins_with_a_key(&line[at + 1..]);
                if closes || next {
                    return from..at;
                }
            }
            from..end
        }
        None => from..from,
    }
}

fn begins_with_a_key(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches(['"', '\'']);
    let name = text.trim_start_matches(|letter: char| letter.is_alphanumeric() || "_.-".contains(letter));
    name.len() < text.len() && name.trim_start_matches(['"', '\'']).trim_start().starts_with(':')
}

fn is_secret(name: &str) -> bool {
    !ABOVE.contains(&name) && (is_secret_name(name) || ["dsn", "identity", "private"].contains(&name))
}

/// A substitution, a JSONPath, a file, or the beginning of something longer: none of them is the secret itself.
fn is_reference(name: &str, written: &str) -> bool {
    let value = written.trim_matches(['"', '\'', ' ', '\r']);
    // The scheme of credentials (`Bearer ${env:TOKEN}`) may be shown.
    let credentials = value.rsplit_once(' ').filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphabetic()));
    let credentials = credentials.map_or(value, |(_, credentials)| credentials);
    let substituted = credentials.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let block = written.strip_prefix(['|', '>']);
    let judged = ["{exists:", "{matches:", "{length:", "{type:", "{cookie:", "{header:", "{jsonpath:"];
    substituted.is_some_and(|inner| !inner.contains('}') && !inner.contains(":-"))
        || block.is_some_and(|rest| rest.chars().all(|letter| letter.is_ascii_digit() || "+- ".contains(letter)))
        || ["$.", "$["].iter().any(|start| written.trim_start_matches(['"', '\'']).starts_with(start))
        || judged.iter().any(|start| written.starts_with(start))
        || (["key", "identity"].contains(&name) && (value.contains('/') || value.ends_with(".pem") || value.ends_with(".key")))
        // A mapping of its own: what is in it is looked at.
        || (NESTED.contains(&name) && written.starts_with('{'))
        || ["{}", "[]"].contains(&value)
        || is_template(value)
}

/// Whether it is just the value of a key: `{token}`.
fn is_template(value: &str) -> bool {
    let field = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    field
        .is_some_and(|field| !field.is_empty() && field.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

fn key(line: &str) -> Option<&str> {
    Some(KEY.as_ref()?.captures(line)?.name("name")?.as_str())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn stars(text: &str) -> String {
    "*".repeat(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, path: &str) -> String {
        let start = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
        line(text, start..text.trim_end().len(), path, &[]).0
    }

    #[test]
    fn literal_secrets_are_masked_by_the_name_of_their_key() {
        for (written, shown) in [
            ("password: hunter22", "password: ********"),
            ("  X-Api-Key: \"ab cd\"", "  X-Api-Key: *******"),
            ("headers: {Authorization: Bearer x, a: 1}", "headers: {Authorization: ********, a: 1}"),
            ("dsn: https://k@s.example/1", "dsn: *********************"),
            ("password: a ${env:X} b", "password: ************"),
            ("password: '|hunter22'", "password: ***********"),
            ("password: [hunter22, 1]", "password: *************"),
            ("{user: a, \"password\":\"hunter22\", b: c}", "{user: a, \"password\":**********, b: c}"),
            ("{password: hunter22,b}", "{password: **********}"),
            ("headers: 'X-Token:hunter22'", "headers: 'X-Token:*********"),
            ("url: https://a.example/?token=hunter22&b=c", "url: https://a.example/?token=********&b=c"),
            ("private: hunter22", "private: ********"),
        ] {
            assert_eq!(masked(written, ""), shown);
        }
    }

    #[test]
    fn credentials_in_a_url_are_masked_to_its_host() {
        for (written, shown) in [
            ("url: https://me:pass@h.example/", "url: https://*******@h.example/"),
            ("url: http://me:p@ss/w@h:0/", "url: http://*********@h:0/"),
            ("proxy: 'me:hunter22@h:3128'", "proxy: '***********@h:3128'"),
            ("url: https://a.example/@me", "url: https://a.example/@me"),
        ] {
            assert_eq!(masked(written, ""), shown);
        }
    }

    #[test]
    fn what_only_refers_to_a_secret_is_shown() {
        for written in [
            "password: '${env:PASSWORD}'",
            "authorization: Bearer ${file:/run/secrets/token}",
            "token: $.access_token",
            "token: {exists: true}",
            "tls: {key: /etc/tls/client.key}",
            "password: |-",
            "every: 60",
            "set_keys: {id: $.id}",
            "auth: {basic: {username: \"a:b\", password: \"{password}\"}}",
            "client_auth: neither",
        ] {
            assert_eq!(masked(written, ""), written);
        }
    }

    #[test]
    fn within_auth_what_is_not_known_to_be_open_is_masked() {
        let path = "groups[0].probes[0].auth";
        assert_eq!(masked("auth: {baerer: hunter22}", path), "auth: {baerer: ********}");
        assert_eq!(masked("auth: hunter22", path), "auth: ********");
        assert_eq!(masked("basic: [me, hunter22]", path), "basic: **************");
        let written = "auth: {basic: {username: me, pasword: hunter22}}";
        assert_eq!(masked(written, path), "auth: {basic: {username: me, pasword: ********}}");
    }

    #[test]
    fn what_follows_a_secret_s_key_belongs_to_it() {
        for (written, shown) in [
            ("a:\n  password: |\n    hunter22", "    ********"),
            ("a:\n  key: |\n    one\n  MIIEvQ==", "  ********"),
            ("a:\n  token:\n    b: hunter22", "    ***********"),
            ("a:\n  token: >-\n\n  hunter22", "  ********"),
            ("a:\n  token: x\n  b: shown", "  b: shown"),
            ("a:\n  set_keys:\n    b: $.shown", "    b: $.shown"),
            ("password: x\na:\n  - b: shown", "  - b: shown"),
        ] {
            assert_eq!(masked(written, ""), shown, "{written}");
        }
    }

    #[test]
    fn known_secrets_are_masked_wherever_they_stand() {
        assert_eq!(line("title: hunter22!", 0..16, "", &[Secret::new("hunter22")]).0, "title: ********!");
    }
}
