//! `sentrynet run`: the daemon.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{CommandError, Exit, Process, YAML, configuration, load};
use crate::{
    app::App,
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
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(LogSink { all: config.sentry.is_none() })];
    let sinks = Sinks::new(process.redactor, sinks);
    let app = App::new(config.checks, config.tracing, sinks, options.grace)
        .map_err(|error| CommandError::Other(error.to_string()))?;
    tracing::info!(checks, config = %path.display(), "running");
    let delivered = app.run(process.stop).await;
    tracing::info!(delivered, "stopped");
    Ok(Exit::Well)
}
