//! `sentrynet run`: the daemon.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueHint};

use super::{CommandError, Exit, Process, YAML, configuration, load, state};
use crate::{
    app::{App, ToSentry},
    report::{Sink, Sinks, log::LogSink},
};

/// What `run` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration; without it `config.yaml`, then `/etc/sentrynet/config.yaml`.
    #[arg(value_hint = YAML)]
    config: Option<PathBuf>,
    /// Sends nothing to Sentry: results go to the log only.
    #[arg(long)]
    no_sentry: bool,
    /// Where results wait for Sentry; else SENTRYNET_STATE_DIR, $XDG_STATE_HOME/sentrynet, ./sentrynet-state.
    #[arg(long, value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
    /// How long runs in flight may go on when the daemon is stopped, as `10s` or `500ms`.
    #[arg(long, default_value = "10s", value_parser = probe_keys::parse_duration)]
    grace: Duration,
}

/// Runs until stopped.
pub(super) async fn run(options: Options, mut process: Process) -> Result<Exit, CommandError> {
    let path = configuration(options.config)?;
    if options.no_sentry {
        process.environment = process.environment.without_sentry();
    }
    let config = load(&path, &process)?;
    let checks = config.checks.len();
    let state = state::directory(options.state_dir, &process.environment);
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(LogSink { all: config.sentry.is_none() })];
    let to_sentry = match config.sentry {
        Some(settings) => Some(ToSentry::open(settings, &state, &process.redactor, &process.log)?),
        None => None,
    };
    sinks.extend(to_sentry.iter().map(|to| -> Box<dyn Sink> { to.sink() }));
    let app = App::new(config.checks, config.tracing, Sinks::new(process.redactor, sinks), options.grace)?;
    tracing::info!(checks, config = %path.display(), "running");
    let delivered = app.run(process.stop).await;
    let waiting = to_sentry.as_ref().map_or(0, ToSentry::waiting);
    tracing::info!(delivered, waiting, "stopped");
    Ok(Exit::Well)
}
