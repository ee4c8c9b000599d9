//! Where results go, and what Sentry would drop of them.

use super::*;

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
