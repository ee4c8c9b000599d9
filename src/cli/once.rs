//! `sentrynet once`: each check once, drawn in the terminal.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum, ValueHint};
use probe_core::Verdict;

use super::{
    CommandError, Exit, Process, YAML, configuration, load,
    printer::{Printer, Style},
    state,
};
use crate::{
    app::{self, ToSentry},
    check::Check,
    report::{Sink, Sinks},
    schedule,
};

/// How long sending may take after the last run.
const DELIVERY: Duration = Duration::from_secs(10);

/// Checks side by side, unless told otherwise.
const JOBS: usize = 1_000;

/// File descriptors that a check may need at once: to ask for a name, and to connect twice (RFC 8305).
const DESCRIPTORS: usize = 3;

/// What `once` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration; without it `config.yaml`, then `/etc/sentrynet/config.yaml`.
    #[arg(value_hint = YAML)]
    config: Option<PathBuf>,
    /// Only the checks of this title or id; may be given more than once.
    #[arg(long, value_name = "TITLE|ID")]
    only: Vec<String>,
    /// How each run is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// How many checks run side by side; 1000, or as many as there are file descriptors for, unless given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Sends the results to Sentry, too.
    #[arg(long)]
    send: bool,
    /// Where results wait for Sentry; else SENTRYNET_STATE_DIR, $XDG_STATE_HOME/sentrynet, ./sentrynet-state.
    #[arg(long, value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree of spans with bars.
    #[default]
    Tree,
    /// A JSON object a line.
    Json,
    /// What Sentry would receive.
    Envelope,
}

/// Runs each check once.
pub(super) async fn run(options: Options, process: Process) -> Result<Exit, CommandError> {
    let path = configuration(options.config)?;
    let config = load(&path, &process)?;
    let checks = chosen(config.checks, &options.only)?;
    let style = match (options.format, &config.sentry) {
        (Format::Tree, _) => Style::Tree,
        (Format::Json, _) => Style::Json,
        (Format::Envelope, Some(settings)) => Style::Envelope(Box::new(settings.clone())),
        (Format::Envelope, None) => return Err(without_dsn("--format envelope shows what goes to Sentry")),
    };
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Printer::new(process.terminal, style))];
    let to_sentry = match (options.send, config.sentry) {
        (false, _) => None,
        (true, None) => return Err(without_dsn("--send sends to Sentry")),
        (true, Some(settings)) => {
            // A directory of its own: the daemon's may be in use.
            let state = state::directory(options.state_dir, &process.environment).join("once");
            Some(ToSentry::open(settings, &state, &process.redactor, &process.log)?)
        }
    };
    sinks.extend(to_sentry.iter().map(|to| -> Box<dyn Sink> { to.sink() }));
    let sinks = Arc::new(Sinks::new(process.redactor, sinks));
    let runner = app::runner(config.tracing, sinks.clone());
    let jobs = options.jobs.map_or_else(|| JOBS.min(process.descriptors / DESCRIPTORS), usize::from);
    let running = schedule::once(&checks, &runner, jobs, &process.stop);
    let stopped = async {
        process.stop.cancelled().await;
        runner.cut.cancel();
        std::future::pending::<()>().await;
    };
    let verdicts = tokio::select! {
        verdicts = running => verdicts,
        () = stopped => Vec::new(),
    };
    if !sinks.flush(DELIVERY).await {
        let waiting = to_sentry.as_ref().map_or(0, ToSentry::waiting);
        tracing::warn!(waiting, "not all could be sent; the next `once --send` tries again");
    }
    let all_up = verdicts.len() == checks.len() && verdicts.iter().all(|verdict| *verdict == Some(Verdict::Up));
    Ok(if all_up { Exit::Well } else { Exit::NotAllWell })
}

fn without_dsn(what: &str) -> CommandError {
    CommandError::Other(format!("{what}, and there is no DSN: give `sentry.dsn`, or set SENTRY_DSN and `sentry: {{}}`"))
}

/// The checks that were asked for; one that nobody has is an error, not an empty run.
fn chosen(checks: Vec<Check>, only: &[String]) -> Result<Vec<Arc<Check>>, CommandError> {
    let named = |check: &Check, name: &String| *name == check.title || *name == check.id;
    if let Some(name) = only.iter().find(|name| !checks.iter().any(|check| named(check, name))) {
        let near = probe_keys::nearest(name, checks.iter().map(|check| check.title.as_str()));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(CommandError::Other(format!("no check has the title or id `{name}`{hint}")));
    }
    let wanted = |check: &Check| only.is_empty() || only.iter().any(|name| named(check, name));
    Ok(checks.into_iter().filter(wanted).map(Arc::new).collect())
}
