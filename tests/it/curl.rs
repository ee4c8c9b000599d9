//! The command line of a failure asks the target the same as the probe did.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use tokio::process::Command;

use crate::support::{
    probe::probe,
    program,
    target::{Received, Target, answer},
};

/// What is asked, each as the keys of an http probe; `BASE` is the target.
const SHAPES: [&str; 58] = [
    "url: 'BASE/'",
    "url: 'BASE'",
    "url: 'BASE/a/b?c=d'",
    "url: 'BASE/?'",
    "url: 'BASE/a%20b/%2F/ü'",
    "url: 'BASE/a/../b/./c'",
    "url: 'BASE/[x]{y}'",
    "url: 'BASE/x?list[]=1&map[a]=2'",
    "url: \"BASE/it's?q='\"",
    "url: 'BASE/$HOME/`id`/!'",
    "url: 'BASE/#top'",
    "url: 'http://me:p%40ss@HOST/'",
    "url: 'http://me@HOST/x'",
    "url: 'BASE/', query: {q: 'two words', n: 1.50}",
    "url: 'BASE/?a=1', query: {a: [2, 3], b: 'ü&='}",
    "url: 'BASE/', query: {'a b': '', c: true}",
    "url: 'BASE/', method: head",
    "url: 'BASE/', method: options",
    "url: 'BASE/', method: delete",
    "url: 'BASE/', method: post",
    "url: 'BASE/', method: put",
    "url: 'BASE/', method: patch",
    "url: 'BASE/', method: purge",
    "url: 'BASE/', method: PROPFIND, headers: {depth: 1}",
    "url: 'BASE/', headers: {accept: application/json}",
    "url: 'BASE/', headers: {user-agent: us}",
    "url: 'BASE/', headers: {user-agent: ''}",
    "url: 'BASE/', headers: {x-empty: ''}",
    "url: 'BASE/', headers: {x-quotes: 'it''s \"so\" and \\ so'}",
    "url: 'BASE/', headers: {x-shell: '$(id) `id` ; rm & | > <'}",
    "url: 'BASE/', headers: {host: other.example}",
    "url: 'BASE/', headers: {x-city: 'zürich'}",
    "url: 'BASE/', headers: {authorization: Bearer abc.def}",
    "url: 'BASE/', headers: {cookie: 'a=1; b=2'}",
    "url: 'BASE/', headers: {accept-encoding: identity}",
    "url: 'BASE/', headers: {X-Case: Yes, x-number: 1.10, x-bool: true}",
    "url: 'BASE/', auth: {basic: {username: me, password: 'p: w'}}",
    "url: 'BASE/', auth: {basic: {username: me}}",
    "url: 'BASE/', auth: {bearer: a-token}",
    "url: 'BASE/', body: plain",
    "url: 'BASE/', body: '@/etc/passwd'",
    "url: 'BASE/', body: \"a 'quoted' body with \\\"both\\\"\"",
    "url: 'BASE/', body: \"two\\nlines\\r\\n\\tand more\\n\"",
    "url: 'BASE/', body: 'ünï → 🦀'",
    "url: 'BASE/', body: '&a=1&b=%20+'",
    "url: 'BASE/', body: {a: [1, null, 'x'], b: {c: \"it's\"}}",
    "url: 'BASE/', body: [1, 2]",
    "url: 'BASE/', body: 5",
    "url: 'BASE/', body: {a: 1}, headers: {content-type: application/ld+json}",
    "url: 'BASE/', body: text, headers: {content-type: text/plain}",
    "url: 'BASE/', body: x, method: put",
    "url: 'BASE/', body: x, method: get",
    "url: 'BASE/', body: x, method: delete",
    "url: 'BASE/', form: {a: '1 2', b: [x, y], 'c[]': 'ü&='}",
    "url: 'BASE/', form: {a: 1}, method: patch",
    "url: 'BASE/', body: LONG",
    "url: 'BASE/', http_version: 1.1, redirects: false, family: 4",
    "url: 'http://api.example:PORT/x', resolve: 127.0.0.1",
];

/// Headers in lower case and in order, without those that name the run.
fn headers(request: &Received) -> Vec<(String, String)> {
    let trace = ["sentry-trace", "traceparent", "baggage"];
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    headers.retain(|(name, _)| !trace.contains(&name.as_str()));
    headers.sort();
    headers
}

async fn shell(line: &str) {
    let mut command = Command::new("sh");
    // What a person's own settings would add is none of the line.
    command.arg("-c").arg(line).env_remove("http_proxy").env_remove("https_proxy").env_remove("all_proxy");
    let output = command.env("HOME", "/nonexistent").output().await.unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_command_line_of_a_failure_asks_the_same() {
    if program::find("curl", "curl").is_none() {
        return;
    }
    let target = Target::always(vec![answer(500, "no")]).await;
    let port = target.address.port().to_string();
    let long = format!("\"{}\"", "0123456789abcde\\n".repeat(500));
    for (number, shape) in SHAPES.iter().enumerate() {
        let keys = shape.replace("BASE", &target.url("")).replace("HOST", &target.address.to_string());
        let ran = probe(&keys.replace("PORT", &port).replace("LONG", &long)).await;
        let line = ran.failure().reproduce.clone().unwrap_or_else(|| panic!("{shape}: none"));
        assert!(line.contains("--max-time "), "{line}");
        shell(&line).await;
        let seen = target.seen();
        assert_eq!(seen.len(), 2 * (number + 1), "{shape}");
        let [own, theirs] = [&seen[2 * number].request, &seen[2 * number + 1].request];
        assert_eq!((&own.method, &own.path), (&theirs.method, &theirs.path), "{line}");
        assert_eq!(headers(own), headers(theirs), "{line}");
        assert_eq!(String::from_utf8_lossy(&own.body), String::from_utf8_lossy(&theirs.body), "{line}");
    }
}

#[tokio::test]
async fn a_chain_of_redirects_is_followed_by_the_command_line_too() {
    if program::find("curl", "curl").is_none() {
        return;
    }
    let target = Target::answering(|request| match request.path.as_str() {
        "/a" => vec![crate::support::target::redirect(302, "/b")],
        _ => vec![answer(500, "")],
    })
    .await;
    let ran = probe(&format!("url: '{}', body: x, redirects: 3", target.url("/a"))).await;
    let line = ran.failure().reproduce.clone().unwrap();
    assert!(line.contains("-L --max-redirs 3"), "{line}");
    shell(&line).await;
    let seen: Vec<_> = target.seen().into_iter().map(|seen| (seen.request.method, seen.request.path)).collect();
    assert_eq!(seen[..2], seen[2..], "{line}");
}

#[tokio::test]
async fn a_run_that_is_cut_off_has_its_command_line() {
    let target = Target::always(vec![crate::support::target::Act::Hang]).await;
    let ran = probe(&format!("url: '{}', timeout: 1s", target.url("/slow"))).await;
    let line = ran.failure().reproduce.clone().unwrap();
    assert!(line.starts_with("curl -i ") && line.contains("--max-time 1 ") && line.ends_with("/slow"), "{line}");
}
