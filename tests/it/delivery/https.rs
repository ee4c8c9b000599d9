//! Posts over real connections.

use std::time::Duration;

use sentrynet::report::sentry::{
    Dsn,
    delivery::{Answer, Authorities, Broken, Carrier, DeliverySettings, Https},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use super::{SECOND, error, transaction};
use crate::support::{
    certificates::Authority,
    sentry::{Mood, Sentry, Server},
};

fn https(dsn: &Dsn) -> Https {
    Https::new(dsn, &DeliverySettings::default()).unwrap()
}

async fn post(dsn: &Dsn) -> Result<Answer, Broken> {
    https(dsn).post(transaction(1).bytes).await
}

async fn broken(dsn: &Dsn) -> String {
    post(dsn).await.expect_err("nothing arrives").to_string()
}

#[tokio::test]
async fn an_envelope_arrives_as_it_was() {
    let server = Server::plain(Sentry::new()).await;
    let answer = post(&server.dsn()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let taken = &server.sentry.taken()[0];
    assert_eq!(taken.kind(), "transaction");
    assert_eq!(taken.items[0].json()["transaction"], "GET 1");
    assert_eq!(server.sentry.dropped(), [""; 0]);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::plain(Sentry::new()).await;
    let https = https(&server.dsn());
    for number in 0..20 {
        assert_eq!(https.post(error(number).bytes).await.unwrap().status, 200);
    }
    assert_eq!(server.sentry.seen().connections, 1);
}

#[tokio::test]
async fn an_answer_says_what_is_limited() {
    let said = Answer {
        status: 429,
        rate_limits: Some("60:transaction:key, 2700:default;error:organization".to_owned()),
        retry_after: Some("60".to_owned()),
        detail: "Sentry dropped data due to a quota".to_owned(),
    };
    let server = Server::plain(Sentry::that(Mood::Answers(said.clone()))).await;
    assert_eq!(post(&server.dsn()).await, Ok(said));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Server::plain(Sentry::that(Mood::status(302))).await;
    assert_eq!(post(&server.dsn()).await.unwrap().status, 302);
    assert_eq!(server.sentry.seen().posts, 1);
}

#[tokio::test]
async fn sentry_refuses_what_is_too_large_or_ill_formed_or_from_a_stranger() {
    let server = Server::plain(Sentry::new()).await;
    let https = https(&server.dsn());
    let large = format!("{{}}\n{{\"type\":\"event\"}}\n{{\"x\":\"{}\"}}\n", "x".repeat(1 << 20));
    assert_eq!(https.post(large.into_bytes()).await.unwrap().status, 413);
    assert_eq!(https.post(b"{}\n{\"type\":\"event\",\"length\":99}\n{}\n".to_vec()).await.unwrap().status, 400);
    let stranger = server.dsn_with("ffffffffffffffffffffffffffffffff");
    assert_eq!(post(&stranger).await.unwrap().status, 403);
    assert_eq!(server.sentry.taken().len(), 0);
}

#[tokio::test]
async fn a_connection_that_is_closed_is_no_answer() {
    for (mood, taken) in [(Mood::ClosesBefore, 0), (Mood::ClosesAfter, 1)] {
        let server = Server::plain(Sentry::that(mood)).await;
        assert!(broken(&server.dsn()).await.contains("connection closed"));
        assert_eq!(server.sentry.taken().len(), taken);
    }
}

#[tokio::test]
async fn a_status_counts_whatever_becomes_of_the_rest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dsn = format!("http://key@{}/42", listener.local_addr().unwrap()).parse().unwrap();
    let breaking_off = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Only what has come whole is answered.
        let mut request = [0; 64];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort").await.unwrap();
        stream.shutdown().await.unwrap();
        // Bytes that are not read would reset the connection, and the answer with it.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap();
    };
    let (answer, ()) = tokio::join!(post(&dsn), breaking_off);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.detail.as_str()), (200, "short"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for() {
    let server = Server::plain(Sentry::that(Mood::Hangs)).await;
    assert!(timeout(Duration::from_millis(100), post(&server.dsn())).await.is_err());
    // And what was given up is given up on the other side as well.
    timeout(10 * SECOND, server.sentry.until(|seen| seen.open == 0)).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_said_in_words_and_without_the_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let said = broken(&format!("http://secretkey@{address}/42").parse().unwrap()).await;
    assert!(said.contains("Connection refused"), "{said}");
    assert!(!said.contains("secretkey"), "{said}");
}

#[tokio::test]
async fn only_what_an_authority_vouches_for_is_trusted() {
    let authority = Authority::new("SentryNet test");
    let server = Server::tls(Sentry::new(), &authority).await;
    let said = broken(&server.dsn()).await;
    assert!(said.contains("UnknownIssuer"), "{said}");
    let settings = DeliverySettings {
        authorities: Some(Authorities::from_pem(authority.pem().as_bytes()).unwrap()),
        ..DeliverySettings::default()
    };
    let https = Https::new(&server.dsn(), &settings).unwrap();
    assert_eq!(https.post(transaction(1).bytes).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_no_tls_is_no_answer() {
    let server = Server::broken_tls(Sentry::new()).await;
    let said = broken(&server.dsn()).await;
    assert!(said.contains("corrupt message") || said.contains("InvalidContentType"), "{said}");
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_name_that_only_it_knows() {
    let server = Server::plain(Sentry::new()).await;
    let dsn: Dsn = server.dsn_at("sentry.invalid");
    let proxy = format!("http://user:password@{}", server.address()).parse().unwrap();
    let settings = DeliverySettings { proxy: Some(proxy), ..DeliverySettings::default() };
    let https = Https::new(&dsn, &settings).unwrap();
    assert_eq!(https.post(transaction(1).bytes).await.unwrap().status, 200);
}
