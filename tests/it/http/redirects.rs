//! Redirects are followed by hand: each hop is seen, and what is secret stays with whom it was meant for.

use std::time::Duration;

use probe_core::FailureClass::{Connect, Redirect, Status};

use crate::support::{
    dns::NameServer,
    probe::{Ran, probe},
    target::{Act, Received, Target, answer, redirect},
};

fn paths(target: &Target) -> Vec<String> {
    target.seen().into_iter().map(|seen| format!("{} {}", seen.request.method, seen.request.path)).collect()
}

/// What a probe finds at a target that redirects `/a` to this location.
async fn sent_to(location: &str) -> (Ran, Target) {
    let location = location.to_owned();
    let target = Target::answering(move |request| match request.path.as_str() {
        "/a" => vec![redirect(302, &location)],
        _ => vec![answer(200, "")],
    })
    .await;
    (probe(&format!("url: '{}'", target.url("/a"))).await, target)
}

#[tokio::test]
async fn each_hop_is_a_request_of_its_own_over_a_connection_of_its_own() {
    let target = Target::answering(|request| match request.path.as_str() {
        "/a" => vec![redirect(301, "/dir/b?x=1")],
        "/dir/b?x=1" => vec![redirect(307, "c#top")],
        _ => vec![answer(200, "")],
    })
    .await;
    let ran = probe(&format!("url: '{}'", target.url("/a"))).await;
    let hops: Vec<_> = ran.is_up().spans("http.request").iter().map(|hop| hop.description.clone()).collect();
    let want: Vec<_> = ["/a", "/dir/b", "/dir/c"].iter().map(|path| format!("GET {}", target.url(path))).collect();
    assert_eq!(hops, want);
    assert_eq!(paths(&target), ["GET /a", "GET /dir/b?x=1", "GET /dir/c"]);
    assert!(ran.spans("http.request").iter().all(|hop| hop.parent == Some(0)));
    assert_eq!(ran.spans("net.tcp").len(), 3);
}

#[tokio::test]
async fn what_is_secret_and_the_trace_do_not_follow_to_another_host() {
    let dns = NameServer::loopback(Duration::ZERO).await;
    let other = Target::always(vec![answer(200, "")]).await;
    let port = other.address.port();
    let own = Target::answering(move |request| match request.path.as_str() {
        "/a" => vec![redirect(302, "/b")],
        _ => vec![redirect(302, &format!("http://other.example:{port}/c"))],
    })
    .await;
    let ran = probe(&format!(
        "url: 'http://user:pa55word@own.example:{}/a', dns: '{}', \
         headers: {{cookie: 'session=secret', x-api-key: secret, x-auth-token: other, user-agent: me, x-plain: seen}}",
        own.address.port(),
        dns.address
    ))
    .await;
    ran.is_up();
    let secret = |request: &Received| {
        ["authorization", "cookie", "x-api-key", "x-auth-token", "sentry-trace", "traceparent"]
            .map(|name| request.header(name).is_some())
    };
    for seen in own.seen() {
        assert_eq!(secret(&seen.request), [true; 6], "{seen:#?}");
    }
    let request = &other.seen()[0].request;
    assert_eq!(secret(request), [false; 6], "{request:#?}");
    assert_eq!((request.header("user-agent"), request.header("x-plain")), (Some("me"), Some("seen")));
    assert_eq!(request.header("host"), Some(format!("other.example:{port}").as_str()));
    assert_eq!(request.header("referer"), None);
}

#[tokio::test]
async fn method_and_body_change_only_as_the_standard_says() {
    for (status, becomes) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let target = Target::answering(move |request| match request.path.as_str() {
            "/a" => vec![redirect(status, "/b")],
            _ => vec![answer(200, "")],
        })
        .await;
        probe(&format!("url: '{}', body: {{a: 1}}, expected: 200", target.url("/a"))).await.is_up();
        let last = target.seen()[1].request.clone();
        assert_eq!(last.method, becomes, "{status}");
        assert_eq!(last.body, if becomes == "GET" { "" } else { "{\"a\":1}" }.as_bytes(), "{status}");
        assert_eq!(last.header("content-type").is_some(), becomes == "POST", "{status}");
    }
}

#[tokio::test]
async fn a_loop_is_told_where_it_closes() {
    let target = Target::answering(|request| vec![redirect(302, if request.path == "/a" { "/b" } else { "/a" })]).await;
    let ran = probe(&format!("url: '{}'", target.url("/a"))).await;
    let (from, to) = (target.url("/b"), target.url("/a"));
    let message = format!("redirect loop: {from} redirects to {to}, where we have been");
    assert_eq!(ran.down(), (Redirect, "http.request", message.as_str()));
    assert_eq!(paths(&target), ["GET /a", "GET /b"]);
}

#[tokio::test]
async fn there_are_no_more_redirects_than_allowed() {
    let target = Target::answering(|request| vec![redirect(302, &format!("{}x", request.path))]).await;
    let ran = probe(&format!("url: '{}', redirects: 3", target.url("/"))).await;
    let message = format!("too many redirects: 3 were followed, and the next goes to {}", target.url("/xxxx"));
    assert_eq!(ran.down(), (Redirect, "http.request", message.as_str()));
    assert_eq!(target.seen().len(), 4);

    let ran = probe(&format!("url: '{}'", target.url("/y"))).await;
    assert!(ran.down().2.starts_with("too many redirects: 10 were followed"), "{ran:#?}");
}

#[tokio::test]
async fn with_redirects_off_a_redirect_is_an_answer() {
    let target = Target::always(vec![redirect(302, "/b")]).await;
    probe(&format!("url: '{}', redirects: false, expected: 302", target.url("/a"))).await.is_up();
    let ran = probe(&format!("url: '{}', redirects: false", target.url("/a"))).await;
    assert_eq!(ran.down().0, Status);
}

#[tokio::test]
async fn a_place_that_cannot_be_followed_is_told() {
    for (location, reason) in [
        ("ftp://files.example/", "where we cannot follow: the URL's scheme is `ftp`"),
        ("http://", "what is not a URL: empty host"),
        ("http://[::1/", "what is not a URL: "),
        ("http://a.example:99999/", "what is not a URL: invalid port number"),
        ("javascript:alert(1)", "where we cannot follow: the URL's scheme is `javascript`"),
    ] {
        let (ran, target) = sent_to(location).await;
        let (class, phase, message) = ran.down();
        assert_eq!((class, phase), (Redirect, "http.request"), "{location}");
        let start = format!("{} redirects ", target.url("/a"));
        let told = message.strip_prefix(&start).unwrap_or_else(|| panic!("{message}"));
        assert!(told.trim_start_matches("to ").starts_with(reason), "{location}: {message}");
    }
}

#[tokio::test]
async fn a_redirect_without_a_place_is_an_answer() {
    let target = Target::always(vec![answer(302, "")]).await;
    let ran = probe(&format!("url: '{}'", target.url("/a"))).await;
    assert_eq!(ran.down().0, Status);
}

#[tokio::test]
async fn a_hop_that_fails_is_the_one_that_carries_the_failure() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (ran, _target) = sent_to(&format!("http://{free}/")).await;
    assert_eq!(ran.down(), (Connect, "net.tcp", format!("connection refused by {free}").as_str()));
    let hops: Vec<_> = ran.spans("http.request").iter().map(|hop| hop.status.as_str()).collect();
    assert_eq!(hops, ["ok", "unavailable"]);
}

#[tokio::test]
async fn a_redirect_with_an_endless_body_is_followed_all_the_same() {
    let target = Target::answering(|request| match request.path.as_str() {
        "/a" => {
            let head = "HTTP/1.1 302 Elsewhere\r\nlocation: /b\r\n\r\n";
            vec![Act::write(head), Act::Flood(vec![b'x'; 4_096])]
        }
        _ => vec![answer(200, "")],
    })
    .await;
    probe(&format!("url: '{}', max_body: 1KiB", target.url("/a"))).await.is_up();
}

#[tokio::test]
async fn a_page_that_asks_for_its_cookie_gets_it() {
    let target = Target::answering(|request| match request.header("cookie") {
        None => {
            vec![Act::write("HTTP/1.1 302 Found\r\nlocation: /\r\nset-cookie: seen=yes\r\ncontent-length: 0\r\n\r\n")]
        }
        Some("seen=yes") => vec![answer(200, "")],
        Some(_) => vec![answer(400, "")],
    })
    .await;
    probe(&format!("url: '{}'", target.url("/"))).await.is_up();
    let failure = probe(&format!("url: '{}', expected: 201", target.url("/"))).await.failure().clone();
    assert!(failure.reproduce.as_ref().is_some_and(|line| line.contains(" -L --max-redirs 10 -b '' ")), "{failure:?}");
}

#[tokio::test]
async fn a_page_that_hands_out_cookies_for_ever_is_left() {
    let target = Target::always(vec![Act::write(
        "HTTP/1.1 302 Found\r\nlocation: /\r\nset-cookie: seen=yes\r\ncontent-length: 0\r\n\r\n",
    )])
    .await;
    let ran = probe(&format!("url: '{}'", target.url("/"))).await;
    assert!(ran.failure().message.starts_with("too many redirects: 10 were followed"), "{}", ran.failure());
}
