//! Arguments, signals, exit code: the only file that prints or exits.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use sentrynet::{
    cli::{Arguments, Exit, Process, Terminal},
    config::Environment,
    redact::Redactor,
    telemetry,
};
use terminal_size::{Width, terminal_size};
use tokio::{
    runtime::{self, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// Columns where there is no terminal.
const COLUMNS: usize = 120;

/// A mistake in the configuration or on the command line.
const MISTAKE: u8 = 2;

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => start(arguments),
        Err(error) => {
            // Help and version go to standard output, and are no mistake.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(MISTAKE) } else { ExitCode::SUCCESS }
        }
    }
}

/// Prepares the process and does what was asked for.
fn start(arguments: Arguments) -> ExitCode {
    let redactor = Redactor::default();
    let coloured = |choice| !matches!(choice, ColorChoice::Never);
    let colour = coloured(AutoStream::choice(&io::stderr()));
    let filter = std::env::var("RUST_LOG").ok();
    let log = match telemetry::start(arguments.log_format(), filter.as_deref(), colour, redactor.clone()) {
        Ok(log) => log,
        Err(error) => return complain(&format!("sentrynet: {error}\n")),
    };
    // One TLS stack for probes and delivery alike; a second installation is impossible here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("sentrynet: no threads can be started: {error}\n")),
    };
    let width = terminal_size().map_or(COLUMNS, |(Width(width), _)| usize::from(width));
    let process = Process {
        environment: Environment::new(std::env::vars_os(), gethostname::gethostname().to_string_lossy()),
        terminal: Terminal::new(io::stdout(), coloured(AutoStream::choice(&io::stdout())), width),
        colour,
        redactor,
        log,
        stop: CancellationToken::new(),
    };
    let code = drive(&runtime, arguments, process);
    // What a second signal cut off is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

/// Runs the command. The first signal stops it, a second one at once.
fn drive(runtime: &Runtime, arguments: Arguments, process: Process) -> ExitCode {
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => {
                return complain(&format!("sentrynet: signals cannot be heard: {error}\n"));
            }
        };
        let stop = process.stop.clone();
        let signals = async {
            next(&mut interrupt, &mut terminate).await;
            tracing::info!("stopping; a second signal stops at once");
            stop.cancel();
            next(&mut interrupt, &mut terminate).await
        };
        tokio::select! {
            ended = arguments.run(process) => match ended {
                Ok(Exit::Well) => ExitCode::SUCCESS,
                Ok(Exit::NotAllWell) => ExitCode::FAILURE,
                Err(error) => complain(&error.to_string()),
            },
            number = signals => ExitCode::from(128 + number),
        }
    })
}

/// Waits for a signal and gives its number.
async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> u8 {
    tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
    }
}

fn complain(text: &str) -> ExitCode {
    let _ = io::stderr().lock().write_all(text.as_bytes());
    ExitCode::from(MISTAKE)
}
