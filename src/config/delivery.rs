//! The keys `spool`, `ca` and `proxy` of `sentry` to how delivery is done.

use std::{fs, path::PathBuf, time::Duration};

use probe_core::Secret;
use probe_keys::{Findings, Placed, Size, Text};

use super::keys::Spool;
use crate::report::sentry::{
    delivery::{Authorities, DeliverySettings, Proxy, ProxyError},
    spool::Limits,
};

/// Less would hold few results, and not the largest.
const LEAST_BYTES: u64 = 16 << 20;
/// The shortest and the longest wait: what is older than five days, Sentry refuses.
const AGES: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(5 * 24 - 1));

/// How delivery is done; `None` when a mistake was noted.
pub(super) fn settings(
    spool: Option<Spool>,
    ca: Option<&Placed<Text>>,
    proxy: Option<&Placed<Text>>,
    findings: &Findings,
) -> Option<DeliverySettings> {
    let (directory, limits) = spool.map_or((None, Some(Limits::default())), |spool| {
        let limits = limits(&spool, findings);
        (spool.dir.map(PathBuf::from), limits)
    });
    let authorities = ca.map(|ca| authorities(&ca.value.text).map_err(|reason| findings.wrong(&ca.spot, reason)));
    let proxy = proxy.map(|proxy| self::proxy(proxy, findings));
    Some(DeliverySettings {
        directory,
        limits: limits?,
        authorities: authorities.transpose().ok()?,
        proxy: proxy.transpose().ok()?,
    })
}

fn limits(spool: &Spool, findings: &Findings) -> Option<Limits> {
    let known = Limits::default();
    let max_bytes = spool.max_bytes.as_ref().map_or(Some(known.max_bytes), |written| bytes(written, findings));
    let max_age = spool.max_age.as_ref().map_or(Some(known.max_age), |written| age(written, findings));
    Some(Limits { max_bytes: max_bytes?, max_age: max_age?, ..known })
}

fn bytes(Placed { value: Size(bytes), spot }: &Placed<Size>, findings: &Findings) -> Option<u64> {
    if *bytes < LEAST_BYTES {
        findings.wrong(spot, "a spool needs at least 16MiB");
        return None;
    }
    Some(*bytes)
}

fn age(Placed { value: age, spot }: &Placed<Duration>, findings: &Findings) -> Option<Duration> {
    if !(AGES.0..=AGES.1).contains(age) {
        findings.wrong(spot, "between 1m and 4d23h: Sentry refuses what is older than 5 days");
        return None;
    }
    Some(*age)
}

fn authorities(written: &str) -> Result<Authorities, String> {
    let pem = if written.contains("-----BEGIN") {
        written.as_bytes().to_vec()
    } else {
        fs::read(written).map_err(|error| format!("this file of authorities cannot be read: {error}"))?
    };
    Authorities::from_pem(&pem).map_err(|error| error.to_string())
}

fn proxy(written: &Placed<Text>, findings: &Findings) -> Result<Proxy, ()> {
    let Placed { value: Text { text, .. }, spot } = written;
    let password = url::Url::parse(text).ok().and_then(|url| url.password().map(Secret::new));
    password.into_iter().for_each(|password| findings.secret(password));
    text.parse().map_err(|error: ProxyError| findings.wrong(spot, error.to_string()))
}
