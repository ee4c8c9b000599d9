//! Keys: where they can stand, what becomes of their values on the way, and what of them is shown.

use probe_core::FailureClass;

use super::{check, ran};
use crate::support::{app::App, probe::run};

#[tokio::test]
async fn a_key_can_stand_wherever_a_step_says_something() {
    let app = App::start().await;
    let keys = r#"
steps:
  - url: "{base}/open/first"
    set_keys: {path: $.path, all: {body: true}, code: {status: true}, word: {regex: "op(en)"}}
  - url: "{base}/open/{path}/{code:05d}"
    query: {q: "{word} & more", list: [path, 1.10, true], code: code}
    headers: {x-word: "<{word!r}>", x-code: code, x-number: 1.10}
    auth: {basic: {username: word, password: "{word}-secret"}}
    form: {word: word, codes: "{code}{code}"}
    expected: 200
"#;
    ran(&app, keys).await.is_up();
    let asked = &app.asked()[1];
    let query = "q=en+%26+more&list=%2Fopen%2Ffirst&list=1.10&list=true&code=200";
    assert_eq!(asked.path, format!("/open/%2Fopen%2Ffirst/00200?{query}"));
    let headers = ["x-word", "x-code", "x-number", "authorization"].map(|name| asked.header(name).unwrap());
    assert_eq!(headers, ["<'en'>", "200", "1.10", "Basic ZW46ZW4tc2VjcmV0"]);
    assert_eq!(asked.body, "word=en&codes=200200");
}

#[tokio::test]
async fn values_keep_their_types_at_any_depth() {
    let app = App::start().await;
    let keys = format!(
        r#"
init_keys: {{base: "{}", yes: true, none: null, number: 1.5, list: [1, {{a: b}}], text: "7"}}
steps:
  - url: "{{base}}/open"
    body: {{a: [yes, {{b: none, c: "{{yes}} {{none}}"}}], number: number, list: list, text: text, kept: [1, 2.0, false, null, "uuid"]}}
  - url: "{{base}}/open"
    body: list
  - url: "{{base}}/open"
    body: "{{text}}: {{{{}}}}"
"#,
        app.base()
    );
    let check = check(&keys.replace("  - url", "  - expected: 200\n    url"));
    run(&check).await.is_up();
    let asked = app.asked();
    assert_eq!(
        asked[0].body,
        r#"{"a":[true,{"b":null,"c":"true null"}],"number":1.5,"list":[1,{"a":"b"}],"text":"7","kept":[1,2.0,false,null,"uuid"]}"#
    );
    assert_eq!(
        (asked[1].body.as_str(), asked[1].header("content-type")),
        ("[1,{\"a\":\"b\"}]", Some("application/json"))
    );
    assert_eq!((asked[2].body.as_str(), asked[2].header("content-type")), ("7: {}", None));
}

#[tokio::test]
async fn a_whole_url_in_a_key_stays_one_and_a_value_in_a_path_stays_one_segment() {
    let app = App::start().await;
    let keys = format!(
        "init_keys: {{base: \"{0}\", whole: \"{0}/open/a?b=c&d\", evil: \"../../me?x=#y\"}}\nsteps:\n  - url: whole\n  \
         - url: \"{{whole}}&e={{evil}}\"\n  - url: \"{{base}}/open/{{evil}}\"\n",
        app.base()
    );
    run(&check(&keys)).await.is_up();
    let paths: Vec<_> = app.asked().iter().map(|asked| asked.path.clone()).collect();
    let encoded = "..%2F..%2Fme%3Fx%3D%23y";
    assert_eq!(paths, ["/open/a?b=c&d".to_owned(), format!("/open/a?b=c&d&e={encoded}"), format!("/open/{encoded}")]);
}

#[tokio::test]
async fn what_cannot_go_into_a_request_is_a_failure_without_the_value() {
    let app = App::start().await;
    let keys = format!(
        "init_keys: {{base: \"{}\", two: \"a\\nb-hidden\"}}\nsteps:\n  - url: \"{{base}}/open\"\n    set_keys: {{many: $}}\n  \
         - url: \"{{base}}/open\"\n",
        app.base()
    );
    for (step, told) in [
        ("    headers: {x-two: \"{two}{run_id}\"}", "the value of `x-two` has characters that no header can hold"),
        ("    query: {q: many}", "`q`: a mapping cannot stand for a single value of a query or a form"),
    ] {
        let ran = run(&check(&format!("{keys}{step}"))).await;
        let failure = ran.failure();
        assert_eq!(failure.class, FailureClass::Body);
        assert!(failure.message.contains(told), "{failure}");
        let before = failure.message.split("; key `").next().unwrap();
        assert!(!before.contains("hidden"), "{failure}");
    }
}

#[tokio::test]
async fn tokens_by_client_credentials_are_made_of_keys_and_kept_where_they_are_the_same() {
    use crate::support::target::{Target, answer};
    let app = App::start().await;
    let token = format!("{{\"access_token\": \"{}\", \"expires_in\": 3600}}", crate::support::app::TOKEN);
    let issuer = Target::always(vec![answer(200, &token)]).await;
    for (id, fetched) in [("client", 1), ("\"{base_id}\"", 1), ("\"{base_id}-{run_id}\"", 2)] {
        let auth =
            format!("{{oauth2: {{token_url: \"{}\", client_id: {id}, client_secret: shh-hidden}}}}", issuer.url("/t"));
        let keys = format!(
            "init_keys: {{base: \"{}\", base_id: x}}\nsteps:\n  - url: \"{{base}}/me\"\n    auth: {auth}\n",
            app.base()
        );
        let (check, before) = (check(&keys), issuer.seen().len());
        for _ in 0..2 {
            run(&check).await.is_up();
        }
        assert_eq!(issuer.seen().len() - before, fetched, "{id}");
    }
}

#[tokio::test]
async fn the_location_is_a_key_where_the_file_says_it() {
    let app = App::start().await;
    let text = format!(
        "location: fra\ngroups:\n  - probes:\n      - {{probe: script, title: s, steps: [{{url: \"{}/open/{{location}}/{{now_unix:d}}\"}}]}}\n",
        app.base()
    );
    let check = crate::support::probe::config(&text).checks.remove(0);
    run(&check).await.is_up();
    assert!(app.asked()[0].path.starts_with("/open/fra/1"), "{:?}", app.asked());
}

#[test]
fn what_is_said_of_the_whole_script_is_refused_in_a_step_with_that_reason() {
    let schema = sentrynet::config::schema();
    let kinds = schema["$defs"]["Probe"]["anyOf"].as_array().unwrap();
    let script = kinds.iter().find(|kind| kind["properties"]["steps"].is_object()).unwrap();
    let keys = script["properties"].as_object().unwrap().keys();
    let keys: Vec<&String> = keys.filter(|key| !["steps", "timeout"].contains(&key.as_str())).collect();
    assert!(keys.len() > 10);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yaml");
    for key in keys {
        let text =
            format!("groups: [{{probes: [{{probe: script, title: s, steps: [{{url: 'http://a/', {key}: 1}}]}}]}}]");
        std::fs::write(&path, text).unwrap();
        let environment = sentrynet::config::Environment::new(
            std::iter::empty::<(std::ffi::OsString, std::ffi::OsString)>(),
            "prober",
        );
        let redactor = sentrynet::redact::Redactor::default();
        let told = sentrynet::config::load(&path, &environment, &redactor).unwrap_err().to_string();
        assert!(told.contains(&format!("`{key}` is said of the whole script, not of a step")), "{told}");
        assert!(told.contains("1 error"), "{told}");
    }
}

#[tokio::test]
async fn what_stands_openly_in_the_file_is_shown_however_long_it_is() {
    let app = App::start().await;
    let base = format!("{}/open/a/rather/long/beginning", app.base());
    let keys = format!("init_keys: {{base: \"{base}\"}}\nsteps:\n  - url: \"{{base}}/of/all\"\n    expected: 404\n");
    let ran = run(&check(&keys)).await;
    assert!(ran.failure().message.starts_with(&format!("step 1: GET {base}/of/all: expected status 404, got 200")));
    assert!(ran.0.secrets.is_empty(), "{:?}", ran.0.secrets);
}

#[tokio::test]
async fn what_a_template_makes_of_a_secret_is_one() {
    let app = App::start().await;
    let keys = "steps:\n  - url: \"{base}/open\"\n    set_keys: {session: $.path}\n  - url: \"{base}/x/{session:.4}/{session!r}\"\n";
    let ran = ran(&app, keys).await;
    let secrets: Vec<_> = ran.0.secrets.iter().map(|secret| secret.expose()).collect();
    assert_eq!(secrets, ["/open", "/ope", "'/open'"]);
}
