//! The ssh probe: what was written becomes a mode, a run becomes phases and a verdict.

use std::{fmt::Write as _, sync::Arc};

use probe_core::{BoxFuture, Context, Failure, Probe};
use probe_keys::{Findings, Spot};
use tokio::time::Instant;

use crate::{
    Scratch, available, command,
    identity::Identity,
    keys::{Propagate, SshKeys},
    output::Expected,
    program::Journey,
    route::Route,
};

/// The spans of a run with a command: the look-up of the name, and each step up to the command's end.
const SPANS: usize = 9;

/// A host's ssh service, and how far into it to go.
#[derive(Debug)]
pub struct SshProbe {
    target: String,
    reproduce: String,
    route: Route,
    mode: Mode,
    scratch: Arc<Scratch>,
}

#[derive(Debug)]
enum Mode {
    /// Is the service there?
    Available,
    /// Can one log in?
    Login,
    /// Does the command answer?
    Command(Box<Question>),
}

/// A command and the answer that is expected.
#[derive(Debug)]
struct Question {
    line: String,
    propagate: Propagate,
    expected: Expected,
}

// === impl SshProbe ===

impl SshProbe {
    /// Compiles what was written; `None` when a mistake was noted.
    pub fn new(keys: SshKeys, scratch: &Arc<Scratch>, findings: &Findings) -> Option<Self> {
        // All are prepared before the first bad one ends it: all mistakes at once.
        let (mode, route) = (Mode::new(&keys, findings), Route::new(&keys, findings));
        let (mode, route) = (mode?, route?);
        let target = target(&keys, &route);
        Some(Self { target, reproduce: reproduce(&keys, &route), route, mode, scratch: scratch.clone() })
    }

    /// What is asked, in words: `ssh user@host:port`, and the command.
    pub fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&self, context: &Context) -> Result<(), Failure> {
        let start = Instant::now();
        let variables = self.mode.variables(context);
        let environment = variables.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        let Route { hops, access } = &self.route;
        let journey = Journey { access, scratch: &self.scratch, environment: &environment, deadline: context.deadline };
        match (&self.mode, hops.last()) {
            (Mode::Command(question), Some(hop)) => {
                let login = journey.login(hops, &context.root, start).await?;
                let line = prefixed(&question.line, question.propagate, &variables);
                command::run(&line, &question.expected, &login, hop, context).await
            }
            (Mode::Login, _) => journey.login(hops, &context.root, start).await.map(drop),
            (Mode::Available | Mode::Command(_), _) => available::ask(&journey, hops, &context.root, start).await,
        }
    }
}

impl Probe for SshProbe {
    fn kind(&self) -> &'static str {
        "ssh"
    }

    fn op(&self) -> &'static str {
        "probes.ssh"
    }

    fn spans(&self) -> usize {
        SPANS
    }

    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { self.ask(context).await.map_err(|failure| failure.reproduce(&self.reproduce)) })
    }
}

// === impl Mode ===

impl Mode {
    fn new(keys: &SshKeys, findings: &Findings) -> Option<Self> {
        let expected = Expected::new(keys, findings);
        let mut sound = true;
        let mut needs = |spots: &[(&str, Option<&Spot>)], needed: &str, hint: &str| {
            for (key, spot) in spots {
                if let Some(spot) = spot {
                    findings.wrong_with(spot, format!("`{key}` needs a `{needed}`"), hint);
                    sound = false;
                }
            }
        };
        if keys.username.is_none() {
            let identity = keys.identity.as_ref().map(|identity| &identity.spot).filter(|_| keys.jump.is_none());
            let command = keys.command.as_ref().map(|command| &command.spot);
            needs(
                &[("identity", identity), ("command", command)],
                "username",
                "without one only the service is checked, and nobody logs in",
            );
        }
        let Some(command) = &keys.command else {
            let of_command = [
                ("expected", keys.expected.as_ref().map(|key| &key.spot)),
                ("output", keys.output.as_ref().map(|key| &key.spot)),
                ("json", keys.json.as_ref().map(|key| &key.spot)),
                ("set_keys", keys.set_keys.as_ref().map(|key| &key.spot)),
                ("assertions", keys.assertions.as_ref().map(|key| &key.spot)),
                ("propagate", keys.propagate.as_ref().map(|key| &key.spot)),
            ];
            needs(&of_command, "command", "without one nothing is run that could answer");
            let mode = if keys.username.is_some() { Self::Login } else { Self::Available };
            return sound.then_some(mode);
        };
        let line = command.value.text.clone();
        if line.trim().is_empty() || line.contains('\0') {
            findings.wrong(&command.spot, "this is no command");
            sound = false;
        }
        let propagate = keys.propagate.as_ref().map_or(Propagate::default(), |propagate| propagate.value);
        let expected = expected?;
        sound.then(|| Self::Command(Box::new(Question { line, propagate, expected })))
    }

    /// The trace of the run as variables of the environment.
    fn variables(&self, context: &Context) -> Vec<(&'static str, String)> {
        let name = |header: &str| match header {
            "sentry-trace" => Some("SENTRY_TRACE"),
            "baggage" => Some("SENTRY_BAGGAGE"),
            "traceparent" => Some("TRACEPARENT"),
            _ => None,
        };
        let Self::Command(question) = self else { return Vec::new() };
        if question.propagate == Propagate::Off {
            return Vec::new();
        }
        let headers = context.propagation.headers(context.root.id()).into_iter();
        headers.filter_map(|(header, value)| Some((name(header)?, value))).collect()
    }
}

/// The command with the variables before it. It stays the login shell's to read: sshd says in SHELL which that is.
fn prefixed(line: &str, propagate: Propagate, variables: &[(&'static str, String)]) -> String {
    if propagate != Propagate::Prefix || variables.is_empty() {
        return line.to_owned();
    }
    let mut whole = "env".to_owned();
    for (name, value) in variables {
        // Writing to a String cannot fail.
        let _ = write!(whole, " {name}={}", in_quotes(value));
    }
    format!("{whole} \"$SHELL\" -c {}", in_quotes(line))
}

/// As one word of a shell's.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn target(keys: &SshKeys, route: &Route) -> String {
    let port = route.hops.last().map_or(22, |hop| hop.port);
    let host = &keys.host.value.0;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let user = keys.username.as_ref().map_or_else(String::new, |username| format!("{}@", username.value.0));
    let command = keys.command.as_ref().map_or("", |command| &command.value.text);
    let command: Vec<&str> = command.split_whitespace().collect();
    format!("ssh {user}{host}:{port} {}", command.join(" ")).trim_end().to_owned()
}

/// The command line that asks the same by hand.
fn reproduce(keys: &SshKeys, route: &Route) -> String {
    let mut line = "ssh".to_owned();
    // Writing to a String cannot fail.
    route.access.config.iter().for_each(|config| _ = write!(line, " -F {}", config.display()));
    keys.port.iter().for_each(|port| _ = write!(line, " -p {}", port.0));
    if let Some(Identity::File(path)) = &route.access.identity {
        let _ = write!(line, " -i {}", path.display());
    }
    if let Some(jumps) = &keys.jump {
        let jump = |jump: &crate::jump::Jump| {
            let user = jump.username.as_ref().map_or_else(String::new, |user| format!("{user}@"));
            let port = jump.port.map_or_else(String::new, |port| format!(":{port}"));
            format!("{user}{}{port}", jump.host)
        };
        let _ = write!(line, " -J {}", jumps.value.0.iter().map(jump).collect::<Vec<_>>().join(","));
    }
    if keys.username.is_none() {
        line.push_str(" -v -o PreferredAuthentications=none");
    }
    let user = keys.username.as_ref().map_or_else(String::new, |username| format!("{}@", username.value.0));
    let _ = write!(line, " {user}{}", keys.host.value.0);
    match &keys.command {
        Some(command) => line + " " + &in_quotes(&command.value.text),
        None if keys.username.is_some() => line + " true",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefixed_command_is_one_word_to_the_shell() {
        let variables = [("TRACEPARENT", "00-a-b-00".to_owned())];
        let line = prefixed("echo 'it''s' | wc -l", Propagate::Prefix, &variables);
        assert_eq!(line, r#"env TRACEPARENT='00-a-b-00' "$SHELL" -c 'echo '\''it'\'''\''s'\'' | wc -l'"#);
        assert_eq!(prefixed("x", Propagate::SetEnv, &variables), "x");
        assert_eq!(prefixed("x", Propagate::Prefix, &[]), "x");
    }
}
