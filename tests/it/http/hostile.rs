//! Targets that mean harm: whatever they send, the prober's memory and time stay bounded.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use probe_core::FailureClass::{Protocol, Status, Timeout};
use tokio::time::Instant;

use crate::support::{
    probe::{Ran, check, probe, run},
    target::{Act, Target, answer},
};

/// What the sockets of a loopback connection may hold on top of what was read.
const IN_FLIGHT: usize = 24 << 20;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// What a probe finds, how long it took, and how much the target could get rid of.
async fn flooded(head: &str, flood: impl AsRef<[u8]>, keys: &str) -> (Ran, Duration, usize) {
    let target = Target::always(vec![Act::write(head), Act::Flood(flood.as_ref().to_vec())]).await;
    let begun = Instant::now();
    let ran = probe(&format!("url: '{}', timeout: 2s, {keys}", target.url("/"))).await;
    let took = begun.elapsed();
    (ran, took, target.closed().await.poured)
}

#[tokio::test]
async fn an_endless_body_is_read_to_its_bound_and_no_further() {
    for (head, chunk) in
        [("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(4_096)), (CHUNKED, format!("1000\r\n{}\r\n", "x".repeat(4_096)))]
    {
        let (ran, took, poured) = flooded(head, chunk, "max_body: 64KiB").await;
        // What came with the last read counts, and is not kept.
        let came: usize = ran.is_up().datum("http.recv", "http.response.body.size").parse().unwrap();
        assert!((65_536..65_536 + (32 << 10)).contains(&came), "{came}");
        assert_eq!(ran.datum("http.recv", "http.response.body.truncated"), "true");
        assert!(took < Duration::from_secs(1) && poured < IN_FLIGHT, "{took:?}, {poured} bytes");
    }
}

#[tokio::test]
async fn an_endless_head_is_too_large() {
    for flood in ["x-more: and more\r\n", "x"] {
        let flood = flood.repeat(512);
        let (ran, took, poured) = flooded("HTTP/1.1 200 OK\r\n", flood, "every: 60").await;
        let (class, phase, message) = ran.down();
        assert_eq!((class, phase), (Protocol, "http.wait"), "{message}");
        assert!(
            message.starts_with("the head of 127.0.0.1:") && message.ends_with("'s answer is too large"),
            "{message}"
        );
        assert!(took < Duration::from_secs(1) && poured < IN_FLIGHT, "{took:?}, {poured} bytes");
    }
}

#[tokio::test]
async fn a_hundred_thousand_headers_are_too_many() {
    let headers: String = (0..100_000).map(|number| format!("x-{number}: {number}\r\n")).collect();
    let whole = format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\nok");
    let begun = Instant::now();
    let target = Target::always(vec![Act::Write(whole.into_bytes())]).await;
    let ran = probe(&format!("url: '{}', timeout: 2s", target.url("/"))).await;
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (Protocol, "http.wait"), "{message}");
    assert!(message.ends_with("'s answer is too large"), "{message}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn promises_of_an_answer_without_end_do_not_outlive_the_deadline() {
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(64);
    let target = Target::always(vec![Act::Flood(flood.into_bytes())]).await;
    let ran = probe(&format!("url: '{}', timeout: 300ms", target.url("/"))).await;
    let (class, phase, _) = ran.down();
    assert_eq!((class, phase), (Timeout, "http.wait"), "{ran:#?}");
    // The target keeps this very thread busy: in time is what is not for ever.
    assert!(ran.0.tree.duration() < Duration::from_millis(1_500), "{ran:#?}");
}

#[tokio::test]
async fn endless_chunk_extensions_and_trailers_are_refused() {
    for head in [format!("{CHUNKED}1;"), format!("{CHUNKED}0\r\n")] {
        let flood = if head.ends_with(';') { "x".repeat(512) } else { "x: y\r\n".repeat(100) };
        let (ran, took, poured) = flooded(&head, flood, "every: 60").await;
        let (class, phase, message) = ran.down();
        assert_eq!((class, phase), (Protocol, "http.recv"), "{message}");
        assert!(took < Duration::from_secs(1) && poured < IN_FLIGHT, "{took:?}, {poured} bytes");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_harm_nobody() {
    let head = b"HTTP/1.1 503 \xff\xfe\r\nx-\x80\xff: y\r\n\r\n".to_vec();
    let ran = probe_of(vec![Act::Write(head)]).await;
    assert_eq!(ran.down().0, Protocol);

    let head = b"HTTP/1.1 503 \xff\xfe\r\nx-name: \xff\xfe\r\ncontent-length: 3\r\n\r\n\xff\x00\xfe".to_vec();
    let ran = probe_of(vec![Act::Write(head)]).await;
    let excerpt = ran.failure().excerpt.as_ref().unwrap();
    assert_eq!(ran.down().0, Status);
    assert!(excerpt.head.contains("x-name: \u{fffd}\u{fffd}"), "{excerpt:?}");
    assert_eq!(excerpt.body, "\u{fffd}\u{0}\u{fffd}");
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_not_http() {
    for lengths in
        ["content-length: 5\r\ncontent-length: 6", "content-length: -1", "content-length: 99999999999999999999"]
    {
        let head = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nbody");
        let ran = probe_of(vec![Act::write(head), Act::Hang]).await;
        let (class, phase, message) = ran.down();
        assert_eq!((class, phase), (Protocol, "http.wait"), "{message}");
    }
}

#[tokio::test]
async fn an_answer_before_the_request_was_sent_is_an_answer() {
    let target = Target::blind(vec![Act::Read, answer(413, "too much"), Act::Hang]).await;
    let body = "x".repeat(6 << 20);
    let ran = probe(&format!("url: '{}', timeout: 2s, body: '{body}'", target.url("/"))).await;
    assert_eq!(ran.down().0, Status, "{ran:#?}");
    assert_eq!(ran.datum("http.request", "http.response.status_code"), "413");
}

#[tokio::test]
async fn more_than_one_answer_is_one_answer() {
    let ran = probe_of(vec![answer(200, "first"), answer(500, "second"), answer(500, "third")]).await;
    assert_eq!(ran.is_up().datum("http.recv", "http.response.body.size"), "5");
}

const WHOLE: &str =
    "HTTP/1.1 200 OK\r\nserver: x\r\ntransfer-encoding: chunked\r\n\r\n4;a=b\r\nbody\r\n0\r\nt: u\r\n\r\n";

#[tokio::test]
async fn an_answer_may_end_at_any_byte() {
    let runs = AtomicUsize::new(0);
    let target = Target::answering(move |_| vec![Act::write(&WHOLE[..runs.fetch_add(1, Ordering::Relaxed)])]).await;
    let check = check(&format!("url: '{}', timeout: 2s", target.url("/")));
    for _ in 0..WHOLE.len() {
        assert_eq!(run(&check).await.down().0, Protocol);
    }
    run(&check).await.is_up();
}

#[tokio::test]
async fn any_byte_of_an_answer_may_be_wrong() {
    for wrong in [b'\0', b'\n', b' ', b':', b'9', 0xff] {
        let runs = AtomicUsize::new(0);
        let target = Target::answering(move |_| {
            let mut bytes = WHOLE.as_bytes().to_vec();
            bytes[runs.fetch_add(1, Ordering::Relaxed)] = wrong;
            vec![Act::Write(bytes)]
        })
        .await;
        let check = check(&format!("url: '{}', timeout: 2s", target.url("/")));
        for _ in 0..WHOLE.len() {
            let ran = run(&check).await;
            // It may be taken for another answer; it is never the prober's fault, and never waited for.
            let class = ran.0.verdict.failure().map(|failure| failure.class);
            assert!(matches!(class, None | Some(Protocol | Status)), "{ran:#?}");
        }
    }
}

async fn probe_of(acts: Vec<Act>) -> Ran {
    let target = Target::always(acts).await;
    probe(&format!("url: '{}', timeout: 2s", target.url("/"))).await
}
