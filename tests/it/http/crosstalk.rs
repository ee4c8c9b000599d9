//! Many checks at once: each run tells of its own target and of no other.

use std::{sync::Arc, time::Duration};

use probe_core::Verdict;

use crate::support::{
    certificates::{Authority, Validity},
    dns::NameServer,
    probe::{checks, run},
    target::{Act, Received, Target, answer},
};

const CHECKS: usize = 200;
const TARGETS: usize = 8;

/// What check `number` is answered, and after how long.
fn told(number: usize) -> (u16, u64) {
    (if number.is_multiple_of(3) { 503 } else { 200 }, 20 + 7 * (number as u64 % 23))
}

fn script(request: &Received) -> Vec<Act> {
    let (status, pause) = told(request.path[1..].parse().unwrap());
    vec![Act::pause(pause), answer(status, &"x".repeat(usize::from(status)))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_checks_at_once_do_not_hear_each_other() {
    let dns = NameServer::loopback(Duration::from_millis(5)).await;
    let mut targets = Vec::new();
    for number in 0..TARGETS {
        let authority = Authority::new(&format!("Authority {number}"));
        // Half of them speak TLS, each with a certificate of its own.
        let target = match number % 2 {
            0 => Target::answering(script).await,
            _ => {
                let names: Vec<_> = (0..CHECKS).map(|check| format!("c{check}.example")).collect();
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                Target::secure(authority.server(&names, Validity::now()), Duration::ZERO, script).await
            }
        };
        targets.push((authority, target));
    }
    let keys: Vec<_> = (0..CHECKS)
        .map(|number| {
            let (authority, target) = &targets[number % TARGETS];
            let (scheme, tls) = match number % 2 {
                0 => ("http", String::new()),
                _ => ("https", format!(", tls: {{ca: {}}}", authority.quoted())),
            };
            let port = target.address.port();
            format!("url: '{scheme}://c{number}.example:{port}/{number}', dns: '{}'{tls}", dns.address)
        })
        .collect();
    let checks = checks(keys.iter().map(String::as_str)).into_iter().map(Arc::new);
    let runs: Vec<_> = checks.map(|check| tokio::spawn(async move { run(&check).await })).collect();

    for (number, run) in runs.into_iter().enumerate() {
        let ran = run.await.unwrap();
        let (target, (status, pause)) = (&targets[number % TARGETS].1, told(number));
        let seen = target.seen().into_iter().filter(|seen| seen.request.path == format!("/{number}"));
        let [seen] = &*seen.collect::<Vec<_>>() else { panic!("{number} was not asked once") };

        // The very socket that the target saw.
        assert_eq!(ran.datum("net.conn", "network.local.port"), seen.peer.port().to_string());
        assert_eq!(ran.datum("net.conn", "network.peer.port"), target.address.port().to_string());
        assert_eq!(ran.datum("http.request", "server.address"), format!("\"c{number}.example\""));
        assert_eq!(ran.datum("net.dns", "dns.question.name"), format!("\"c{number}.example\""));
        assert_eq!(ran.datum("http.request", "http.response.status_code"), status.to_string());
        assert_eq!(ran.datum("http.recv", "http.response.body.size"), status.to_string());
        if number % 2 == 1 {
            let issuer = format!("\"Authority {}\"", number % TARGETS);
            assert_eq!(ran.datum("net.tls", "tls.server.issuer"), issuer);
        }
        assert_eq!(matches!(ran.0.verdict, Verdict::Up), status == 200, "{ran:#?}");
        // The target began to pause after the request came, and was heard after it had answered.
        assert!(ran.phase("http.wait") >= Duration::from_millis(pause - 2), "{number}: {ran:#?}");
    }
}
