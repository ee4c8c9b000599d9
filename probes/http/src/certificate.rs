//! What can be said of a certificate.

use chrono::{DateTime, Utc};
use rustls::CertificateError;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
    x509::X509Name,
};

/// Names are the target's words: no longer than this goes into a span or a message.
const LONGEST: usize = 120;

/// More names than this are not listed in a message.
const LISTED: usize = 5;

/// The part of a certificate that people ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Who signed it: the common name, else the organisation, else the whole name.
    pub(crate) issuer: String,
    /// Whether it is signed by itself.
    pub(crate) self_signed: bool,
    /// When it begins to hold.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// When it ceases to hold.
    pub(crate) not_after: Option<DateTime<Utc>>,
    /// The DNS names it is for.
    pub(crate) names: Vec<String>,
}

// === impl Certificate ===

impl Certificate {
    /// Reads it; none when it is not a certificate.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let time = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let names = alternatives.iter().flat_map(|names| &names.value.general_names);
        Some(Self {
            issuer: name(certificate.issuer()),
            self_signed: certificate.issuer() == certificate.subject(),
            not_before: time(certificate.validity().not_before),
            not_after: time(certificate.validity().not_after),
            names: names
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some(shortened(name)),
                    _ => None,
                })
                .collect(),
        })
    }
}

fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next();
    let part = common.or_else(|| name.iter_organization().next()).and_then(|part| part.as_str().ok());
    shortened(&part.map_or_else(|| name.to_string(), str::to_owned))
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Why the certificate shown for `host` was refused, in words.
pub(crate) fn refusal(host: &str, reason: &CertificateError, certificate: Option<&CertificateDer<'_>>) -> String {
    let certificate = certificate.and_then(Certificate::read);
    let issued = certificate.as_ref().map(|read| format!(", issued by {}", read.issuer)).unwrap_or_default();
    let self_signed = certificate.as_ref().is_some_and(|read| read.self_signed);
    match reason {
        CertificateError::ExpiredContext { time, not_after } => {
            let (past, date) = (ago(*time, *not_after), date(*not_after));
            format!("certificate of {host} expired {past} ago ({date}){issued}")
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let (wait, date) = (ago(*not_before, *time), date(*not_before));
            format!("certificate of {host} is not valid for another {wait} (from {date}){issued}")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = certificate.map(|read| read.names).unwrap_or_default();
            let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if names.len() > LISTED { " and others" } else { "" };
            match names.is_empty() {
                true => format!("the certificate shown for {host} names no host{issued}"),
                false => format!("the certificate shown for {host} is for {shown}{more}{issued}"),
            }
        }
        CertificateError::UnknownIssuer if self_signed => format!("certificate of {host} is self-signed"),
        CertificateError::UnknownIssuer => format!("certificate of {host} is signed by an unknown authority{issued}"),
        CertificateError::Other(_) if self_signed => format!("certificate of {host} is self-signed"),
        CertificateError::Revoked => format!("certificate of {host} is revoked{issued}"),
        other => format!("certificate of {host} was refused: {other}{issued}"),
    }
}

/// The time between two moments in its one fitting unit: `3 days`.
fn ago(later: UnixTime, earlier: UnixTime) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = later.as_secs().saturating_sub(earlier.as_secs());
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "second"));
    let amount = seconds / size;
    format!("{amount} {unit}{}", if amount == 1 { "" } else { "s" })
}

fn date(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "a date out of range".to_owned(), |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_expired_certificate_says_since_when() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let not_after = at(1_794_873_600);
        for (time, want) in [
            (at(1_794_873_600 + 3 * 86_400 + 5), "certificate of a.example expired 3 days ago (2026-11-17)"),
            (at(1_794_873_600 + 3_700), "certificate of a.example expired 1 hour ago (2026-11-17)"),
            (at(1_794_873_600), "certificate of a.example expired 0 seconds ago (2026-11-17)"),
        ] {
            assert_eq!(refusal("a.example", &CertificateError::ExpiredContext { time, not_after }, None), want);
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_told_apart() {
        assert_eq!(Certificate::read(&CertificateDer::from(vec![0x30, 0x80, 0, 0])), None);
    }
}
