//! `sentrynet status`: how a running daemon is.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use http::{Method, StatusCode};

use super::{
    CommandError, Exit, Process, state,
    terminal::{Paint, Terminal},
};
use crate::control::{self, DeliveryStatus, Status};

/// What `status` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where the daemon keeps its state; else SENTRYNET_STATE_DIR, $XDG_STATE_HOME/sentrynet, ./sentrynet-state.
    #[arg(long, value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

/// Asks the daemon, and prints what it says.
pub(super) async fn run(options: Options, process: Process) -> Result<Exit, CommandError> {
    let state = state::directory(options.state_dir, &process.environment);
    let other = |error: &dyn std::fmt::Display| CommandError::Other(error.to_string());
    let (code, body) = control::ask(&state, Method::GET, "/status").await.map_err(|error| other(&error))?;
    if code != StatusCode::OK {
        return Err(other(&format!("the daemon answers {code}: {body}")));
    }
    let status: Status = serde_json::from_str(&body)
        .map_err(|error| other(&format!("the daemon is of another version: its status cannot be read: {error}")))?;
    if options.json {
        process.terminal.print(&format!("{body}\n"));
    } else {
        process.terminal.print(&told(&process.terminal, &status));
    }
    Ok(if status.healthy { Exit::Well } else { Exit::NotAllWell })
}

/// The status for a person.
fn told(terminal: &Terminal, status: &Status) -> String {
    let health = match (status.healthy, status.ready) {
        (true, true) => terminal.paint(Paint::Good, "running"),
        (true, false) => terminal.paint(Paint::Doubtful, "stopping"),
        (false, _) => terminal.paint(Paint::Bad, "the scheduler does not tick"),
    };
    let Status { version, pid, config, checks, runs, .. } = status;
    let mut text = format!("sentrynet {version}, process {pid}: {health} for {}\n", span(status.uptime_seconds));
    let mut row = |name: &str, value: String| {
        text.push_str(&format!("  {} {value}\n", terminal.paint(Paint::Faint, &format!("{name:<9}"))));
    };
    row("config", config.clone());
    row("checks", checks.to_string());
    row("runs", format!("{} up, {} down, {} inconclusive", runs.up, runs.down, runs.inconclusive));
    match &status.delivery {
        None => row("sentry", "nothing is sent".to_owned()),
        Some(delivery) => {
            row("sentry", sending(terminal, delivery));
            row("waiting", waiting(delivery));
            for lost in &delivery.lost {
                let lost = format!("{} {} envelopes: {}", lost.count, lost.category, lost.reason);
                row("lost", terminal.paint(Paint::Bad, &lost));
            }
            for held in &delivery.held {
                row("held back", format!("{} for {:.0} s, as Sentry asked", held.category, held.seconds));
            }
            if let Some(trouble) = &delivery.disk_trouble {
                row("disk", terminal.paint(Paint::Bad, trouble));
            }
        }
    }
    text
}

fn sending(terminal: &Terminal, delivery: &DeliveryStatus) -> String {
    let last = match delivery.last_success_seconds {
        Some(seconds) => format!("{} envelopes delivered, the last {seconds:.0} s ago", delivery.delivered),
        None => "nothing delivered yet".to_owned(),
    };
    match &delivery.trouble {
        Some(trouble) => format!("{}; {last}", terminal.paint(Paint::Bad, trouble)),
        None => last,
    }
}

fn waiting(delivery: &DeliveryStatus) -> String {
    let count = delivery.waiting_urgent + delivery.waiting_routine;
    if count == 0 {
        return "nothing".to_owned();
    }
    let oldest = delivery.oldest_seconds.map_or_else(String::new, |seconds| format!(", the oldest {seconds:.0} s old"));
    let bytes = delivery.disk_bytes + u64::try_from(delivery.memory_bytes).unwrap_or(0);
    format!("{count} envelopes ({} urgent), {:.1} MB{oldest}", delivery.waiting_urgent, megabytes(bytes))
}

/// Good enough for people.
fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0
}

/// Seconds as people say them.
fn span(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_are_told_in_two_units() {
        assert_eq!([5, 65, 3_700, 90_000].map(span), ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]);
    }
}
