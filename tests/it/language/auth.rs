//! Who asks: tokens that are fetched, kept, and given up.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use probe_core::FailureClass;

use crate::support::{
    probe::{Ran, check, config, config_again, probe, run},
    target::{Act, Received, Target, answer, redirect},
};

fn json(status: u16, body: &str) -> Act {
    Act::write(format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// A token endpoint that counts: `token-0001`, `token-0002` …
async fn tokens(expires: u32) -> Target {
    let count = Arc::new(AtomicUsize::new(0));
    Target::answering(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        vec![json(
            200,
            &format!(
                "{{\"access_token\": \"token-{number:04}\", \"token_type\": \"Bearer\", \"expires_in\": {expires}}}"
            ),
        )]
    })
    .await
}

/// A target that takes just this token.
async fn takes(token: &'static str) -> Target {
    Target::answering(move |request| {
        let taken = request.header("authorization") == Some(&format!("Bearer {token}"));
        vec![if taken { answer(200, "") } else { answer(401, "not that one") }]
    })
    .await
}

fn keys(target: &Target, tokens: &Target) -> String {
    format!(
        "url: '{}', auth: {{oauth2: {{token_url: '{}', client_id: me, client_secret: hush-hush, scope: read}}}}",
        target.url("/"),
        tokens.url("/token")
    )
}

fn asked(target: &Target) -> Vec<Received> {
    target.seen().into_iter().map(|seen| seen.request).collect()
}

fn descriptions(ran: &Ran) -> Vec<String> {
    ran.spans("http.request").iter().map(|span| span.description.clone()).collect()
}

#[tokio::test]
async fn a_token_is_a_request_of_its_own_and_is_kept_for_the_next_run() {
    let (target, tokens) = (takes("token-0001").await, tokens(3_600).await);
    let check = check(&keys(&target, &tokens));
    let first = run(&check).await;
    let want = [format!("POST {}", tokens.url("/token")), format!("GET {}", target.url("/"))];
    assert_eq!(descriptions(first.is_up()), want);
    let second = run(&check).await;
    assert_eq!(descriptions(second.is_up()), want[1..]);
    let asked = asked(&tokens);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, b"grant_type=client_credentials&scope=read");
    assert_eq!(asked[0].header("authorization"), Some("Basic bWU6aHVzaC1odXNo"));
    assert_eq!(asked[0].header("sentry-trace"), None, "the trace is for the target alone");
}

#[tokio::test]
async fn a_token_that_has_expired_is_not_tried() {
    let (target, tokens) = (takes("token-0002").await, tokens(0).await);
    let check = check(&keys(&target, &tokens));
    let first = run(&check).await;
    assert_eq!(descriptions(first.is_up()).len(), 4, "it was refused, and a second one taken");
    let second = run(&check).await;
    assert_eq!(second.failure().class, FailureClass::Status);
    assert_eq!(asked(&tokens).len(), 4);
}

#[tokio::test]
async fn checks_that_ask_alike_share_a_token_also_when_the_file_is_read_again() {
    let (target, tokens) = (takes("token-0001").await, tokens(3_600).await);
    let probe = format!("      - {{probe: http, {}}}\n", keys(&target, &tokens));
    let text = format!("groups:\n  - probes:\n{probe}{probe}");
    let first = config(&text);
    for check in &first.checks {
        run(check).await.is_up();
    }
    let second = config_again(&text, first.tokens.clone());
    drop(first);
    run(&second.checks[0]).await.is_up();
    assert_eq!(asked(&tokens).len(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (target, tokens) = (takes("none").await, tokens(3_600).await);
    let ran = probe(&keys(&target, &tokens)).await;
    assert_eq!(ran.failure().class, FailureClass::Status);
    assert_eq!((asked(&target).len(), asked(&tokens).len()), (2, 2));
}

#[tokio::test]
async fn a_failure_of_the_token_endpoint_says_so_and_is_not_the_targets() {
    let target = takes("none").await;
    let refusing =
        Target::always(vec![json(401, "{\"error\": \"invalid_client\", \"error_description\": \"who are you\"}")])
            .await;
    let empty = Target::always(vec![json(200, "{\"token_type\": \"bearer\"}")]).await;
    let other = Target::always(vec![json(200, "{\"access_token\": \"a\", \"token_type\": \"mac\"}")]).await;
    let silent = Target::blind(vec![]).await;
    for (tokens, says) in [
        (refusing, "it answered 401: invalid_client, who are you"),
        (empty, "its answer holds no `access_token`"),
        (other, "it gave a token of the type \"mac\", where only bearer tokens are known"),
        (silent, "connection closed"),
    ] {
        let ran = probe(&keys(&target, &tokens)).await;
        let failure = ran.failure();
        assert_eq!(failure.class, FailureClass::Auth, "{failure}");
        assert!(failure.message.starts_with(&format!("no token from {}: ", tokens.url("/token"))), "{failure}");
        assert!(failure.message.contains(says), "{failure}");
        assert!(failure.reproduce.as_ref().is_some_and(|line| line.contains("/token")), "{failure:?}");
    }
    assert!(asked(&target).is_empty());
}

#[tokio::test]
async fn a_token_is_known_as_a_secret_and_not_in_the_command_line() {
    let tokens = tokens(3_600).await;
    let target = Target::always(vec![answer(500, "you sent token-0001, did you?")]).await;
    let ran = probe(&keys(&target, &tokens)).await;
    assert!(ran.failure().reproduce.as_ref().is_some_and(|line| line.contains("Bearer [redacted]")));
    assert!(ran.0.secrets.iter().any(|secret| secret.expose() == "token-0001"), "{ran:#?}");
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let elsewhere = Target::always(vec![answer(200, "")]).await;
    let to = elsewhere.url("/").replace("127.0.0.1", "localhost");
    let target = Target::always(vec![redirect(302, &to)]).await;
    for auth in ["basic: {username: me, password: hush-hush}", "bearer: hush-hush"] {
        let dns = "resolve: 127.0.0.1";
        let port = target.address.port();
        let keys = format!("url: 'http://api.example:{port}/', {dns}, auth: {{{auth}}}, headers: {{cookie: a=b}}");
        probe(&keys).await.is_up();
    }
    for (here, there) in asked(&target).iter().zip(asked(&elsewhere)) {
        assert!(here.header("authorization").is_some() && here.header("cookie").is_some());
        assert!(there.header("authorization").is_none() && there.header("cookie").is_none(), "{there:#?}");
    }
    assert_eq!(asked(&elsewhere).len(), 2);
}
