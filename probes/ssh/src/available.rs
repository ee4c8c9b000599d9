//! Whether the service is there, without credentials: the library does in this process what a client does before a login.

use std::{borrow::Cow, sync::Arc};

use probe_core::{Failure, FailureClass, Span};
use russh::{
    Disconnect, Preferred, SshId,
    client::{self, AuthResult},
    keys::{Algorithm, PublicKeyOrCertificate},
};
use tokio::time::Instant;

use crate::{
    failure::broken_off,
    login::Reached,
    phases::Phases,
    program::Journey,
    route::Hop,
    wire::{Guard, Wire},
};

/// Who asks for the ways to log in, without ever logging in. Every Unix has it, so that no server's log speaks of an
/// unknown user, which is what blocks addresses.
const ASKING_AS: &str = "root";

/// What a server's log says of us.
const OWN_NAME: &str = concat!("SSH-2.0-SentryNet_", env!("CARGO_PKG_VERSION"));

/// Looks at nothing: what it would be shown has passed the guard on the wire.
struct Passed;

impl client::Handler for Passed {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Connects, exchanges keys, looks at the host's, and asks how one could log in.
pub(crate) async fn ask(journey: &Journey<'_>, hops: &[Hop], parent: &Span, start: Instant) -> Result<(), Failure> {
    let Some(hop) = hops.last() else {
        return Err(Failure::new(FailureClass::Internal, "there is no host to ask"));
    };
    let Reached { stream, through, at } = journey.reach(hops, parent, start).await?;
    let (engine, carried) = tokio::io::duplex(64 << 10);
    let wire = Wire::carry(stream, carried, Vec::new(), Guard::Here(hop.keys.clone()));
    let mut phases = Phases::begin(parent, at, wire.marks());
    let answer = methods(engine, hop).await;
    let at = Instant::now();
    match answer {
        Ok(methods) => {
            phases.offered(methods);
            phases.done(at);
            wire.ended().await;
            Ok(())
        }
        Err(error) => {
            let refused = through.as_ref().and_then(|through| through.refusal(hop));
            let failure = refused.unwrap_or_else(|| failed(&error, &wire, hop));
            phases.fail(failure.class, at);
            Err(failure)
        }
    }
}

/// The ways to log in that the server names; `none` when it lets anybody in.
async fn methods(engine: tokio::io::DuplexStream, hop: &Hop) -> Result<Vec<String>, russh::Error> {
    let config = client::Config {
        client_id: SshId::Standard(Cow::Borrowed(OWN_NAME)),
        preferred: Preferred { key: preferred(&hop.keys.known_kinds()), ..Preferred::DEFAULT },
        ..client::Config::default()
    };
    let mut session = client::connect_stream(Arc::new(config), engine, Passed).await?;
    let methods = match session.authenticate_none(ASKING_AS).await? {
        AuthResult::Success => vec!["none".to_owned()],
        AuthResult::Failure { remaining_methods, .. } => {
            remaining_methods.iter().map(|method| <&str>::from(method).to_owned()).collect()
        }
    };
    // A farewell: servers log a broken connection and a finished one differently.
    let _ = session.disconnect(Disconnect::ByApplication, "", "").await;
    Ok(methods)
}

/// Kinds of key in the order in which they are asked for: those that are known of the host come first.
fn preferred(known: &[Algorithm]) -> Cow<'static, [Algorithm]> {
    let is_known = |kind: &Algorithm| match kind {
        Algorithm::Rsa { .. } => known.iter().any(|known| matches!(known, Algorithm::Rsa { .. })),
        other => known.contains(other),
    };
    if known.is_empty() {
        return Preferred::DEFAULT.key;
    }
    let (mut first, rest): (Vec<_>, Vec<_>) = Preferred::DEFAULT.key.iter().cloned().partition(is_known);
    first.extend(rest);
    Cow::Owned(first)
}

fn failed(error: &russh::Error, wire: &Wire, hop: &Hop) -> Failure {
    let marks = wire.marks();
    let noted = marks.noted();
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let what = format!("{kind:?}").to_lowercase();
            let message = format!("no {what} algorithm in common with {}: it has {}", hop.place(), theirs.join(", "));
            Failure::new(FailureClass::Protocol, message)
        }
        russh::Error::WrongServerSig => {
            let message = format!("{} does not have the host key that it shows: its signature is wrong", hop.place());
            Failure::new(FailureClass::HostKey, message)
        }
        // The end of the connection has no words of its own.
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) | russh::Error::SendError => {
            broken_off(&noted, hop, None)
        }
        other => broken_off(&noted, hop, Some(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_kind_of_key_is_asked_for_first() {
        let order = preferred(&[Algorithm::Rsa { hash: None }]);
        assert!(order[..3].iter().all(|kind| matches!(kind, Algorithm::Rsa { .. })), "{order:?}");
        assert_eq!(order.len(), Preferred::DEFAULT.key.len());
        assert_eq!(preferred(&[])[0], Algorithm::Ed25519);
    }
}
