//! What the ssh program says of a session (`-v`, on standard error), as it says it.

use std::collections::VecDeque;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
};

/// So many of its own words are kept, in lines.
const KEPT: usize = 20;

/// What it said so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Talk {
    /// The ways to log in that the server named last.
    pub(crate) methods: Vec<String>,
    /// How the login went, once it says that it did.
    pub(crate) authenticated: Option<String>,
    /// Whether its control socket is there.
    pub(crate) ready: bool,
    /// Its last lines that are for people.
    pub(crate) said: VecDeque<String>,
    /// Whether it has said its last.
    pub(crate) over: bool,
}

// === impl Talk ===

impl Talk {
    /// Listens until the end.
    pub(crate) async fn listen(from: impl AsyncRead + Unpin, to: watch::Sender<Self>) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            to.send_if_modified(|talk| talk.hear(&text));
            line.clear();
        }
        to.send_modify(|talk| talk.over = true);
    }

    /// Takes in a line; whether it said anything.
    fn hear(&mut self, line: &str) -> bool {
        if let Some(detail) = line.strip_prefix("debug1: ") {
            return self.detail(detail);
        }
        if let Some(how) = line.strip_prefix("Authenticated to ") {
            let method = how.split("using \"").nth(1).and_then(|rest| rest.split('"').next());
            self.authenticated = Some(method.unwrap_or_default().to_owned());
            return true;
        }
        let idle = ["debug", "OpenSSH_", "@@@", "Warning: Permanently added", "Transferred: ", "Bytes per second"];
        if line.is_empty() || idle.iter().any(|idle| line.starts_with(idle)) {
            return false;
        }
        if self.said.len() == KEPT {
            self.said.pop_front();
        }
        self.said.push_back(line.to_owned());
        true
    }

    fn detail(&mut self, detail: &str) -> bool {
        if let Some(methods) = detail.strip_prefix("Authentications that can continue: ") {
            self.methods = methods.split(',').map(str::to_owned).collect();
        } else if detail == "Entering interactive session." {
            self.ready = true;
        } else {
            return false;
        }
        true
    }

    /// The last line that has this text in it.
    pub(crate) fn line(&self, text: &str) -> Option<&str> {
        self.said.iter().rev().map(String::as_str).find(|line| line.contains(text))
    }

    /// Its last line, without the names of functions and processes that it begins with.
    pub(crate) fn last(&self) -> Option<&str> {
        self.said.back().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_followed_by_its_lines() {
        let said = "OpenSSH_9.2p1 Debian, OpenSSL 3\r\n\
                    debug1: Authentications that can continue: publickey,password\r\n\
                    Authenticated to a.example (via proxy) using \"publickey\".\r\n\
                    debug1: Entering interactive session.\r\nsomething odd\r\n";
        let (to, talk) = watch::channel(Talk::default());
        Talk::listen(said.as_bytes(), to).await;
        let talk = talk.borrow();
        assert_eq!(talk.methods, ["publickey", "password"]);
        assert_eq!(talk.authenticated.as_deref(), Some("publickey"));
        assert!(talk.ready && talk.over);
        assert_eq!(talk.said, ["something odd"]);
    }
}
