//! The schema that editors use says what the loader says, as far as a schema can.

use std::{fs, path::PathBuf};

use jsonschema::Validator;
use sentrynet::config;
use serde_json::Value;

/// Where the schema lies for editors.
const WRITTEN: &str = "docs/config.schema.json";

/// Mistakes that a schema does not see: what a text means (a URL, a time zone, a pattern, a file that is to be there), keys
/// that go together or exclude each other, and names that must differ.
const BEYOND: [&str; 93] = [
    "assertion-absent-with-value",
    "assertion-bounds-empty",
    "assertion-contradicts",
    "assertion-key-not-set",
    "assertion-value-never",
    "auth-and-header",
    "auth-and-url",
    "auth-basic-colon",
    "auth-bearer-newline",
    "bad-cron-fields",
    "bad-cron",
    "bad-dsn",
    "bad-header-name",
    "bad-jsonpath",
    "bad-listen",
    "bad-url-scheme",
    "bad-url",
    "bad-variable-name",
    "bad-zone",
    "cron-never",
    "defaults-timeout-over-every",
    "disabled-is-compiled",
    "environment-slash",
    "every-too-small",
    "expect-time-zero",
    "family-both-of-address",
    "family-of-other-address",
    "header-of-a-proxy",
    "host-header-http2",
    "id-twice",
    "include-bad-glob",
    "include-directory",
    "include-itself",
    "include-no-match",
    "include-with-mistake",
    "include-with-tags",
    "jsonpath-function",
    "jsonpath-too-deep",
    "location-twice",
    "missing-variable-in-template",
    "missing-variable",
    "oauth2-and-header",
    "oauth2-bad-url",
    "open-substitution",
    "propagate-targets-near",
    "propagate-targets",
    "proxy-and-resolve",
    "proxy-path",
    "resolve-name",
    "resolve-of-address",
    "resolve-of-other-family",
    "script-assertion-on-no-key",
    "script-family-both",
    "script-init-keys-do-not-fit",
    "script-init-keys-make-no-request",
    "script-key-of-a-later-step",
    "script-location-without-value",
    "script-no-time",
    "script-oauth2",
    "script-template-syntax",
    "script-unknown-key-name",
    "script-url-without-scheme",
    "script-wire",
    "sentry-ca",
    "sentry-proxy",
    "spool-too-old",
    "ssh-command-empty",
    "ssh-host-option",
    "ssh-identity-alone",
    "ssh-identity-encrypted",
    "ssh-identity-missing",
    "ssh-identity-no-key",
    "ssh-jump",
    "ssh-known-hosts-missing",
    "ssh-known-hosts-unused",
    "ssh-output-pattern",
    "tag-own",
    "tag-reserved",
    "tag-twice-global",
    "tag-value-lines",
    "timeout-over-every",
    "tls-ca-and-no-verify",
    "tls-encrypted-key",
    "tls-no-certificate-in-it",
    "tls-no-key-in-it",
    "tls-no-such-file",
    "tls-other-key",
    "tls-server-name-address",
    "tls-server-name-http2",
    "tls-server-name-plain",
    "tls-server-name-proxy",
    "unknown-substitution",
    "unreadable-file",
];

fn validator() -> Validator {
    jsonschema::draft202012::new(&config::schema()).expect("it is a schema")
}

fn yaml(path: &PathBuf) -> Option<Value> {
    serde_yaml::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn every_file_that_loads_is_accepted() {
    let validator = validator();
    let mut good = files("examples");
    good.push("config.example.yaml".into());
    assert!(good.len() > 3);
    for path in good {
        let document = yaml(&path).unwrap_or_else(|| panic!("{} is YAML", path.display()));
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn a_mistake_in_the_form_is_refused() {
    let validator = validator();
    let accepted: Vec<String> = files("tests/config/bad")
        .iter()
        .filter(|path| yaml(path).is_some_and(|document| validator.is_valid(&document)))
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .collect();
    assert_eq!(accepted, BEYOND, "what a schema does not see");
}

#[test]
fn the_file_for_editors_is_the_schema() {
    let schema = format!("{:#}\n", config::schema());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(WRITTEN, &schema).expect("it can be written");
    }
    let written = fs::read_to_string(WRITTEN).unwrap_or_default();
    assert!(written == schema, "UPDATE_EXPECT=1 cargo test --test it schema writes {WRITTEN} anew");
}

#[test]
fn a_file_in_the_originals_form_is_accepted() {
    let original = "\
sentry:
  dsn: https://config.yaml@sentry.example/3456
  tags: {location: Wales, another.tag: 1.10}
groups:
  - tags: {target: demo}
    probes:
      - {probe: probes.http, url: 'https://www.example.com/', every: 60, burst: 3}
      - probe: probes.http
        url: https://api.example.com/status
        set_keys: {status: $.status}
        assertions: {status: ok}
      - probe: probes.script
        title: create and delete
        init_keys: {test: true}
        steps:
          - {url: 'https://api.example.com/things', method: POST, body: {thing: test}, set_keys: {id: $.id}}
          - {url: 'https://api.example.com/things/{id}', method: DELETE, expected: 204}
";
    let document: Value = serde_yaml::from_str(original).expect("it is YAML");
    assert!(validator().is_valid(&document));
}
