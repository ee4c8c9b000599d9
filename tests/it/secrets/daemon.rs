//! The daemon: its log, what it tells of itself, and what it sends.

use std::{fs, process::Stdio, time::Duration};

use http::Method;
use sentrynet::control;
use tempfile::TempDir;
use tokio::time;

use super::{CANARY, PATIENCE, assert_silent, program, received};
use crate::support::{
    app::{App, TOKEN},
    sentry::{Sentry, Server},
};

#[tokio::test]
async fn a_daemon_tells_no_secret_wherever_it_is_asked() {
    let (server, app) = (Server::plain(Sentry::new()).await, App::start().await);
    let directory = TempDir::new().expect("a directory");
    let text = format!(
        r#"
sentry: {{dsn: '${{env:SENTRY_DSN}}', heartbeat: true}}
defaults: {{every: 1s, timeout: 900ms, monitor: true, runbook: https://wiki.example/}}
groups:
  - probes:
      - {{probe: http, url: '{0}/fail/500?q=${{env:CANARY}}'}}
      - {{probe: http, title: header, url: '{0}/me', headers: {{x-key: '${{env:CANARY}}'}}}}
      - probe: script
        title: script
        init_keys: {{base: '{0}'}}
        steps:
          - {{url: '{{base}}/login', form: {{p: opensesame}}, expected: 200, set_keys: {{token: $.access_token}}}}
          - {{url: '{{base}}/fail/503', auth: {{bearer: '{{token}}'}}, headers: {{x-o: '${{env:CANARY}}'}}}}
"#,
        app.base()
    );
    fs::write(directory.path().join("config.yaml"), text).expect("a file");
    let state = directory.path().join("state");
    let mut command = program(
        directory.path(),
        &server,
        &["run", "--state-dir", "state", "--grace", "1s", "--log-format", "json"],
        "trace",
    );
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let pid = child.id().expect("it runs").to_string();
    let output = tokio::spawn(child.wait_with_output());
    server.sentry.until_taken(12).await;

    let mut outputs = Vec::new();
    for path in ["/metrics", "/healthz", "/readyz", "/status"] {
        let answer = time::timeout(PATIENCE, control::ask(&state, Method::GET, path)).await.expect("it answers");
        outputs.push((path.to_owned(), format!("{:?}", answer.expect("it answers"))));
    }
    // What a reload tells of a file that is wrong now.
    let wrong =
        "groups: [{probes: [{probe: http, url: 'http://a/', headers: {x: '${env:CANARY}'}, evry: '${env:CANARY}'}]}]";
    fs::write(directory.path().join("config.yaml"), wrong).expect("a file");
    let reload = time::timeout(PATIENCE, control::ask(&state, Method::POST, "/reload")).await.expect("it answers");
    outputs.push(("/reload".to_owned(), format!("{reload:?}")));
    time::sleep(Duration::from_millis(200)).await;
    let stop = tokio::process::Command::new("kill").arg(&pid).status().await.expect("it is told");
    assert!(stop.success());
    let output = time::timeout(PATIENCE, output).await.expect("it ends").expect("it ends").expect("it ends");
    let log = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(log.contains("step 2: GET") && log.contains("evry"), "{log}");
    outputs.push(("the log".to_owned(), log));
    outputs.push(received(&server.sentry));
    assert_silent(&outputs, &[CANARY, TOKEN, &TOKEN[..20]]);
}
