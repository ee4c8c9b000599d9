//! Arguments, signals, exit code: the only file that prints or exits.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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
    sync::Notify,
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
        descriptors: descriptors(),
        reload: Arc::default(),
        stop: CancellationToken::new(),
    };
    let code = drive(&runtime, arguments, process);
    // What a second signal cut off is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

/// How many files and sockets may be open: as many as the system lets us, for what it gives unasked (1,024, often) is for
/// programs that wait for one at a time.
fn descriptors() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is refused, what is given stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
}

/// Runs the command. The first signal stops it, a second one at once; SIGHUP reloads.
fn drive(runtime: &Runtime, arguments: Arguments, process: Process) -> ExitCode {
    runtime.block_on(async {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => return complain(&format!("sentrynet: signals cannot be heard: {error}\n")),
        };
        let (stop, reload) = (process.stop.clone(), process.reload.clone());
        let stopped_twice = async {
            signals.stop(&reload).await;
            tracing::info!("stopping; a second signal stops at once");
            stop.cancel();
            signals.stop(&reload).await
        };
        tokio::select! {
            ended = arguments.run(process) => match ended {
                Ok(Exit::Well) => ExitCode::SUCCESS,
                Ok(Exit::NotAllWell) => ExitCode::FAILURE,
                Err(error) => complain(&error.to_string()),
            },
            number = stopped_twice => ExitCode::from(128 + number),
        }
    })
}

/// The signals that a daemon hears.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

// === impl Signals ===

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal to stop and gives its number; passes on the wish to reload.
    async fn stop(&mut self, reload: &Notify) -> u8 {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return 2,
                _ = self.terminate.recv() => return 15,
                _ = self.hangup.recv() => reload.notify_one(),
            }
        }
    }
}

fn complain(text: &str) -> ExitCode {
    let _ = io::stderr().lock().write_all(text.as_bytes());
    ExitCode::from(MISTAKE)
}
