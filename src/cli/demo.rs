//! `sentrynet demo`: the daemon at work on targets of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueHint};
use tokio::{sync::mpsc, time};

use super::{
    CommandError, Exit, Process, load,
    printer::{Printer, Style},
    terminal::Paint,
};
use crate::{
    app::App,
    demo::{Demo, HEADING},
    report::Sinks,
};

/// What `demo` takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where the configuration of the demo is written.
    #[arg(long, default_value = "sentrynet-demo.yaml", value_hint = ValueHint::FilePath)]
    config: PathBuf,
    /// Ends by itself after so long, as `30s`; else it runs until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = probe_keys::parse_duration)]
    limit: Option<Duration>,
}

/// Starts targets, writes their configuration, and runs the daemon on it.
pub(super) async fn run(options: Options, process: Process) -> Result<Exit, CommandError> {
    let other = |error: &dyn std::fmt::Display| CommandError::Other(error.to_string());
    let demo = Demo::start().await.map_err(|error| other(&error))?;
    write(&options.config, &demo.configuration()).map_err(|error| other(&error))?;
    let config = load(&options.config, &process)?;

    let terminal = process.terminal.clone();
    let name = terminal.paint(Paint::Strong, &options.config.display().to_string());
    terminal.print(&format!(
        "{} targets on 127.0.0.1, some of them broken on purpose, probed as {name} says.\n\
         The first run of each, and each that fails, is drawn as a tree. Ctrl-C ends it.\n\n",
        config.checks.len()
    ));
    let printer = Printer::new(terminal.clone(), Style::Brief(Default::default()));
    let sinks = Sinks::new(process.redactor, vec![Box::new(printer)]);
    let checks = config.checks.into_iter().map(Arc::new).collect();
    let app = App::new(checks, config.tracing, sinks, Duration::from_secs(2));
    let stop = process.stop.clone();
    let ending = async {
        match options.limit {
            Some(limit) => time::sleep(limit).await,
            None => std::future::pending().await,
        }
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = app.run(mpsc::channel(1).1, process.stop) => {}
        () = ending => {}
    }
    terminal.print(&format!(
        "\n{name} stays here to start from:\n  sentrynet validate {path}\n  sentrynet run {path}\n",
        path = options.config.display()
    ));
    Ok(Exit::Well)
}

/// Writes the file, but over nothing that is not ours.
fn write(path: &Path, text: &str) -> Result<(), String> {
    match fs::read_to_string(path) {
        Ok(there) if !there.starts_with(HEADING) => {
            return Err(format!("{} is a file of yours: choose another with --config", path.display()));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("{} cannot be read: {error}", path.display()));
        }
        _ => {}
    }
    fs::write(path, text)
        .map_err(|error| format!("{} cannot be written ({error}): choose another place with --config", path.display()))
}
