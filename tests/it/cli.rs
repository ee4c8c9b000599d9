//! The program as its user runs it.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use sentrynet::demo::Demo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time,
};

use crate::support::DEMO_CHECKS;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program in a directory of its own, with nothing in its environment.
fn program(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentrynet"));
    command.args(arguments).current_dir(directory).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(directory: &Path, arguments: &[&str]) -> Output {
    let output = program(directory, arguments).output();
    time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A directory with the demo's configuration, and its targets.
async fn demo() -> (TempDir, Demo) {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start().await.expect("the targets start");
    std::fs::write(directory.path().join("config.yaml"), demo.configuration()).expect("a file");
    (directory, demo)
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id().expect("it runs")).expect("a process id");
    rustix::process::kill_process(rustix::process::Pid::from_raw(id).expect("a process id"), signal).expect("it runs");
}

#[tokio::test]
async fn without_a_configuration_it_says_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = run(directory.path(), &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    for name in ["sentrynet demo", "config.example.yaml", "sentrynet validate", "sentrynet run"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(told.lines().count() <= 8 && out(&output).is_empty(), "{told}");
}

#[tokio::test]
async fn help_and_version_go_to_standard_output() {
    let directory = tempfile::tempdir().expect("a directory");
    for (argument, text) in [("--help", "Usage: sentrynet"), ("--version", "sentrynet 0.")] {
        let output = run(directory.path(), &[argument]).await;
        assert_eq!((output.status.code(), out(&output).contains(text)), (Some(0), true), "{}", out(&output));
    }
    let output = run(directory.path(), &["--nonsense"]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn validate_tells_every_mistake_and_its_exit_code_says_so() {
    let (directory, _demo) = demo().await;
    let output = run(directory.path(), &["validate"]).await;
    assert_eq!((output.status.code(), out(&output)), (Some(0), format!("config.yaml is well: {DEMO_CHECKS} checks\n")));

    let bad = "groups:\n  - probes:\n      - {probe: http, url: 'nope', evry: 5}\n";
    std::fs::write(directory.path().join("bad.yaml"), bad).expect("a file");
    let output = run(directory.path(), &["validate", "bad.yaml"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("did you mean `every`?") && err(&output).contains("2 errors"), "{}", err(&output));

    let output = run(directory.path(), &["validate", "--format", "json", "bad.yaml"]).await;
    let found: Value = serde_json::from_str(&out(&output)).expect("it is JSON");
    let mistakes = found["diagnostics"].as_array().map(Vec::len);
    assert_eq!((output.status.code(), mistakes), (Some(2), Some(2)), "{found}");
    assert!(found["checks"].is_null() && found["cost"].is_null(), "{found}");

    let doubtful = "sentry: {}\ngroups:\n  - probes:\n      - {probe: http, url: 'http://a.example/'}\n";
    std::fs::write(directory.path().join("doubtful.yaml"), doubtful).expect("a file");
    for (arguments, code) in
        [(vec!["validate", "doubtful.yaml"], 0), (vec!["validate", "--strict", "doubtful.yaml"], 1)]
    {
        assert_eq!(run(directory.path(), &arguments).await.status.code(), Some(code));
    }
}

#[tokio::test]
async fn validate_tells_what_a_month_costs_where_results_are_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    // 43,200 starts of 2 runs each, and one each day.
    let config = "sentry: {dsn: 'https://public@sentry.example/1', heartbeat: true}\ngroups:\n  - probes:\n      \
        - {probe: http, url: 'https://a.example/', every: 1m, burst: 2, monitor: true}\n      \
        - {probe: ssh, host: b.example, cron: '0 0 * * *'}\n";
    std::fs::write(directory.path().join("config.yaml"), config).expect("a file");
    let output = run(directory.path(), &["validate", "--format", "json"]).await;
    let told: Value = serde_json::from_str(&out(&output)).expect("it is JSON");
    let cost = &told["cost"];
    assert_eq!((&told["checks"], &cost["runs"]), (&2.into(), &86_430.into()), "{told}");
    assert_eq!((&cost["spans"], &cost["errors"]), (&777_870.into(), &864.into()));
    assert_eq!((&cost["check_ins"], &cost["monitors"]), (&86_400.into(), &2.into()));
    assert_eq!(cost["plans"][0]["errors_percent"], 17.3);

    let output = run(directory.path(), &["validate"]).await;
    for text in ["86,430 runs", "about 777,870 spans", "864 errors", "Developer plan", "success_sample: 0.1"] {
        assert!(out(&output).contains(text), "{}", out(&output));
    }
}

#[tokio::test]
async fn once_draws_each_check_and_says_by_its_exit_code_whether_all_is_up() {
    let (directory, _demo) = demo().await;
    let output = run(directory.path(), &["once", "config.yaml", "--only", "Status over TLS"]).await;
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", err(&output));
    for phase in ["net.dns", "net.tcp", "net.tls", "http.send", "http.wait", "http.recv", "json.assert", "█"] {
        assert!(text.contains(phase), "{text}");
    }
    assert!(!text.contains('\x1b'), "no colour in a pipe");

    let output = run(directory.path(), &["once", "config.yaml"]).await;
    assert_eq!(output.status.code(), Some(1));
    for text in ["expected status 200, got 500", "connection refused", "NXDOMAIN", "roll back"] {
        assert!(out(&output).contains(text), "{}", out(&output));
    }

    let output = run(directory.path(), &["once", "config.yaml", "--only", "Status over TSL"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("did you mean `Status over TLS`?"), "{}", err(&output));
}

#[tokio::test]
async fn once_as_json_is_the_documented_object() {
    let (directory, _demo) = demo().await;
    let output = run(directory.path(), &["once", "--format", "json", "config.yaml"]).await;
    let runs: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert_eq!(runs.len(), DEMO_CHECKS);
    for run in runs {
        let keys: Vec<&str> = run.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["id", "title", "kind", "verdict", "failure", "started_at", "duration_ms", "tags", "trace_id", "spans"]
        );
        assert_eq!(run["tags"]["location"], "demo");
        assert_eq!(run["failure"].is_null(), run["verdict"] == "up", "{run}");
        let spans = run["spans"].as_array().expect("a list");
        for (index, span) in spans.iter().enumerate() {
            let keys: Vec<&str> = span.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(keys, ["op", "description", "parent", "start_ms", "duration_ms", "status", "data"]);
            assert_eq!(span["parent"].is_null(), index == 0);
        }
    }
}

#[tokio::test]
async fn the_demo_shows_runs_and_writes_its_configuration() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = run(directory.path(), &["demo", "--for", "9s"]).await;
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    for title in ["Front page", "Status over TLS", "Slow report", "Answers 500", "Refuses", "does not resolve"] {
        assert!(text.matches(title).count() >= 2, "{title} runs again and again: {text}");
    }
    assert!(text.contains("└─ http.request") && text.contains("sentrynet-demo.yaml"));
    let output = run(directory.path(), &["validate", "sentrynet-demo.yaml"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));

    std::fs::write(directory.path().join("sentrynet-demo.yaml"), "groups: []\n").expect("a file");
    let output = run(directory.path(), &["demo", "--for", "1s"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("a file of yours"), "{}", err(&output));
}

/// The daemon, with its log as lines of JSON.
async fn daemon(directory: &Path) -> (Child, tokio::io::Lines<BufReader<tokio::process::ChildStderr>>) {
    let mut child = program(directory, &["config.yaml", "--log-format", "json"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let log = BufReader::new(child.stderr.take().expect("it has a log")).lines();
    (child, log)
}

/// Waits for a line of the log that holds this text.
async fn line(log: &mut tokio::io::Lines<BufReader<tokio::process::ChildStderr>>, text: &str) -> Value {
    let found = async {
        loop {
            let line = log.next_line().await.expect("the log can be read").expect("the log goes on");
            if line.contains(text) {
                return serde_json::from_str(&line).expect("a line is JSON");
            }
        }
    };
    time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("the log never says {text}"))
}

#[tokio::test]
async fn the_daemon_logs_runs_and_stops_cleanly_at_a_signal() {
    for first in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let (directory, _demo) = demo().await;
        let (mut child, mut log) = daemon(directory.path()).await;
        let down = line(&mut log, "connection refused").await;
        assert_eq!((&down["level"], &down["class"]), (&"WARN".into(), &"connect".into()), "{down}");
        signal(&child, first);
        line(&mut log, "\"stopped\"").await;
        let status = time::timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it ran");
        assert_eq!(status.code(), Some(0));
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    // Accepts and says nothing: the run is in flight until its deadline.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = mute.local_addr().expect("it has an address");
    let config = format!(
        "groups:\n  - probes:\n      - {{probe: http, title: mute, url: 'http://{address}/', every: 60, timeout: 50s}}\n"
    );
    std::fs::write(directory.path().join("config.yaml"), config).expect("a file");
    let (mut child, mut log) = daemon(directory.path()).await;
    let _held = mute.accept().await.expect("it asks");
    signal(&child, rustix::process::Signal::TERM);
    line(&mut log, "a second signal stops at once").await;
    signal(&child, rustix::process::Signal::TERM);
    let status = time::timeout(Duration::from_secs(8), child.wait()).await.expect("at once").expect("it ran");
    assert_eq!(status.code(), Some(128 + 15));
}

#[tokio::test]
async fn a_filter_that_is_none_is_told() {
    let (directory, _demo) = demo().await;
    let output = program(directory.path(), &["validate"]).env("RUST_LOG", "sentrynet=loud").output();
    let output = time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("RUST_LOG is not a filter"), "{}", err(&output));
}

#[tokio::test]
async fn completions_are_there_for_each_shell() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(directory.path(), &["completions", shell]).await;
        assert!(output.status.success() && out(&output).contains("validate"), "{shell}");
    }
}
