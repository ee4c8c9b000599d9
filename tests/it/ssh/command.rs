//! Does the command answer: its exit status, its output, its trace, its end.

use std::time::Duration;

use probe_core::{FailureClass, Propagation, Run, SpanStatus, run_probe};
use serde_json::json;

use super::{assert_up, checks, failure, mistakes, phases, run, run_tiled, run_within, span};
use crate::support::sshd::{Slow, Sshd, installed, username};

/// A login, a command (with `'` doubled, as YAML wants it) and what is expected of it.
fn command(sshd: &Sshd, command: &str, expected: &str) -> String {
    format!("{}, command: '{}'{expected}", sshd.login(), command.replace('\'', "''"))
}

#[tokio::test]
async fn a_command_has_all_its_phases() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let outcome = run_tiled(&command(&sshd, "echo hello", ", output: hello")).await;
    assert_up(&outcome);
    let tree = &outcome.tree;
    let want = ["ssh.init", "ssh.connect", "ssh.banner", "ssh.kex", "ssh.auth", "ssh.exec", "ssh.cmd", "json.assert"];
    assert_eq!(phases(tree), want);
    assert_eq!(span(tree, "ssh.cmd").datum("ssh.exit_status"), Some(&json!(0)));
    assert_eq!(span(tree, "ssh.cmd").datum("ssh.output.size"), Some(&json!(6)));
    let check = checks(&[&command(&sshd, "echo  hello", "")]).remove(0);
    assert_eq!(check.title, format!("ssh {}@127.0.0.1:{} echo hello", username(), sshd.address.port()));
}

#[tokio::test]
async fn another_exit_status_is_told_with_the_last_words() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let line = "seq 1 20 >&2; echo 'no space left' >&2; echo some output; exit 3";
    let outcome = run_tiled(&command(&sshd, line, "")).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Command, "{message}");
    assert_eq!(message, "expected exit status 0, got 3; standard error ends: 17\n18\n19\n20\nno space left");
    let told = outcome.verdict.failure().unwrap();
    assert_eq!((told.expected.as_deref(), told.actual.as_deref()), (Some("0"), Some("3")));
    assert_eq!(told.excerpt.as_ref().unwrap().body, "some output\n");
    assert_eq!(span(&outcome.tree, "ssh.cmd").status, SpanStatus::FailedPrecondition);
    assert_up(&run(&command(&sshd, line, ", expected: [0, '2-4']")).await);

    for (line, told) in [
        ("no-such-command-here", "got 127 (no such command)"),
        ("exit 255", "got 255"),
        ("kill -KILL $$", "killed by a signal"),
        ("sleep 9 & kill -TERM $!; wait $!", "got 143 (a shell says so of signal 15)"),
    ] {
        let outcome = run(&command(&sshd, line, "")).await;
        let (class, message) = failure(&outcome);
        assert!(class == FailureClass::Command && message.contains(told), "{line}: {message}");
    }
}

#[tokio::test]
async fn the_output_is_as_expected_or_it_is_told() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let line = "echo 'web RUNNING'; echo 'cron RUNNING'";
    for (expected, holds) in [
        (", output: {contains: RUNNING, not_contains: [STOPPED, FATAL]}", true),
        (", output: {contains: [web, cron]}", true),
        (", output: {contains: [web, worker]}", false),
        (", output: {not_contains: cron}", false),
        (", output: {matches: '(?m)^cron +RUNNING$'}", true),
        (", output: {matches: '^cron'}", false),
        (r#", output: "web RUNNING\ncron RUNNING""#, true),
        (", output: {value: web}", false),
        (", json: true", false),
    ] {
        let outcome = run(&command(&sshd, line, expected)).await;
        if holds {
            assert_up(&outcome);
        } else {
            assert_eq!(failure(&outcome).0, FailureClass::Body, "{expected}");
        }
    }

    let line = r#"echo '{"queues": [{"name": "a", "size": 3}], "ok": true}'"#;
    let keys = ", json: true, set_keys: {ok: $.ok, size: '$.queues[0].size'}";
    assert_up(&run_tiled(&command(&sshd, line, &format!("{keys}, assertions: {{ok: true, size: 3}}"))).await);
    let outcome = run(&command(&sshd, line, &format!("{keys}, assertions: {{size: 4}}"))).await;
    let (class, message) = failure(&outcome);
    assert_eq!((class, message), (FailureClass::Assertion, "expected `size` to be 4, got 3"));
}

#[tokio::test]
async fn output_without_end_is_cut_and_said_to_be() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let line = "head -c 3000000 /dev/zero";
    let outcome = run(&command(&sshd, line, "")).await;
    assert_up(&outcome);
    assert_eq!(span(&outcome.tree, "ssh.cmd").datum("ssh.output.truncated"), Some(&json!(true)));
    let outcome = run(&command(&sshd, line, ", output: {contains: x}")).await;
    let (class, message) = failure(&outcome);
    assert!(class == FailureClass::Body && message.contains("larger than 1048576 bytes"), "{message}");
}

#[tokio::test]
async fn the_trace_reaches_the_command() {
    if !installed() {
        return;
    }
    let deaf = Sshd::start().await;
    let hearing = Sshd::with("AcceptEnv SENTRY_TRACE SENTRY_BAGGAGE TRACEPARENT", Slow::default()).await;
    let line = "printf '%s\\n' \"$SENTRY_TRACE\" \"$SENTRY_BAGGAGE\" \"$TRACEPARENT\" >&2; exit 1";
    for (sshd, how, reaches) in [
        (&deaf, "", true),
        (&deaf, ", propagate: setenv", false),
        (&deaf, ", propagate: false", false),
        (&hearing, "", true),
        (&hearing, ", propagate: setenv", true),
        (&hearing, ", propagate: false", false),
    ] {
        let check = checks(&[&command(sshd, line, how)]).remove(0);
        let baggage = "sentry-trace_id=1,sentry-release=a%20b";
        let trace = Propagation { sentry: true, w3c: true, baggage: Some(baggage.into()), ..Propagation::none() };
        let id = trace.trace_id;
        let outcome = run_probe(&*check.probe, Run::new(Duration::from_secs(20), trace)).await;
        let root = outcome.tree.root().unwrap().id;
        let (_, message) = failure(&outcome);
        let variables = format!("{id}-{root}\n{baggage}\n00-{id}-{root}-00");
        assert_eq!(message.contains(&variables), reaches, "{how}: {message}");
    }
    // With nothing to pass on, the command is as it was written.
    assert_up(&run(&command(&deaf, "echo $0 | grep -qv env", "")).await);
}

#[tokio::test]
async fn a_slow_command_is_slow_in_its_own_phase() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let outcome = run_tiled(&command(&sshd, "sleep 0.3", "")).await;
    assert_up(&outcome);
    assert!(span(&outcome.tree, "ssh.cmd").duration() >= Duration::from_millis(300));

    let outcome = run_within(&command(&sshd, "sleep 30", ""), 1_500).await;
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Timeout);
    assert!(message.contains("ssh.cmd"), "{message}");
    assert_eq!(phases(&outcome.tree).last(), Some(&"ssh.cmd"));
    assert!(super::longest_gap(&outcome.tree).0 < Duration::from_millis(20));
}

#[tokio::test]
async fn the_last_words_are_heard_however_busy_the_machine_is() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probe = command(&sshd, "echo first; echo last; echo error >&2; exit 1", "");
    for outcome in futures_util::future::join_all((0..30).map(|_| run_within(&probe, 60_000))).await {
        let (_, message) = failure(&outcome);
        assert!(message.ends_with("error"), "{message}");
        assert_eq!(outcome.verdict.failure().unwrap().excerpt.as_ref().unwrap().body, "first\nlast\n");
    }
}

#[tokio::test]
async fn a_server_that_dies_is_told_from_a_command_that_does() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probe = command(&sshd, "sleep 30", "");
    let die = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        sshd.die();
    };
    let (outcome, ()) = tokio::join!(run(&probe), die);
    let (class, message) = failure(&outcome);
    assert_eq!(class, FailureClass::Protocol, "{message}");
    assert!(message.contains("while the command ran"), "{message}");
    assert_eq!(phases(&outcome.tree).last(), Some(&"ssh.cmd"));
}

#[tokio::test]
async fn twenty_commands_at_once_get_their_own_answers() {
    if !installed() {
        return;
    }
    let sshd = Sshd::start().await;
    let probes: Vec<String> =
        (0..20).map(|n| command(&sshd, &format!("echo answer {n}"), &format!(", output: answer {n}"))).collect();
    let outcomes = futures_util::future::join_all(probes.iter().map(|probe| run_within(probe, 60_000))).await;
    outcomes.iter().for_each(assert_up);
}

#[test]
fn what_has_no_use_without_a_command_is_refused() {
    for key in
        ["expected: 1", "output: x", "json: true", "set_keys: {a: $.b}", "assertions: {a: 1}", "propagate: false"]
    {
        let told = mistakes(&format!("probe: ssh, host: a.example, username: x, host_key: any, {key}"));
        assert!(told.contains("needs a `command`"), "{told}");
    }
}
