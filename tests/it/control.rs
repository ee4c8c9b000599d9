//! A running daemon, asked how it is and told to read its configuration again.

use std::{fs, path::Path, process::Stdio, time::Duration};

use http::{Method, StatusCode};
use sentrynet::{control, demo::Demo};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStderr, Command},
    time,
};

use crate::support::DEMO_CHECKS;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that probes the demo's targets.
struct Running {
    directory: TempDir,
    config: String,
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// Where it serves by TCP.
    address: String,
    _demo: Demo,
}

impl Running {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let demo = Demo::start().await.expect("the targets start");
        let config = format!("metrics: {{listen: '127.0.0.1:0'}}\n{}", demo.configuration());
        fs::write(directory.path().join("config.yaml"), &config).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_sentrynet"))
            .args(["run", "config.yaml", "--log-format", "json", "--grace", "1s"])
            .args(more)
            .current_dir(directory.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        let log = BufReader::new(child.stderr.take().expect("it has a log")).lines();
        let mut running = Self { directory, config, child, log, address: String::new(), _demo: demo };
        let served = running.line("serving /metrics").await;
        running.address = served["address"].as_str().expect("an address").to_owned();
        running
    }

    fn state(&self) -> std::path::PathBuf {
        self.directory.path().join("sentrynet-state")
    }

    fn write(&self, config: &str) {
        fs::write(self.directory.path().join("config.yaml"), config).expect("a file");
    }

    /// Waits for a line of the log that holds this text.
    async fn line(&mut self, text: &str) -> Value {
        let found = async {
            loop {
                let line = self.log.next_line().await.expect("the log can be read").expect("the log goes on");
                if line.contains(text) {
                    return serde_json::from_str(&line).expect("a line is JSON");
                }
            }
        };
        time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("the log never says {text}"))
    }

    async fn ask(&self, method: Method, target: &str) -> (StatusCode, String) {
        control::ask(&self.state(), method, target).await.expect("it answers")
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.id().expect("it runs")).expect("a process id");
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        rustix::process::kill_process(id, signal).expect("it runs");
    }

    async fn stop(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it ran").code()
    }
}

/// A request by TCP, and all that comes back.
async fn get(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

async fn sentrynet(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_sentrynet"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .kill_on_drop(true)
        .output();
    let output = time::timeout(PATIENCE, command).await.expect("it ends").expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_running_daemon_tells_how_it_is() {
    let mut daemon = Running::start().await;
    daemon.line("connection refused").await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(daemon.ask(Method::GET, path).await, (StatusCode::OK, "ok\n".to_owned()));
        assert!(get(&daemon.address, &format!("GET {path}")).await.starts_with("HTTP/1.1 200 OK"));
    }
    assert_eq!(daemon.ask(Method::GET, "/nothing").await.0, StatusCode::NOT_FOUND);
    assert_eq!(daemon.ask(Method::DELETE, "/metrics").await.0, StatusCode::METHOD_NOT_ALLOWED);

    let metrics = get(&daemon.address, "GET /metrics").await;
    for name in [
        "sentrynet_runs_total{kind=\"http\",verdict=\"down\"}",
        "sentrynet_run_duration_seconds_bucket",
        "sentrynet_start_lag_seconds_count",
        &format!("sentrynet_checks {DEMO_CHECKS}"),
        "sentrynet_pulse_age_seconds",
        "sentrynet_build_info{version=",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(metrics.contains("application/openmetrics-text") && metrics.ends_with("# EOF\n"), "{metrics}");

    let (code, told, _) = sentrynet(daemon.directory.path(), &["status"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("running for") && told.contains("nothing is sent") && told.contains(" down"), "{told}");
    let (code, json, _) = sentrynet(daemon.directory.path(), &["status", "--json"]).await;
    let status: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((code, &status["healthy"], &status["checks"]), (Some(0), &true.into(), &DEMO_CHECKS.into()), "{status}");

    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.state().join("control.sock").exists(), "the socket goes with it");
}

#[tokio::test]
async fn status_without_a_daemon_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let (code, _, told) = sentrynet(directory.path(), &["status"]).await;
    assert_eq!(code, Some(2));
    assert!(told.contains("no daemon answers") && told.contains("--state-dir"), "{told}");
}

#[tokio::test]
async fn a_configuration_is_read_again_and_a_bad_one_changes_nothing() {
    let mut daemon = Running::start().await;
    let more = "  - probes:\n      - {probe: http, title: One more, url: 'http://127.0.0.1:9/', every: 1s}\n";

    daemon.write(&format!("{}\n{more}", daemon.config));
    let (status, news) = daemon.ask(Method::POST, "/reload").await;
    assert_eq!((status, news), (StatusCode::OK, format!("{} checks: 1 came, 0 went\n", DEMO_CHECKS + 1)));
    daemon.line("One more").await;

    daemon.write(&daemon.config.replace("every: 5s", "evry: 5s"));
    let (status, mistakes) = daemon.ask(Method::POST, "/reload").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(mistakes.contains("did you mean `every`?"), "{mistakes}");
    daemon.line("nothing changes").await;
    daemon.line("One more").await;

    daemon.write(&daemon.config.clone());
    daemon.signal(rustix::process::Signal::HUP);
    let read = daemon.line("configuration read again").await;
    assert_eq!((&read["checks"], &read["went"]), (&DEMO_CHECKS.into(), &1.into()), "{read}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_watched_configuration_is_read_again_when_it_has_changed() {
    let mut daemon = Running::with(&["--watch"]).await;
    daemon.write(&daemon.config.replace("title: Front page", "title: Another front page"));
    let read = daemon.line("configuration read again").await;
    assert_eq!((&read["came"], &read["went"]), (&1.into(), &1.into()), "{read}");
    daemon.write("groups: [");
    daemon.line("nothing changes").await;
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_second_daemon_does_not_take_the_socket_of_the_first() {
    let daemon = Running::start().await;
    let second = Command::new(env!("CARGO_BIN_EXE_sentrynet"))
        .args(["run", "config.yaml"])
        .current_dir(daemon.directory.path())
        .env_clear()
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let mut second = second;
    let mut log = BufReader::new(second.stderr.take().expect("it has a log")).lines();
    let warned = async {
        while let Ok(Some(line)) = log.next_line().await {
            if line.contains("another daemon answers there") {
                return true;
            }
        }
        false
    };
    assert!(time::timeout(PATIENCE, warned).await.expect("it starts"));
    assert_eq!(daemon.ask(Method::GET, "/healthz").await.0, StatusCode::OK);
}
