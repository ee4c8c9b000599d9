//! Mistakes: each is told with its place and what to do, all at once, and none makes the loader panic.

use super::*;

#[test]
fn every_mistake_is_told_as_its_file_expects() {
    let files = yaml_files("tests/config/bad");
    assert!(files.len() >= 40);
    let variables = [("TOKEN", "s3cr3t-value"), ("DSN", DSN)];
    let mut wrong = String::new();
    for file in files {
        let Err(diagnostics) = load(&file, &environment(&variables), &Redactor::default()) else {
            wrong += &format!("{} is taken as right\n", file.display());
            continue;
        };
        let (told, expected) = (diagnostics.to_string(), file.with_extension("txt"));
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&expected, &told).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong += &format!("{} does not expect this ({UPDATE}=1 writes it):\n{told}\n", expected.display());
        }
        assert!(!told.contains("s3cr3t-value") && !told.contains("hunter22"), "{told}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let main = "\
tagz: {}
location: ''
tags: {user: me}
include: more.yaml
groups:
  - probes:
      - {probe: http, url: 'https://a.example/', evry: 60, burst: 0, timeout: soon}
      - {probe: htp, url: 'https://a.example/'}
      - {probe: http, title: 5s, every: 10s, timeout: 20s}
";
    fs::write(directory.path().join("config.yaml"), main).unwrap();
    fs::write(directory.path().join("more.yaml"), "groups: {}\n").unwrap();
    let diagnostics = load(&directory.path().join("config.yaml"), &environment(&[]), &Redactor::default()).unwrap_err();
    let told: Vec<(usize, &str)> =
        diagnostics.iter().map(|one| (one.line.unwrap_or_default(), one.reason.as_str())).collect();
    for want in [
        (1, "unknown key `tagz`"),
        (2, "it is empty"),
        (3, "tag `user` is reserved by Sentry"),
        (7, "unknown key `evry`"),
        (7, "a burst is at least 1 run"),
        (7, "`soon` is not a duration: write seconds as a number, or 250ms, 30s, 5m, 1h30m, 2d"),
        (8, "there is no kind of probe `htp`"),
        (9, "`url` is missing"),
        (9, "a timeout of 20s is longer than the period of 10s"),
        (1, "expected a list, got a mapping"),
    ] {
        assert!(told.contains(&want), "{want:?} is not among\n{diagnostics}");
    }
    assert_eq!(told.len(), 10, "{diagnostics}");
    assert!(
        diagnostics
            .to_string()
            .trim_end()
            .ends_with(&format!("10 errors in {}", directory.path().join("config.yaml").display()))
    );
}

#[test]
fn the_machine_form_says_the_same() {
    let diagnostics = read("groups:\n  - probes: [{probe: http, url: 'https://a.example/', evry: 60}]\n").unwrap_err();
    let json = serde_json::to_value(&diagnostics).unwrap();
    let file = json[0]["file"].as_str().unwrap().to_owned();
    let want = serde_json::json!([{
        "severity": "error", "file": file, "line": 2, "column": 55, "path": "groups[0].probes[0].evry",
        "reason": "unknown key `evry`", "hint": "did you mean `every`?",
    }]);
    assert_eq!(json, want);
    assert!(diagnostics.render(true).contains("\u{1b}["));
    assert!(!diagnostics.render(false).contains("\u{1b}["));
}

#[test]
fn a_file_of_ten_megabytes_is_refused_unread() {
    let diagnostics = read(&"# ".repeat(5 << 20)).unwrap_err();
    assert!(diagnostics.to_string().starts_with("error: it is larger than 8 MiB"), "{diagnostics}");
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (path, reason) in
        [(directory.path().to_owned(), "it is a directory"), (directory.path().join("none"), "there is no such file")]
    {
        let diagnostics = load(&path, &environment(&[]), &Redactor::default()).unwrap_err().to_string();
        assert!(diagnostics.contains(reason) && diagnostics.contains("1 error in"), "{diagnostics}");
    }
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let script = |step: &str| {
        format!("{{probe: script, title: t, init_keys: {{ref: a}}, steps: [{{url: 'http://a.example/', {step}}}]}}")
    };
    let http = |keys: &str| format!("{{probe: http, url: 'http://a.example/', {keys}}}");
    for (probe, told) in [
        (http("method: HEAD, set_keys: {a: $.a}"), Some("an answer to HEAD has no body")),
        (script("method: HEAD, expect: {body: {contains: x}}"), Some("an answer to HEAD has no body")),
        (http("method: HEAD, expect: {headers: {x: y}}"), None),
        (http("expected: [301, 302]"), Some("a redirect is expected, and redirects are followed")),
        (http("expected: [200, 302]"), None),
        (http("expected: 302, redirects: false"), None),
        (http("redirects: false, expect: {certificate: {days_left: 1}}"), Some("none on the way to an http URL")),
        (http("expect: {certificate: {days_left: 1}}"), None),
        (script("set_keys: {b: $.b}, assertions: {b: 'x-{ref}'}"), Some("`{ref}` stands for itself")),
        (script("set_keys: {b: $.b}, assertions: {b: 'x-{other}'}"), None),
    ] {
        let warnings = read(&probes(&[&probe])).expect("it can be used").warnings.to_string();
        assert_eq!(told.map_or(0, |_| 1), usize::from(!warnings.is_empty()), "{probe}: {warnings}");
        assert!(warnings.contains(told.unwrap_or_default()), "{probe}: {warnings}");
    }
}

#[test]
fn more_cron_checks_than_the_scheduler_takes_are_refused() {
    let text = |many: usize| {
        let one = |n: usize| format!("      - {{probe: http, url: 'https://a.example/{n}', cron: '0 6 * * *'}}\n");
        format!("groups:\n  - probes:\n{}", (0..many).map(one).collect::<String>())
    };
    assert_eq!(checks(&text(10_000)).len(), 10_000);
    let diagnostics = read(&text(10_001)).unwrap_err();
    assert!(diagnostics.to_string().contains("more than 10000 checks"), "{diagnostics}");
    assert_eq!(diagnostics.iter().next().unwrap().line, Some(10_003));
}

#[test]
fn what_aliases_and_merges_repeat_is_one_mistake() {
    let text = "\
defaults: &d {every: 60}
groups:
  - probes:
      - &p {probe: http, url: 'https://a.example/', evry: 5}
      - {<<: *p, url: 'https://b.example/'}
      - {<<: *p, url: 'https://c.example/'}
";
    let diagnostics = read(text).unwrap_err();
    assert_eq!(diagnostics.iter().count(), 1, "{diagnostics}");
}

#[test]
fn ten_thousand_mistakes_are_told_in_a_moment() {
    let one = |n: usize| format!("{{probe: http, url: 'https://a.example/{n}', evry: 60}}");
    let all: Vec<String> = (0..10_000).map(one).collect();
    let text = probes(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let diagnostics = read(&text).unwrap_err();
    assert!(diagnostics.render(false).ends_with("\n") && diagnostics.iter().count() == 10_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_loader_panic(text in "\\PC{0,200}") {
        let _ = read(&text).map_err(|diagnostics| (diagnostics.render(true), diagnostics.to_string()));
    }

    #[test]
    fn nothing_that_looks_like_yaml_makes_the_loader_panic(
        pieces in prop::collection::vec(
            prop::sample::select(&[
                "groups:", "probes:", "probe: http", "url:", "tags:", "\n", "  ", "- ", "{", "}", "[", "]", ":", " ", ",",
                "&a", "*a", "<<:", "${env:X}", "${file:/}", "$${", "'", "\"", "é", "\t", "#", "|", ">", "---", "!!str",
                "every: 5s", "cron: '* * * * *'", "sentry:", "dsn:", "password: x", "\r\n", "? ", "1.5", "\u{feff}",
            ][..]),
            0..40,
        ),
    ) {
        let _ = read(&pieces.concat()).map_err(|diagnostics| (diagnostics.render(true), diagnostics.to_string()));
    }
}

#[test]
fn paths_are_told_as_they_were_given() {
    let diagnostics = load(Path::new("tests/config/bad/../bad/empty.yaml"), &environment(&[]), &Redactor::default());
    assert!(diagnostics.unwrap_err().to_string().contains("--> tests/config/bad/../bad/empty.yaml"));
}
