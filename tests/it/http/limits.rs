//! One deadline over everything, and a stop at any moment.

use std::{net::Ipv4Addr, time::Duration};

use probe_core::{FailureClass, SpanStatus, Verdict};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::support::{
    dns::{NameServer, Reply},
    probe::{Ran, check, run, run_until},
    target::{Act, Target, answer, bind, redirect},
};

const LIMIT: Duration = Duration::from_millis(250);

/// What the end of a run may be late by.
const LATE: Duration = Duration::from_millis(50);

/// What a probe with these keys finds until the deadline cuts it off, in this phase and in time; a clock beside it tells
/// how late the machine is with anything.
async fn cut_off(keys: &str, phase: &str, since: &str) -> Ran {
    let check = check(&format!("{keys}, timeout: 250ms"));
    let clock = async {
        let begun = Instant::now();
        sleep(LIMIT).await;
        begun.elapsed()
    };
    let (ran, clock) = tokio::join!(run(&check), clock);
    let (class, carries, message) = ran.down();
    assert_eq!((class, carries), (FailureClass::Timeout, phase), "{ran:#?}");
    assert!(message.starts_with(&format!("not done within 250ms: in {phase} ({since}) since ")), "{message}");
    assert!((LIMIT..clock + LATE).contains(&ran.0.tree.duration()), "{ran:#?}");
    let cut = ran.0.tree.failed().unwrap();
    assert_eq!(cut.status, SpanStatus::DeadlineExceeded, "{ran:#?}");
    assert!(ran.0.tree.duration() - cut.end < LATE / 10, "{ran:#?}");
    let mut unwell = ran.0.tree.spans.iter().filter(|span| span.status != SpanStatus::Ok);
    assert!(unwell.all(|span| span.status == SpanStatus::DeadlineExceeded), "{ran:#?}");
    ran
}

#[tokio::test]
async fn a_name_server_that_keeps_silent_is_cut_off_in_dns() {
    let dns = NameServer::start(Duration::ZERO, |_| Reply::Silence).await;
    let ran =
        cut_off(&format!("url: 'http://api.example/', dns: '{}'", dns.address), "net.dns", "DNS resolution").await;
    assert_eq!(ran.phases(), ["http.request", "net.conn", "net.dns"]);
}

#[tokio::test]
async fn a_connection_that_is_not_made_is_cut_off_in_tcp() {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into(), 0).unwrap();
    let address = listener.local_addr().unwrap();
    let _first = TcpStream::connect(address).await.unwrap();
    let ran = cut_off(&format!("url: 'https://{address}/'"), "net.tcp", "TCP connect").await;
    assert_eq!(ran.datum("net.tcp", "network.peer.address"), "\"127.0.0.1\"");
}

#[tokio::test]
async fn a_handshake_without_answer_is_cut_off_in_tls() {
    let target = Target::blind(vec![Act::Hang]).await;
    let ran = cut_off(&format!("url: 'https://{}/'", target.address), "net.tls", "TLS handshake").await;
    assert_eq!(ran.phases(), ["http.request", "net.conn", "net.tcp", "net.tls"]);
}

#[tokio::test]
async fn a_stalled_head_is_cut_off_in_waiting() {
    let target = Target::always(vec![Act::write("HTTP/1.1 200 OK\r\ncontent-"), Act::Hang]).await;
    cut_off(&format!("url: '{}'", target.url("/")), "http.wait", "Awaiting response").await;
    assert!(target.closed().await.closed.is_some(), "the connection goes with the run");
}

#[tokio::test]
async fn a_stalled_body_is_cut_off_in_receiving() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let target = Target::always(vec![Act::pause(100), Act::write(head), Act::Hang]).await;
    let ran = cut_off(&format!("url: '{}'", target.url("/")), "http.recv", "Receiving response").await;
    assert_eq!(ran.datum("http.request", "http.response.status_code"), "200");
    assert!(ran.phase("http.wait") >= Duration::from_millis(95));
    assert!(target.closed().await.closed.is_some(), "the connection goes with the run");
}

#[tokio::test]
async fn a_body_that_drips_cannot_outlive_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let drip = Act::Drip(b"x".to_vec(), Duration::from_millis(5));
    let target = Target::always(vec![Act::write(head), drip]).await;
    cut_off(&format!("url: '{}'", target.url("/")), "http.recv", "Receiving response").await;
}

#[tokio::test]
async fn all_hops_together_have_one_deadline() {
    let target = Target::answering(|request| match request.path.as_str() {
        "/a" => vec![Act::pause(120), redirect(302, "/b")],
        _ => vec![Act::pause(1_000), answer(200, "")],
    })
    .await;
    let ran = cut_off(&format!("url: '{}'", target.url("/a")), "http.wait", "Awaiting response").await;
    let hops: Vec<_> = ran.spans("http.request").iter().map(|hop| hop.status).collect();
    assert_eq!(hops, [SpanStatus::Ok, SpanStatus::DeadlineExceeded]);
}

#[tokio::test]
async fn a_stop_ends_a_run_at_once_and_says_nothing_of_the_target() {
    let target = Target::always(vec![Act::Hang]).await;
    let check = check(&format!("url: '{}'", target.url("/")));
    let begun = Instant::now();
    let ran = run_until(&check, sleep(Duration::from_millis(60))).await;
    assert!(begun.elapsed() < Duration::from_millis(60) + LATE);
    assert!(matches!(ran.0.verdict, Verdict::Inconclusive(_)), "{ran:#?}");
    let wait = ran.span("http.wait");
    assert_eq!((wait.status, wait.end), (SpanStatus::Cancelled, ran.0.tree.duration()));
    assert_eq!(ran.span("net.tcp").status, SpanStatus::Ok);
    let closed = target.closed().await.closed.unwrap();
    assert!(closed - begun < Duration::from_millis(60) + LATE, "the target is left as well");
}
