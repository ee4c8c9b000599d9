//! `sentrynet spool`: what waits on disk for Sentry, while no daemon has it; and sending it.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, ValueHint};
use serde_json::Value;

use super::{CommandError, Exit, Process, YAML, configuration, load, state, terminal::Terminal};
use crate::report::sentry::{
    Delivery, Settings,
    delivery::DeliverySettings,
    spool::{Categories, Category, Lane, Record, Spool, Stats},
};

/// Records that are looked at together: each may be a megabyte.
const AT_ONCE: usize = 16;

/// What `spool` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration; without it `config.yaml`, then `/etc/sentrynet/config.yaml`.
    #[arg(value_hint = YAML)]
    config: Option<PathBuf>,
    /// Shows each envelope.
    #[arg(long, conflicts_with = "send")]
    list: bool,
    /// Sends all to Sentry.
    #[arg(long)]
    send: bool,
    /// How long sending may take.
    #[arg(long, default_value = "5m", value_parser = probe_keys::parse_duration)]
    timeout: Duration,
    /// Where results wait for Sentry; else SENTRYNET_STATE_DIR, $XDG_STATE_HOME/sentrynet, ./sentrynet-state.
    #[arg(long, value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
}

/// Tells what waits, and sends it if that is wanted.
pub(super) async fn run(options: Options, process: Process) -> Result<Exit, CommandError> {
    let state = state::directory(options.state_dir.clone(), &process.environment);
    // What waits can be told without a configuration; only where it is, and where it goes, may stand there.
    let settings = match configuration(options.config.clone()) {
        Ok(path) => load(&path, &process)?.sentry,
        Err(error) if options.send => return Err(error),
        Err(_) => None,
    };
    if options.send {
        let settings = settings.ok_or_else(|| other(&"there is no DSN to send to: give `sentry.dsn`"))?;
        return send(&settings, &state, options.timeout, &process.terminal).await;
    }
    let delivery = settings.map_or_else(DeliverySettings::default, |settings| settings.delivery);
    let directory = delivery.directory(&state);
    if !directory.is_dir() {
        process.terminal.print(&format!("nothing waits: there is no {}\n", directory.display()));
        return Ok(Exit::Well);
    }
    let spool = Spool::open(&directory, delivery.limits).map_err(|error| in_use(&error))?;
    let stats = spool.stats(SystemTime::now());
    if options.list {
        loop {
            let records = spool.take(AT_ONCE, Categories::NONE, SystemTime::now());
            if records.is_empty() {
                break;
            }
            records.iter().for_each(|record| process.terminal.print(&line(record)));
            // Merely dropped: they are all there again for whoever opens the spool next.
        }
    }
    process.terminal.print(&summary(&stats));
    Ok(Exit::Well)
}

async fn send(
    settings: &Settings,
    state: &std::path::Path,
    limit: Duration,
    terminal: &Terminal,
) -> Result<Exit, CommandError> {
    let delivery = Delivery::open(settings, state).map_err(|error| in_use(&error))?;
    let all = delivery.flush(limit).await;
    let stats = delivery.stats();
    let (counts, left) = (&stats.spool.counts, count(&stats.spool));
    let sent: u64 = Category::ALL.into_iter().map(|category| counts.delivered(category)).sum();
    delivery.close().await;
    terminal.print(&format!("{sent} envelopes sent, {left} left\n"));
    if let Some(trouble) = stats.trouble {
        terminal.print(&format!("{}\n", trouble.why));
    }
    Ok(if all { Exit::Well } else { Exit::NotAllWell })
}

fn other(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Other(error.to_string())
}

fn in_use(error: &dyn std::fmt::Display) -> CommandError {
    other(&format!("{error}; a running daemon tells of its own by `sentrynet status`"))
}

const fn count(stats: &Stats) -> u64 {
    stats.urgent.waiting + stats.urgent.taken + stats.routine.waiting + stats.routine.taken
}

fn summary(stats: &Stats) -> String {
    let all = count(stats);
    if all == 0 {
        return "nothing waits\n".to_owned();
    }
    let oldest = stats.oldest.map_or_else(String::new, |oldest| format!(", the oldest {} s old", oldest.as_secs()));
    let urgent = stats.urgent.waiting + stats.urgent.taken;
    format!("{all} envelopes wait ({urgent} urgent), {} bytes{oldest}\n", stats.disk_bytes)
}

/// One envelope: since when it waits, how urgent it is, of what category, its event id, its size and its name.
fn line(record: &Record) -> String {
    let at = DateTime::<Utc>::from(record.spooled_at()).to_rfc3339_opts(SecondsFormat::Millis, true);
    let lane = match record.lane() {
        Lane::Urgent => "urgent",
        Lane::Routine => "routine",
    };
    let id = record.event_id().map_or_else(|| "-".to_owned(), |id| id.simple().to_string());
    let (payload, category) = (record.payload(), record.category().name());
    format!("{at} {lane:<7} {category:<11} {id} {:>7} {}\n", payload.len(), name(&payload))
}

/// The transaction or monitor that an envelope's first item is about.
fn name(payload: &[u8]) -> String {
    let item = payload.splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or_default();
    // Another item may follow: the first value is all that is read.
    let item = serde_json::Deserializer::from_slice(item).into_iter::<Value>().next().and_then(Result::ok);
    let item = item.unwrap_or_default();
    ["transaction", "monitor_slug"].iter().find_map(|key| item[key].as_str()).unwrap_or("-").to_owned()
}
