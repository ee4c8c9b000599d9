//! The command line: one file a subcommand.

mod completions;
mod cost;
mod demo;
mod json;
mod line;
mod once;
mod printer;
mod reload;
mod run;
mod schema;
mod spool;
mod state;
mod status;
mod terminal;
mod tree;
mod validate;

use std::{path::PathBuf, sync::Arc};

use clap::{Parser, Subcommand, ValueHint};
use thiserror::Error;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::terminal::Terminal;
use crate::{
    app::AppError,
    config::{self, Diagnostics, Environment, Loaded},
    control::ListenError,
    redact::Redactor,
    telemetry::{Log, LogFormat},
};

/// Where the configuration is looked for when the command line does not name it.
const USUAL: [&str; 2] = ["config.yaml", "/etc/sentrynet/config.yaml"];

/// Asks your services how they are, and tells Sentry where the time went.
#[derive(Debug, Parser)]
#[command(name = "sentrynet", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "`sentrynet CONFIG` is short for `sentrynet run CONFIG`.\n\n\
    Exit codes: 0 well, 1 not all is up (once) or warnings (validate --strict), 2 mistakes in the configuration or the \
    command line, 128 + n stopped at once by a second signal n.\n\
    Environment: RUST_LOG, NO_COLOR, SENTRY_DSN, SENTRYNET_SENTRY_ENABLED, SENTRYNET_STATE_DIR.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Options,
    /// How the log, on standard error, looks.
    #[arg(long, value_enum, default_value_t, global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the checks at their times until it is stopped: the daemon.
    Run(run::Options),
    /// Tells every mistake and warning of a configuration.
    Validate(validate::Options),
    /// Runs each check once and draws it.
    Once(once::Options),
    /// Shows SentryNet at work on targets of its own; nothing needs to be set up.
    Demo(demo::Options),
    /// Tells how a running daemon is; exit code 1 if it is not well, 2 if there is none.
    Status(status::Options),
    /// Shows what waits on disk for Sentry while no daemon runs, and sends it.
    Spool(spool::Options),
    /// Prints the JSON Schema of the configuration, for editors.
    Schema,
    /// Prints completions for a shell.
    Completions(completions::Options),
}

/// What the process hands to a command.
#[derive(Debug)]
pub struct Process {
    /// Variables and the name of the host.
    pub environment: Environment,
    /// Standard output.
    pub terminal: Terminal,
    /// Whether standard error shows colours.
    pub colour: bool,
    /// Learns the secrets of the configuration, and masks them in the log.
    pub redactor: Redactor,
    /// Where the daemon's own news go.
    pub log: Log,
    /// How many files and sockets may be open.
    pub descriptors: usize,
    /// The configuration is to be read again.
    pub reload: Arc<Notify>,
    /// The process is to end.
    pub stop: CancellationToken,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Well,
    /// Not all is up, or there are warnings and they count.
    NotAllWell,
}

/// Why a command could not do its work; the text is for standard error.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The configuration has mistakes.
    #[error("{0}")]
    Configuration(String),
    /// There is no configuration.
    #[error(
        "sentrynet: there is no configuration: neither {} nor {} is there\n\n\
         \x20 sentrynet demo                    shows it at work, with nothing to set up\n\
         \x20 config.example.yaml               is a file to start from\n\
         \x20 sentrynet validate config.yaml    tells every mistake in it\n\
         \x20 sentrynet run config.yaml         is the daemon\n", USUAL[0], USUAL[1]
    )]
    NoConfiguration,
    /// The daemon cannot be built.
    #[error("sentrynet: {0}\n")]
    App(#[from] AppError),
    /// Nobody could ask it how it is.
    #[error("sentrynet: {0}\n")]
    Listen(#[from] ListenError),
    /// Something else, in words.
    #[error("sentrynet: {0}\n")]
    Other(String),
}

// === impl Arguments ===

impl Arguments {
    /// How the log looks.
    pub const fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// Does what was asked for.
    ///
    /// # Errors
    /// Why it could not be done, as it goes to standard error; the exit code is 2.
    pub async fn run(self, process: Process) -> Result<Exit, CommandError> {
        match self.command {
            None => run::run(self.run, process).await,
            Some(Command::Run(options)) => run::run(options, process).await,
            Some(Command::Validate(options)) => validate::run(&options, &process),
            Some(Command::Once(options)) => once::run(options, process).await,
            Some(Command::Demo(options)) => demo::run(options, process).await,
            Some(Command::Status(options)) => status::run(options, process).await,
            Some(Command::Spool(options)) => spool::run(options, process).await,
            Some(Command::Schema) => Ok(schema::run(&process)),
            Some(Command::Completions(options)) => Ok(completions::run(&options, &process)),
        }
    }
}

/// The file to use: the one that was named, else the first usual one that is there.
fn configuration(named: Option<PathBuf>) -> Result<PathBuf, CommandError> {
    let usual = || USUAL.into_iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(usual).ok_or(CommandError::NoConfiguration)
}

/// Loads a file; warnings go to the log.
fn load(path: &std::path::Path, process: &Process) -> Result<config::Config, CommandError> {
    let mistakes = |diagnostics: Diagnostics| CommandError::Configuration(diagnostics.render(process.colour));
    let Loaded { config, warnings } = config::load(path, &process.environment, &process.redactor).map_err(mistakes)?;
    for warning in warnings.iter() {
        let place = format!("{}:{}", warning.file, warning.line.unwrap_or(1));
        tracing::warn!(place, path = warning.path, "{}", warning.reason);
    }
    Ok(config)
}

/// How a file to read is completed.
const YAML: ValueHint = ValueHint::FilePath;
