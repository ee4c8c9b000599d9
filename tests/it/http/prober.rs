//! What is wrong on the prober's own side says nothing of the target.

use std::{fs::File, process::Command, time::Duration};

use probe_core::{FailureClass, SpanStatus, Verdict};

use crate::support::{
    dns::NameServer,
    probe::{checks, probe, run},
    target::{Target, answer},
};

/// Says that this process is the one with few descriptors.
const CHILD: &str = "HTTP_TEST_FEW_DESCRIPTORS";

#[tokio::test]
async fn an_address_without_a_route_from_here_is_the_probers_fault() {
    // The broadcast address of the loopback network: no packet leaves, no connection can be made.
    let ran = probe("url: 'http://127.255.255.255:9/'").await;
    assert!(matches!(ran.0.verdict, Verdict::Inconclusive(_)), "{ran:#?}");
    let message = "no route from this machine (on the way to 127.255.255.255:9)";
    assert_eq!(ran.broke(), (FailureClass::Internal, "net.tcp", message));
    assert_eq!(ran.span("net.tcp").status, SpanStatus::InternalError);
}

#[tokio::test]
async fn a_name_server_that_cannot_be_reached_from_here_is_the_probers_fault() {
    // A broadcast address: nobody may send there unasked.
    let ran = probe("url: 'http://api.example/', dns: 127.255.255.255").await;
    assert!(matches!(ran.0.verdict, Verdict::Inconclusive(_)), "{ran:#?}");
    let message = "this machine does not permit the connection (a firewall?) (asking 127.255.255.255 for api.example)";
    assert_eq!(ran.broke(), (FailureClass::Internal, "net.dns", message));
}

#[tokio::test]
async fn a_prober_without_descriptors_does_not_call_the_target_down() {
    if std::env::var_os(CHILD).is_none() {
        let mut child = Command::new("sh");
        child.args(["-c", "ulimit -n 48; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        child.args(["--exact", "http::prober::a_prober_without_descriptors_does_not_call_the_target_down"]);
        let output = child.env(CHILD, "").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let (target, dns) = (Target::always(vec![answer(200, "")]).await, NameServer::loopback(Duration::ZERO).await);
    let (literal, port) = (format!("url: '{}'", target.url("/")), target.address.port());
    let named = format!("url: 'http://api.example:{port}/', dns: '{}'", dns.address);
    let checks = checks([literal.as_str(), &named]);
    run(&checks[0]).await.is_up();

    let held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let (literal, named) = (run(&checks[0]).await, run(&checks[1]).await);
    // Reports need descriptors too.
    drop(held);
    for (ran, phase) in [(literal, "net.tcp"), (named, "net.dns")] {
        assert!(matches!(ran.0.verdict, Verdict::Inconclusive(_)), "{ran:#?}");
        let (class, carries, message) = ran.broke();
        assert_eq!((class, carries), (FailureClass::Internal, phase), "{ran:#?}");
        assert!(message.starts_with("this prober has no file descriptors left: raise its limit"), "{message}");
    }
    run(&checks[1]).await.is_up();
}
