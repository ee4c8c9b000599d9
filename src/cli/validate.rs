//! `sentrynet validate`: every mistake and warning at once, before anything is probed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use probe_keys::Severity;
use serde::Serialize;

use super::{CommandError, Exit, Process, YAML, configuration, cost::Cost};
use crate::config::{self, Diagnostics};

/// What `validate` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The configuration; without it `config.yaml`, then `/etc/sentrynet/config.yaml`.
    #[arg(value_hint = YAML)]
    config: Option<PathBuf>,
    /// Warnings count too: exit code 1.
    #[arg(long)]
    strict: bool,
    /// How what was found is told.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As a compiler tells it.
    #[default]
    Text,
    /// One JSON object: `diagnostics`, `checks`, `cost`.
    Json,
}

/// What programs are told.
#[derive(Serialize)]
struct Report<'a> {
    diagnostics: &'a Diagnostics,
    /// None when there are mistakes.
    checks: Option<usize>,
    /// None when nothing is sent.
    cost: Option<Cost>,
}

/// Validates.
pub(super) fn run(options: &Options, process: &Process) -> Result<Exit, CommandError> {
    let path = configuration(options.config.clone())?;
    let (found, config) = match config::load(&path, &process.environment, &process.redactor) {
        Ok(loaded) => (loaded.warnings, Some(loaded.config)),
        Err(diagnostics) => (diagnostics, None),
    };
    if options.format == Format::Json {
        let report = Report {
            checks: config.as_ref().map(|config| config.checks.len()),
            cost: config.as_ref().and_then(Cost::of),
            diagnostics: &found,
        };
        // It is texts and numbers: this cannot fail.
        let json = serde_json::to_string_pretty(&report).unwrap_or_default();
        process.terminal.print(&format!("{json}\n"));
    }
    let Some(config) = config else {
        // As JSON they have been told, and the exit code says the rest.
        let text = if options.format == Format::Json { String::new() } else { found.render(process.colour) };
        return Err(CommandError::Configuration(text));
    };
    if options.format == Format::Text {
        let (colour, path) = (process.terminal.colour, path.display().to_string());
        process.terminal.print(&summary(&found, colour, config.checks.len(), &path));
        process.terminal.print(&Cost::of(&config).map(|cost| cost.told()).unwrap_or_default());
    }
    let warned = found.count(Severity::Warning) > 0;
    Ok(if options.strict && warned { Exit::NotAllWell } else { Exit::Well })
}

fn summary(warnings: &Diagnostics, colour: bool, checks: usize, path: &str) -> String {
    let checks = if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") };
    if warnings.is_empty() {
        format!("{path} is well: {checks}\n")
    } else {
        format!("{}\n{path} can be used: {checks}\n", warnings.render(colour))
    }
}
