//! `sentrynet run`: the daemon.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use clap::{Args, ValueHint};
use tokio::sync::mpsc;

use super::{CommandError, Exit, Process, YAML, configuration, load, reload::Reloader, state};
use crate::{
    app::{App, ToSentry},
    check::Check,
    control::{Control, Daemon},
    report::{Sink, Sinks, log::LogSink, metrics::MetricsSink},
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
    /// Reads the configuration again whenever the file, or one that it includes, has changed.
    #[arg(long)]
    watch: bool,
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
    let checks: Vec<Arc<Check>> = config.checks.into_iter().map(Arc::new).collect();
    let state = state::directory(options.state_dir, &process.environment);
    let runs = MetricsSink::default();
    let to_sentry = match &config.sentry {
        Some(settings) => Some(ToSentry::open(settings.clone(), &state, &process.redactor, &process.log)?),
        None => None,
    };
    let mut sinks: Vec<Box<dyn Sink>> =
        vec![Box::new(LogSink { all: config.sentry.is_none() }), Box::new(runs.clone())];
    sinks.extend(to_sentry.iter().map(|to| -> Box<dyn Sink> { to.sink() }));
    let sinks = Sinks::new(process.redactor.clone(), sinks);
    let app = App::new(checks.clone(), config.tracing, sinks, options.grace);

    let (reloads, wishes) = mpsc::channel(1);
    let daemon = Arc::new(Daemon {
        config: path.clone(),
        started_at: SystemTime::now(),
        checks: checks.len().into(),
        runs,
        pulse: app.pulse(),
        delivery: to_sentry.as_ref().map(ToSentry::delivery),
        stopping: false.into(),
        reloads,
    });
    let control = Control::listen(&state, config.listen).await?;
    tracing::info!(checks = checks.len(), config = %path.display(), "running");
    if let Some(address) = control.address() {
        tracing::info!(%address, "serving /metrics, /healthz, /readyz and /status");
    }
    let (changes, received) = mpsc::channel(1);
    let (stop, checks) = (process.stop.clone(), checks.into_iter().map(|check| (check.id.clone(), check)).collect());
    let watched = options.watch.then_some(config.watched);
    let reloader = Reloader {
        watched,
        process,
        path,
        tokens: config.tokens,
        sentry: config.sentry,
        changes,
        daemon: daemon.clone(),
        checks,
    };
    let stopping = async {
        stop.cancelled().await;
        daemon.stopping.store(true, Ordering::Relaxed);
        to_sentry.iter().for_each(ToSentry::last_heartbeat);
        std::future::pending::<()>().await;
    };
    let beating = async {
        match &to_sentry {
            Some(to) => to.heartbeat(|| daemon.is_healthy()).await,
            None => std::future::pending().await,
        }
    };
    let delivered = tokio::select! {
        // First, so that the last check-in is there before delivery ends.
        biased;
        () = stopping => true,
        delivered = app.run(received, stop.clone()) => delivered,
        () = control.serve(daemon.clone()) => true,
        () = reloader.serve(wishes) => true,
        () = beating => true,
    };
    let waiting = to_sentry.as_ref().map_or(0, ToSentry::waiting);
    tracing::info!(delivered, waiting, "stopped");
    Ok(Exit::Well)
}
