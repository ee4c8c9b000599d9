//! Which address is asked: by its family, and by what the configuration says in place of DNS.

use std::{net::IpAddr, time::Duration};

use probe_core::FailureClass;

use crate::support::{
    dns::{NameServer, Reply},
    probe::probe,
    target::{Act, Target, answer, bind},
};

/// A name server that knows `api.example` by these addresses.
async fn knows(addresses: &[&str]) -> NameServer {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    NameServer::start(Duration::ZERO, move |_| Reply::Addresses(addresses.clone())).await
}

/// The same port on both loopback addresses, with what each answers; none where there is no IPv6.
async fn both(v4: u16, v6: u16) -> Option<(Target, Target)> {
    both_do(vec![answer(v4, "")], vec![answer(v6, "")])
}

/// The same, with what each does.
fn both_do(v4: Vec<Act>, v6: Vec<Act>) -> Option<(Target, Target)> {
    for _ in 0..20 {
        let first = bind("127.0.0.1:0".parse().unwrap(), 64).ok()?;
        let port = first.local_addr().unwrap().port();
        bind("[::1]:0".parse().unwrap(), 64).ok()?;
        if let Ok(second) = bind(format!("[::1]:{port}").parse().unwrap(), 64) {
            return Some((Target::on(first, move |_| v4.clone()), Target::on(second, move |_| v6.clone())));
        }
    }
    None
}

#[tokio::test]
async fn only_the_family_that_is_wanted_is_asked() {
    let Some((v4, v6)) = both(200, 200).await else { return };
    let dns = knows(&["127.0.0.1", "::1"]).await;
    let port = v4.address.port();
    for (family, address) in [("4", "\"127.0.0.1\""), ("6", "\"::1\"")] {
        let keys = format!("url: 'http://api.example:{port}/', dns: '{}', family: {family}", dns.address);
        let ran = probe(&keys).await;
        assert_eq!(ran.is_up().datum("net.tcp", "network.peer.address"), address);
        assert_eq!(ran.datum("net.dns", "dns.answers.count"), "1");
    }
    assert_eq!((v4.seen().len(), v6.seen().len()), (1, 1));
}

#[tokio::test]
async fn both_are_two_requests_side_by_side() {
    let Some((v4, _v6)) = both(200, 200).await else { return };
    let dns = knows(&["127.0.0.1", "::1"]).await;
    let keys = format!("url: 'http://api.example:{}/', dns: '{}', family: both", v4.address.port(), dns.address);
    let ran = probe(&keys).await;
    let requests = ran.is_up().spans("http.request");
    let peers: Vec<_> = requests.iter().map(|span| span.datum("network.peer.address").cloned().unwrap()).collect();
    assert_eq!(peers, ["127.0.0.1", "::1"]);
    assert!(requests.iter().all(|span| span.parent == Some(0)));
}

#[tokio::test]
async fn the_run_is_down_when_one_of_both_is_and_says_which() {
    let Some((v4, _v6)) = both(200, 503).await else { return };
    let dns = knows(&["127.0.0.1", "::1"]).await;
    let keys = format!("url: 'http://api.example:{}/', dns: '{}', family: both", v4.address.port(), dns.address);
    let ran = probe(&keys).await;
    let failure = ran.failure();
    assert_eq!(failure.class, FailureClass::Status);
    assert!(failure.message.starts_with("over IPv6: expected status 200, got 503"), "{failure}");
    assert!(failure.reproduce.as_ref().is_some_and(|line| line.contains("curl -i") && line.contains(" -6 ")));
    let statuses: Vec<_> = ran.spans("http.request").iter().map(|span| span.status.as_str()).collect();
    assert_eq!(statuses, ["ok", "failed_precondition"]);
}

#[tokio::test]
async fn a_family_that_hangs_is_named_and_the_other_keeps_its_verdict() {
    let Some((v4, _v6)) = both_do(vec![answer(503, "")], vec![Act::Hang]) else { return };
    let dns = knows(&["127.0.0.1", "::1"]).await;
    let url = format!("url: 'http://api.example:{}/', dns: '{}'", v4.address.port(), dns.address);
    let failure = probe(&format!("{url}, family: both, timeout: 300ms")).await.failure().clone();
    assert!(failure.message.contains("over IPv4: expected status 200, got 503"), "{failure}");
    assert!(failure.message.contains("over IPv6: not done within 300ms: in http.wait"), "{failure}");

    let failure = probe(&format!("{url}, family: both, expected: 503, timeout: 300ms")).await.failure().clone();
    assert_eq!(failure.class, FailureClass::Timeout);
    assert!(failure.message.starts_with("over IPv6: not done within 300ms: in http.wait"), "{failure}");
    assert!(failure.reproduce.as_ref().is_some_and(|line| line.contains(" -6 ")), "{failure:?}");
}

#[tokio::test]
async fn a_name_without_an_address_of_the_family_says_so() {
    let dns = knows(&["127.0.0.1"]).await;
    let ran = probe(&format!("url: 'http://api.example/', dns: '{}', family: 6", dns.address)).await;
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (FailureClass::Dns, "net.dns"));
    assert!(message.starts_with("api.example has no address: no AAAA record"), "{message}");
}

#[tokio::test]
async fn a_configured_address_needs_no_dns_and_the_host_stays() {
    let target = Target::always(vec![answer(200, "")]).await;
    let host = format!("api.example:{}", target.address.port());
    let ran = probe(&format!("url: 'http://{host}/', resolve: [127.0.0.1], dns: '127.0.0.1:9'")).await;
    assert_eq!(ran.is_up().phases()[..3], ["http.request", "net.conn", "net.tcp"]);
    assert_eq!(ran.datum("net.conn", "dns.source"), "\"configured\"");
    assert_eq!(target.seen()[0].request.header("host"), Some(host.as_str()));
}
