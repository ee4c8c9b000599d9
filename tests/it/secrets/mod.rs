//! Nothing secret leaves: a canary in every place where a secret may stand, every byte that comes out searched for it.

mod daemon;
mod http;
mod others;

use std::{path::Path, process::Stdio, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{process::Command, time};

use crate::support::sentry::{Sentry, Server};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Long enough to be nowhere by chance, with characters that change when they are encoded.
const CANARY: &str = "kanarienvogel/7+singt=laut&hell";

/// Forms in which a secret could come out.
fn forms(secret: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let base64 = STANDARD.encode(secret);
    let basic = STANDARD.encode(format!("user:{secret}"));
    let json = serde_json::to_string(secret).expect("a text");
    [secret.to_owned(), encoded.clone(), encoded.to_lowercase(), base64, basic, json.trim_matches('"').to_owned()]
        .into()
}

/// The program in this directory, with the canary in its environment.
fn program(directory: &Path, server: &Server, arguments: &[&str], level: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentrynet"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs([("CANARY", CANARY), ("SENTRY_DSN", &server.dsn_text()), ("RUST_LOG", level)])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// All that a program says until it ends, and what it was.
async fn said(mut command: Command) -> (String, String) {
    let output = time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
    all += &String::from_utf8_lossy(&output.stderr);
    assert!(!all.is_empty());
    (format!("{:?}", command.as_std()), all)
}

/// All that Sentry received.
fn received(sentry: &Sentry) -> (String, String) {
    let taken = sentry.taken();
    let sent = taken.iter().flat_map(|envelope| {
        let items = envelope.items.iter().map(|item| String::from_utf8_lossy(&item.payload).into_owned());
        items.chain([envelope.header.to_string()])
    });
    ("what Sentry received".to_owned(), sent.collect())
}

/// None of these secrets is in any of these texts, in any form.
fn assert_silent(outputs: &[(String, String)], secrets: &[&str]) {
    for (what, all) in outputs {
        for form in secrets.iter().flat_map(|secret| forms(secret)) {
            let found = all.find(&form).map(|at| {
                let begin = (0..=at.saturating_sub(160)).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
                all[begin..at].to_owned()
            });
            assert_eq!(found, None, "{form} comes out of {what}");
        }
    }
}
