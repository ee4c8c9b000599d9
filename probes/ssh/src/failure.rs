//! What went wrong in a session, by its class and in words for a person.

use std::io::{self, ErrorKind};

use probe_core::{Failure, FailureClass, own_fault};

use crate::{route::Hop, talk::Talk, wire::Noted};

/// What ssh says when it does not take a server's key.
const REFUSED_KEY: [&str; 2] = ["Host key verification failed.", "host key is revoked"];

/// What it says of a private key that it cannot use: the prober's own fault, which the server would be blamed for.
const UNUSABLE: [&str; 3] = ["Load key \"", "UNPROTECTED PRIVATE KEY FILE", "bad permissions"];

/// An ssh program could not be started, or not be talked to.
pub(crate) fn unstarted(error: &io::Error) -> Failure {
    let message = match (own_fault(error), error.kind()) {
        (_, ErrorKind::NotFound) => {
            "there is no ssh program on the PATH of this prober: install openssh-client".to_owned()
        }
        (Some(fault), _) if error.kind() != ErrorKind::PermissionDenied => fault.to_owned(),
        _ => format!("ssh could not be started: {error}"),
    };
    Failure::new(FailureClass::Internal, message)
}

/// The ssh program ended before it said a word to the server.
pub(crate) fn speechless(talk: &Talk) -> Failure {
    let said = talk.said.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
    let message = match said.as_str() {
        "" => "ssh ended at once, without a word".to_owned(),
        said if said.contains("No user exists for uid") => {
            format!("ssh does not run for a user without an entry in /etc/passwd: {said}")
        }
        said => format!("ssh did not start: {said}"),
    };
    Failure::new(FailureClass::Internal, message)
}

/// The ssh program ended before it was logged in, and this is why.
pub(crate) fn not_logged_in(talk: &Talk, noted: &Noted, hop: &Hop) -> Failure {
    if let Some(refused) = &noted.refused {
        return refused.clone();
    }
    if let (Some(key), true) = (&noted.host_key, REFUSED_KEY.iter().any(|text| talk.line(text).is_some())) {
        return hop.keys.explain(key);
    }
    let denied = talk.line("Permission denied").or_else(|| talk.line("Too many authentication failures"));
    match (denied, UNUSABLE.iter().find_map(|text| talk.line(text))) {
        (Some(_), Some(unusable)) => {
            Failure::new(FailureClass::Internal, format!("the private key cannot be used: {unusable}"))
        }
        (Some(denied), None) => auth(denied, talk, hop),
        (None, _) => broken_off(noted, hop, talk.last()),
    }
}

/// The server does not let us in.
fn auth(denied: &str, talk: &Talk, hop: &Hop) -> Failure {
    let user = hop.username.as_deref().map_or_else(String::new, |user| format!(" as {user}"));
    let methods = talk.methods.join(", ");
    let hint = match methods.contains("publickey") {
        true => "",
        false => ", and none of them is a key",
    };
    let message = format!("{} does not let us log in{user}: {denied}; it offers: {methods}{hint}", hop.place());
    Failure::new(FailureClass::Auth, message).expected("a login", format!("refused; offered: {methods}"))
}

/// The connection ended before it should have: what was seen of it says in which words.
pub(crate) fn broken_off(noted: &Noted, hop: &Hop, detail: Option<&str>) -> Failure {
    if let Some(refused) = &noted.refused {
        return refused.clone();
    }
    let place = hop.place();
    let how = match noted.closed {
        Some(Some(ErrorKind::ConnectionReset)) => "reset the connection",
        Some(_) => "closed the connection",
        None => "could not be talked to",
    };
    let message = match (&noted.identified, noted.encrypted) {
        (None, _) => match noted.lines.join(" | ") {
            said if said.is_empty() => format!("{place} {how} before it said what it is: no SSH banner came"),
            said if said.starts_with("HTTP/") || said.starts_with('<') => {
                format!("{place} does not speak SSH: it answered {said:?}")
            }
            said => format!("{place} {how} and said {said:?} in place of an SSH banner"),
        },
        (Some((version, _)), None) => format!("{place} ({version}) {how} during the key exchange"),
        (Some((version, _)), Some(_)) => format!("{place} ({version}) {how} during the login"),
    };
    let detail = detail.filter(|_| noted.identified.is_some()).map(|detail| format!(": {detail}"));
    Failure::new(FailureClass::Protocol, message + &detail.unwrap_or_default())
}
