//! The whole way: a configuration, a daemon, targets, and what a Sentry stand-in receives.

use std::{
    fs,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::Method;
use sentrynet::{control, demo::Demo};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time,
};

use crate::support::{
    DEMO_CHECKS,
    sentry::{Mood, Sentry, Server},
};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The demo's targets, watched by a daemon that sends to a stand-in.
struct Watched {
    directory: TempDir,
    server: Server,
    _demo: Demo,
}

impl Watched {
    async fn new() -> Self {
        let (server, demo) = (Server::plain(Sentry::new()).await, Demo::start().await.expect("the targets start"));
        let directory = tempfile::tempdir().expect("a directory");
        let sentry = "sentry: {dsn: '${env:SENTRY_DSN}', heartbeat: true, tags: {owner: platform}}\n";
        let config =
            demo.configuration().replace("title: Front page", "title: Front page\n        monitor: {failures: 2}");
        fs::write(directory.path().join("config.yaml"), format!("{sentry}{config}")).expect("a file");
        Self { directory, server, _demo: demo }
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentrynet"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("SENTRY_DSN", self.server.dsn_text())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn daemon(&self) -> Child {
        self.program(&["run", "--grace", "1s"]).spawn().expect("it runs")
    }

    /// Waits until so many successful runs wait for Sentry.
    async fn waiting(&self, count: u64) {
        let state = self.directory.path().join("sentrynet-state");
        let spooled = async {
            loop {
                let asked = control::ask(&state, Method::GET, "/status").await;
                let status: Value =
                    asked.map(|(_, body)| serde_json::from_str(&body).expect("JSON")).unwrap_or_default();
                if status["delivery"]["waiting_routine"].as_u64() >= Some(count) {
                    return;
                }
                time::sleep(Duration::from_millis(20)).await;
            }
        };
        time::timeout(PATIENCE, spooled).await.expect("runs are kept");
    }

    /// Every item that was taken, of this type.
    fn items(&self, kind: &str) -> Vec<Value> {
        let items = self.server.sentry.taken().into_iter().flat_map(|envelope| envelope.items);
        items.filter(|item| item.header["type"] == kind).map(|item| item.json()).collect()
    }
}

async fn ended(mut child: Child, signal: rustix::process::Signal) -> Option<i32> {
    let id = i32::try_from(child.id().expect("it runs")).expect("a process id");
    let id = rustix::process::Pid::from_raw(id).expect("a process id");
    rustix::process::kill_process(id, signal).expect("it runs");
    time::timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it ran").code()
}

#[tokio::test]
async fn a_daemon_sends_transactions_errors_and_check_ins() {
    let watched = Watched::new().await;
    let daemon = watched.daemon();
    // Seven checks, three of them down; two check-ins.
    let enough = |_: &_| {
        let (errors, check_ins) = (watched.items("event").len(), watched.items("check_in").len());
        watched.items("transaction").len() >= 7 && errors >= 3 && check_ins >= 2
    };
    time::timeout(PATIENCE, watched.server.sentry.until(enough)).await.expect("all arrives");
    assert_eq!(ended(daemon, rustix::process::Signal::TERM).await, Some(0));
    assert_eq!(watched.server.sentry.refused(), []);
    assert_eq!(watched.server.sentry.dropped(), Vec::<String>::new());

    let (transactions, errors) = (watched.items("transaction"), watched.items("event"));
    for transaction in &transactions {
        assert_eq!(transaction["tags"]["location"], "demo", "{transaction}");
        assert_eq!(transaction["tags"]["owner"], "platform");
    }
    for error in &errors {
        let same_trace = |transaction: &&Value| {
            transaction["contexts"]["trace"]["trace_id"] == error["contexts"]["trace"]["trace_id"]
        };
        let transaction = transactions.iter().find(same_trace).expect("an error is part of its run's trace");
        assert_eq!(transaction["contexts"]["trace"]["span_id"], error["contexts"]["trace"]["span_id"]);
        assert_eq!(transaction["tags"], error["tags"]);
    }

    let check_ins = watched.items("check_in");
    let of = |slug: &str| -> Vec<&Value> {
        check_ins.iter().filter(|check_in| check_in["monitor_slug"].as_str().unwrap().starts_with(slug)).collect()
    };
    let own = of("sentrynet-demo");
    assert!(own.len() >= 2, "one at the start, and one at the end: {check_ins:?}");
    assert_eq!(own[0]["monitor_config"]["schedule"]["unit"], "minute");
    let check = of("front-page");
    assert_eq!(check[0]["monitor_config"]["failure_issue_threshold"], 2);
    assert_eq!(check[0]["status"], "ok");
}

#[tokio::test]
async fn a_killed_daemon_loses_nothing_and_the_next_one_sends_it() {
    let watched = Watched::new().await;
    watched.server.sentry.always(Mood::status(500));
    let daemon = watched.daemon();
    watched.waiting(5).await;
    assert_eq!(ended(daemon, rustix::process::Signal::KILL).await, None);
    assert_eq!(watched.server.sentry.taken().len(), 0);

    watched.server.sentry.always(Mood::Well);
    let restarted = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let daemon = watched.daemon();
    let enough = |_: &_| watched.items("transaction").len() >= 10;
    time::timeout(PATIENCE, watched.server.sentry.until(enough)).await.expect("what lay there arrives");
    assert_eq!(ended(daemon, rustix::process::Signal::TERM).await, Some(0));
    assert_eq!(watched.server.sentry.refused(), []);
    let begun = |transaction: &Value| transaction["start_timestamp"].as_f64() < Some(restarted);
    assert!(watched.items("transaction").iter().filter(|transaction| begun(transaction)).count() >= 5);
}

#[tokio::test]
async fn what_waits_on_disk_can_be_shown_and_sent_without_a_daemon() {
    let watched = Watched::new().await;
    let spool = async |arguments: &[&str]| {
        let mut command = watched.program(&[&["spool", "config.yaml"], arguments].concat());
        let output = time::timeout(PATIENCE, command.stdout(Stdio::piped()).stderr(Stdio::piped()).output()).await;
        let output = output.expect("it ends").expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let (code, told) = spool(&[]).await;
    assert!(code == Some(0) && told.starts_with("nothing waits"), "{told}");

    watched.server.sentry.always(Mood::status(500));
    let daemon = watched.daemon();
    watched.waiting(5).await;
    let (code, told) = spool(&["--list"]).await;
    assert!(code == Some(2) && told.contains("is in use by") && told.contains("sentrynet status"), "{told}");
    assert_eq!(ended(daemon, rustix::process::Signal::TERM).await, Some(0));

    let (code, told) = spool(&["--list"]).await;
    assert!(code == Some(0) && told.contains(" routine transaction ") && told.contains("Front page"), "{told}");
    let lines = told.lines().count() - 1;
    assert!(told.contains(&format!("{lines} envelopes wait")), "{told}");

    watched.server.sentry.always(Mood::Well);
    let (code, told) = spool(&["--send"]).await;
    assert_eq!((code, told.as_str()), (Some(0), format!("{lines} envelopes sent, 0 left\n").as_str()));
    assert_eq!(watched.server.sentry.taken().len(), lines);
}

#[tokio::test]
async fn once_sends_only_when_it_is_told_to() {
    let watched = Watched::new().await;
    for (arguments, sent) in [(vec!["once"], 0), (vec!["once", "--send"], DEMO_CHECKS)] {
        let code = time::timeout(PATIENCE, watched.program(&arguments).status()).await.expect("it ends");
        assert_eq!(code.expect("it ran").code(), Some(1), "three of the targets are down");
        assert_eq!(watched.items("transaction").len(), sent);
    }
}

#[tokio::test]
async fn sending_can_be_turned_off_on_the_command_line() {
    let watched = Watched::new().await;
    let daemon = watched.program(&["run", "--no-sentry"]).spawn().expect("it runs");
    time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ended(daemon, rustix::process::Signal::TERM).await, Some(0));
    assert_eq!(watched.server.sentry.seen(), Default::default());
}
