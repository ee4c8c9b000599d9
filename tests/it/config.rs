//! Configuration files as people write them, with the mistakes that people make.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use proptest::prelude::*;
use sentrynet::{
    check::{Check, Timing},
    config::{Diagnostics, Environment, Loaded, load},
    redact::Redactor,
};

/// Rewrites the expected texts in place of comparing them.
const UPDATE: &str = "UPDATE_EXPECT";

const DSN: &str = "https://public@sentry.example/1";

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Environment::new(variables, "prober-1")
}

fn read(text: &str) -> Result<Loaded, Diagnostics> {
    read_with(text, &[], &Redactor::default())
}

fn read_with(text: &str, variables: &[(&str, &str)], redactor: &Redactor) -> Result<Loaded, Diagnostics> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.yaml");
    fs::write(&path, text).expect("a file");
    load(&path, &environment(variables), redactor)
}

/// The checks of a file without warnings.
fn checks(text: &str) -> Vec<Check> {
    let loaded = read(text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.config.checks
}

/// A file with one group of these probes, each a flow mapping.
fn probes(probes: &[&str]) -> String {
    format!("groups:\n  - probes:\n{}", probes.iter().map(|probe| format!("      - {probe}\n")).collect::<String>())
}

fn yaml_files(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the directory is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{directory} holds no YAML");
    files
}

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
fn every_example_loads_without_a_warning() {
    let mut files = yaml_files("examples");
    files.push("config.example.yaml".into());
    for file in files {
        let loaded = load(&file, &environment(&[("API_TOKEN", "s3cr3t-value")]), &Redactor::default());
        let loaded = loaded.unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert!(!loaded.config.checks.is_empty(), "{}", file.display());
    }
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
fn what_is_nearer_to_the_probe_wins() {
    let checks = checks(
        "\
sentry: {enabled: false, tags: {a: sentry, s: sentry}}
tags: {b: global, g: global}
location: home
defaults: {every: 1m, timeout: 20s, burst: 2, runbook: call}
groups:
  - tags: {a: group, b: group, c: group}
    defaults: {every: 10s, burst: 3}
    probes:
      - {probe: http, url: 'https://a.example/', tags: {b: probe}, burst: 4}
      - {probe: probes.http, url: 'https://b.example/', cron: '0 6 * * *', timezone: Europe/Berlin}
  - probes:
      - {probe: http, url: 'https://c.example/'}
",
    );
    let first: Vec<_> = checks[0].tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let want = [
        ("a", "group"),
        ("b", "probe"),
        ("c", "group"),
        ("g", "global"),
        ("location", "home"),
        ("probe", "http"),
        ("s", "sentry"),
    ];
    assert_eq!(first, want);
    assert_eq!(checks[0].timing, Timing::Every(Duration::from_secs(10)));
    assert_eq!((checks[0].timeout, checks[0].burst), (Duration::from_secs(10), 4));
    assert_eq!(checks[0].runbook.as_deref(), Some("call"));
    let berlin = Timing::Cron { expression: "0 0 6 * * *".to_owned(), zone: chrono_tz::Europe::Berlin };
    assert_eq!((&checks[1].timing, checks[1].timeout, checks[1].burst), (&berlin, Duration::from_secs(20), 3));
    assert_eq!(checks[2].timing, Timing::Every(Duration::from_mins(1)));
    assert_eq!((checks[2].timeout, checks[2].burst), (Duration::from_secs(20), 2));
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
fn a_title_that_sentry_drops_as_a_health_check_is_warned_of_where_results_are_sent() {
    let checks =
        probes(&["{probe: http, url: 'https://a.example/healthz'}", "{probe: http, url: 'https://a.example/'}"]);
    let warned = read(&format!("sentry: {{dsn: '{DSN}'}}\n{checks}")).expect("it can be used").warnings.to_string();
    assert!(warned.contains("Sentry drops `GET https://a.example/healthz` as a health check"), "{warned}");
    assert!(warned.contains("Inbound Filters") && warned.contains("1 warning"), "{warned}");
    assert!(read(&checks).expect("it can be used").warnings.is_empty());
}

#[test]
fn a_file_in_the_originals_form_means_what_it_meant() {
    let checks = checks(
        "\
sentry:
  dsn: https://config.yaml@sentry.example/3456
  tags:
    location: Wales
    another.tag: 1.10
groups:
    - tags:
        target: demo
      probes:
      - probe: probes.http
        url: https://www.example.com/
        every: 60
        burst: 3
      - probe: probes.http
        url: http://example.org/
",
    );
    let [first, second] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!((first.kind(), &first.timing, first.burst), ("http", &Timing::Every(Duration::from_mins(1)), 3));
    assert_eq!((&second.timing, second.burst), (&Timing::Every(Duration::from_mins(5)), 1));
    for (key, value) in [("location", "Wales"), ("another.tag", "1.10"), ("target", "demo"), ("probe", "http")] {
        assert_eq!(first.tags[key], value);
    }
}

#[test]
fn a_check_that_says_nothing_has_the_defaults_of_the_house() {
    let checks = checks(&probes(&["{probe: http, url: 'https://a.example/x?y=1'}"]));
    let check = &checks[0];
    assert_eq!(check.title, "GET https://a.example/x");
    assert_eq!((&check.timing, check.burst), (&Timing::Every(Duration::from_mins(5)), 1));
    assert_eq!((check.timeout, check.kind()), (Duration::from_secs(30), "http"));
    assert!(check.id.starts_with("get-https-a-example-x-"), "{}", check.id);
}

#[test]
fn a_disabled_check_keeps_the_others_identities() {
    let same = "{probe: http, url: 'https://a.example/'}";
    let off = "{probe: http, url: 'https://a.example/', enabled: false}";
    let ids = |list: &[&str]| {
        let checks = read(&probes(list)).unwrap().config.checks;
        checks.into_iter().map(|check| check.id).collect::<Vec<_>>()
    };
    let all = ids(&[same, same]);
    assert_eq!(all[1], format!("{}-2", all[0]));
    assert_eq!(ids(&[off, same]), all[1..]);
    let loaded = read(&probes(&[same, same])).unwrap();
    assert!(loaded.warnings.to_string().contains("give it an `id`"), "{}", loaded.warnings);
}

#[test]
fn values_from_outside_are_filled_in_and_secret() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("secret"), "from-the-file\n").unwrap();
    let text = "\
location: ${env:PLACE:-home}
groups:
  - probes:
      - probe: http
        url: https://a.example/${env:PATH_PART}
        title: ${env:PLACE:-home} $${env:PLACE} ${env:EMPTY:-full} of ${env:NAME}
        headers:
          x-token: ${file:secret}
";
    let path = directory.path().join("config.yaml");
    fs::write(&path, text).unwrap();
    let redactor = Redactor::default();
    let variables = [("PATH_PART", "s3cr3t-part"), ("NAME", "shown"), ("EMPTY", "")];
    let config = load(&path, &environment(&variables), &redactor).unwrap().config;
    assert_eq!(config.checks[0].title, "home ${env:PLACE} full of shown");
    assert_eq!(config.checks[0].tags["location"], "home");
    for (text, masked) in
        [("s3cr3t-part", "[redacted]"), ("from-the-file.", "[redacted]."), ("shown home full", "shown home full")]
    {
        assert_eq!(redactor.redact(text), masked);
    }
}

#[test]
fn a_derived_title_and_identity_hold_no_secret() {
    let text = probes(&["{probe: http, url: 'https://a.example/${env:KEY}/status'}"]);
    let redactor = Redactor::default();
    let one = read_with(&text, &[("KEY", "s3cr3t-one")], &redactor).unwrap().config;
    assert_eq!(one.checks[0].title, "GET https://a.example/[redacted]/status");
    let two = read_with(&text, &[("KEY", "s3cr3t-two")], &Redactor::default()).unwrap().config;
    assert_eq!(one.checks[0].id, two.checks[0].id);
}

#[test]
fn sending_can_be_turned_off() {
    let with = |sentry: &str| format!("sentry: {sentry}\n{}", probes(&["{probe: http, url: 'https://a.example/'}"]));
    let sends = |text: &str, variables: &[(&str, &str)]| {
        let config = read_with(text, variables, &Redactor::default()).unwrap().config;
        assert_eq!(config.sentry.is_some(), config.tracing.public_key.is_some());
        config.sentry
    };
    let settings = sends(&with(&format!("{{dsn: '{DSN}'}}")), &[]).unwrap();
    assert_eq!(settings.environment, "production");
    assert_eq!(settings.release, concat!("sentrynet@", env!("CARGO_PKG_VERSION")));
    assert_eq!(settings.server_name, "prober-1");
    assert!(sends(&with("{}"), &[("SENTRY_DSN", DSN)]).is_some());
    assert!(sends(&with("{}"), &[]).is_none());
    let warnings = read(&with("{dsn: ''}")).unwrap().warnings;
    assert!(warnings.to_string().starts_with("warning: there is no DSN: nothing will be sent"), "{warnings}");
    assert!(sends(&probes(&["{probe: http, url: 'https://a.example/'}"]), &[("SENTRY_DSN", DSN)]).is_none());
    assert!(sends(&with("{enabled: false}"), &[("SENTRY_DSN", DSN)]).is_none());
    let off = [("SENTRY_DSN", DSN), ("SENTRYNET_SENTRY_ENABLED", "false")];
    assert!(sends(&with("{}"), &off).is_none());
    let unclear = [("SENTRYNET_SENTRY_ENABLED", "perhaps")];
    assert!(read_with(&with("{}"), &unclear, &Redactor::default()).is_err());
}

#[test]
fn the_dsn_is_secret_and_its_public_key_is_not() {
    let redactor = Redactor::default();
    let text = format!("sentry: {{}}\n{}", probes(&["{probe: http, url: 'https://a.example/'}"]));
    read_with(&text, &[("SENTRY_DSN", "https://publickey:secretkey@sentry.example/1")], &redactor).unwrap();
    assert_eq!(redactor.redact("a https://publickey:secretkey@sentry.example/1 b"), "a [redacted] b");
    assert_eq!(redactor.redact("publickey secretkey"), "publickey [redacted]");
}

#[test]
fn a_path_is_relative_to_the_file_it_is_written_in() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    fs::create_dir(directory.path().join("more")).unwrap();
    let authority = crate::support::certificates::Authority::new("shop").pem();
    for name in ["one.pem", "more/two.pem"] {
        file(name, &authority);
    }
    let probe = |ca: &str| probes(&[&format!("{{probe: http, url: 'https://a.example/{ca}', tls: {{ca: {ca}}}}}")]);
    file("config.yaml", &format!("include: more/*.yaml\n{}", probe("one.pem")));
    file("more/two.yaml", &probe("two.pem"));
    let path = directory.path().join("config.yaml");
    let loaded = load(&path, &environment(&[]), &Redactor::default());
    assert_eq!(loaded.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.checks.len(), 2);
    file("more/two.yaml", &probe("one.pem"));
    let mistakes = load(&path, &environment(&[]), &Redactor::default()).unwrap_err().to_string();
    assert!(mistakes.contains("two.yaml") && mistakes.contains("1 error"), "{mistakes}");
}

#[test]
fn included_groups_follow_in_the_order_of_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    fs::create_dir(directory.path().join("more")).unwrap();
    file("config.yaml", "include: [more/*.yaml, more/a.yaml]\ndefaults: {every: 42}\n");
    file("more/b.yaml", &probes(&["{probe: http, url: 'https://b.example/'}"]));
    file("more/a.yaml", &probes(&["{probe: http, url: 'https://a.example/'}"]));
    let config = load(&directory.path().join("config.yaml"), &environment(&[]), &Redactor::default()).unwrap().config;
    let titles: Vec<&str> = config.checks.iter().map(|check| check.title.as_str()).collect();
    assert_eq!(titles, ["GET https://a.example/", "GET https://b.example/"]);
    assert_eq!(config.checks[0].timing, Timing::Every(Duration::from_secs(42)));
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

#[test]
fn delivery_is_done_as_the_file_says() {
    let text = "\
sentry:
  dsn: https://public@sentry.example/1
  spool: {dir: /data/spool, max_bytes: 2GiB, max_age: 1h30m}
  proxy: http://user:hunter22@proxy.example:3128
groups:
  - probes:
      - {probe: http, url: 'https://a.example/'}
";
    let redactor = Redactor::default();
    let delivery = read_with(text, &[], &redactor).unwrap().config.sentry.unwrap().delivery;
    assert_eq!(delivery.directory.as_deref(), Some(Path::new("/data/spool")));
    assert_eq!((delivery.limits.max_bytes, delivery.limits.max_age), (2 << 30, Duration::from_mins(90)));
    assert!(delivery.proxy.is_some() && delivery.authorities.is_none());
    assert_eq!(redactor.redact("hunter22"), "[redacted]");
}
