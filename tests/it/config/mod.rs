//! Configuration files as people write them, with the mistakes that people make.

mod mistakes;
mod sentry;

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
