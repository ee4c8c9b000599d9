//! A request as a cURL command line, for whoever wants to see the failure with their own eyes.
//!
//! Secrets stand in it as they are: they are masked where reports leave the program.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use http::{
    HeaderValue, Method,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE},
};
use probe_keys::{FileOrText, Placed, Text};
use url::Position;

use crate::{
    exchange::Seen,
    keys::{Family, TlsVersion, Version},
    request::Request,
    target::literal,
    tls::is_inline,
    wire::Wire,
};

/// A longer body does not go into a command line that people read, and far longer ones into none at all.
const LONGEST_BODY: usize = 16 << 10;

/// From this size on, some versions of cURL ask the target first whether it wants the body.
const ASKED_FIRST: usize = 1 << 10;

/// The words of a command line, and what has to be said of them.
#[derive(Debug, Default)]
struct Command {
    words: Vec<String>,
    notes: Vec<&'static str>,
}

/// The command line that asks the same over the same wire, within `limit`.
pub(crate) fn curl(request: &Request, wire: &Wire, seen: &Seen, limit: Option<Duration>) -> String {
    let mut command = Command::default();
    command.add(["curl"]);
    command.message(request, seen.brought.as_ref());
    command.version(request, wire);
    command.connection(request, wire, seen.peer);
    command.trust(wire);
    if seen.redirects > 0 {
        command.add(["-L", "--max-redirs", &wire.redirects.to_string()]);
        // A file of cookies that is not there: cURL begins with none, and keeps those that come.
        command.add(if seen.cookies { ["-b", ""].as_slice() } else { &[] }.iter().copied());
    }
    if let Some(limit) = limit.filter(|limit| !limit.is_zero()) {
        let milliseconds = limit.as_millis().div_ceil(10) * 10;
        command.add(["--max-time", &format!("{}", milliseconds as f64 / 1_000.0)]);
    }
    command.url(request, wire);
    command.finish()
}

// === impl Wire ===

impl Wire {
    /// A command line that asks the same within `limit`: for a run that was cut off. Secrets of the configuration stand in
    /// it as they are.
    pub fn curl(&self, request: &Request, limit: Duration) -> String {
        curl(request, self, &Seen::default(), Some(limit))
    }
}

// === impl Command ===

impl Command {
    fn add<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        self.words.extend(words.into_iter().map(|word| quoted(word).into_owned()));
    }

    /// Method, headers, body.
    fn message(&mut self, request: &Request, cookies: Option<&HeaderValue>) {
        let empty = request.body.is_empty();
        match &request.method {
            &Method::HEAD if empty => self.add(["-I"]),
            &Method::GET if empty => self.add(["-i"]),
            &Method::POST if !empty => self.add(["-i"]),
            other => self.add(["-i", "-X", other.as_str()]),
        }
        // The cookies of the run hold the request's own.
        let own = request.headers.iter().filter(|(name, _)| cookies.is_none() || *name != COOKIE);
        for (name, value) in own.chain(cookies.map(|value| (&COOKIE, value))) {
            // Letters beyond ASCII go as they came from the file, in UTF-8.
            match std::str::from_utf8(value.as_bytes()) {
                Ok("") => self.add(["-H", &format!("{name};")]),
                Ok(value) => self.add(["-H", &format!("{name}: {value}")]),
                Err(_) => {}
            }
        }
        if request.headers.contains_key(ACCEPT_ENCODING) {
            self.add(["--compressed"]);
        }
        if empty {
            return;
        }
        if !request.headers.contains_key(CONTENT_TYPE) {
            self.add(["-H", "content-type:"]);
        }
        if request.body.len() >= ASKED_FIRST {
            self.add(["-H", "expect:"]);
        }
        match std::str::from_utf8(&request.body) {
            Ok(body) if body.len() <= LONGEST_BODY && !body.contains('\0') => self.add(["--data-raw", body]),
            _ => {
                self.add(["--data-binary", "@body"]);
                self.notes.push(if request.body.len() > LONGEST_BODY {
                    "body: the request's body, which is too long for here"
                } else {
                    "body: the request's body, which no command line can hold"
                });
            }
        }
    }

    fn version(&mut self, request: &Request, wire: &Wire) {
        match wire.way.version {
            None => {}
            Some(Version::Http1) => self.add(["--http1.1"]),
            Some(Version::Http2) if request.url.scheme() == "http" => self.add(["--http2-prior-knowledge"]),
            Some(Version::Http2) => self.add(["--http2"]),
        }
    }

    /// Which address, through which proxy.
    fn connection(&mut self, request: &Request, wire: &Wire, peer: Option<IpAddr>) {
        match wire.way.family {
            Family::Any | Family::Both => {}
            Family::V4 => self.add(["-4"]),
            Family::V6 => self.add(["-6"]),
        }
        let (host, port) = (request.host(), request.port());
        if let Some(via) = &wire.way.proxy {
            self.add(["--proxy", via.url.0.as_str().trim_end_matches('/')]);
            return;
        }
        let address = peer.or_else(|| wire.resolve.iter().copied().find(|address| wire.way.family.holds(*address)));
        if let Some(address) = address.filter(|_| literal(host).is_none()) {
            self.add(["--resolve", &format!("{host}:{port}:{address}")]);
        }
        if let Some(name) = &wire.server_name {
            let host = &request.url[Position::BeforeHost..Position::AfterPort];
            self.add(["-H", &format!("host: {host}")]);
            self.add(["--connect-to", &format!("{}:{port}:{}:{port}", name.as_ref(), request.host())]);
        }
    }

    fn trust(&mut self, wire: &Wire) {
        let Some(tls) = &wire.tls else { return };
        let proxied = wire.way.proxy.as_ref().is_some_and(|via| via.is_secure());
        if tls.verify == Some(false) {
            self.add(["-k"]);
            self.add(proxied.then_some("--proxy-insecure"));
        }
        self.file("--cacert", tls.ca.as_ref(), "ca.pem", "ca.pem: the authorities of `tls.ca`");
        if proxied {
            self.file("--proxy-cacert", tls.ca.as_ref(), "ca.pem", "ca.pem: the authorities of `tls.ca`");
        }
        self.file("--cert", tls.cert.as_ref(), "client.pem", "client.pem: the certificate of `tls.cert`");
        self.file("--key", tls.key.as_ref(), "client.key", "client.key: the private key of `tls.key`");
        if tls.min_version == Some(TlsVersion::V13) {
            self.add(["--tlsv1.3"]);
        }
    }

    /// A file that was named, or a name for what stands in the configuration itself.
    fn file(&mut self, option: &str, written: Option<&Placed<FileOrText>>, name: &str, note: &'static str) {
        let Some(Text { text, .. }) = written.map(|written| &written.value.0) else { return };
        if is_inline(text) {
            self.add([option, name]);
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        } else {
            self.add([option, text]);
        }
    }

    fn url(&mut self, request: &Request, wire: &Wire) {
        let mut url = request.url.clone();
        if let Some(name) = &wire.server_name {
            // It cannot fail: the name was checked, and the URL has a host.
            let _ = url.set_host(Some(name.as_ref()));
        }
        if url.as_str().contains(['[', ']', '{', '}']) {
            self.add(["-g"]);
        }
        self.add([url.as_str()]);
    }

    fn finish(self) -> String {
        let mut line = self.words.join(" ");
        if !self.notes.is_empty() {
            line.push_str("  # ");
            line.push_str(&self.notes.join("; "));
        }
        line
    }
}

/// A word as a shell takes it (POSIX, 2.2).
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_program_as_it_is() {
        for (word, want) in [
            ("https://h/a?b=c", "'https://h/a?b=c'"),
            ("-H", "-H"),
            ("", "''"),
            ("it's $HOME `x`", r"'it'\''s $HOME `x`'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(quoted(word), want);
        }
    }
}
