//! The trace of a run: its ids, and the baggage that lets a target's own Sentry join it.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use probe_core::{Propagation, Sampled, TraceId};
use serde::{Serialize, Serializer};

/// What a baggage value may hold unescaped (W3C Baggage, 3.3.1.3: a token's characters and a few more).
const BAGGAGE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':').remove(b'@');

/// What every trace of this daemon has in common: Sentry's dynamic sampling context.
#[derive(Clone, Debug, Default)]
pub struct Tracing {
    /// The DSN's public key; without one there is no baggage.
    pub public_key: Option<String>,
    /// As in every transaction.
    pub release: Option<String>,
    /// As in every transaction.
    pub environment: Option<String>,
}

/// Sentry's dynamic sampling context (develop.sentry.dev, "Dynamic Sampling Context"): what is known of a trace before
/// any of its spans is there. The same goes to the target, in `baggage`, and to Sentry, in the header of an envelope.
#[derive(Clone, Copy, Debug)]
pub struct SamplingContext<'a> {
    /// The trace, in hexadecimal.
    pub trace_id: &'a str,
    /// The DSN's public key.
    pub public_key: &'a str,
    /// As in the transaction.
    pub release: Option<&'a str>,
    /// As in the transaction.
    pub environment: Option<&'a str>,
    /// The transaction's name.
    pub transaction: &'a str,
}

// === impl Tracing ===

impl Tracing {
    /// A new trace for one run of the check with this title.
    pub fn begin(&self, title: &str) -> Propagation {
        let trace_id = TraceId::random();
        let baggage = self.baggage(trace_id, title).map(Into::into);
        Propagation { trace_id, baggage, sentry: true, w3c: true, sampled: Sampled::Defer }
    }

    /// The dynamic sampling context as a baggage header.
    fn baggage(&self, trace_id: TraceId, title: &str) -> Option<String> {
        let context = SamplingContext {
            trace_id: &trace_id.to_string(),
            public_key: self.public_key.as_deref()?,
            release: self.release.as_deref(),
            environment: self.environment.as_deref(),
            transaction: title,
        };
        let mut baggage = String::new();
        for (name, value) in context.fields() {
            let comma = if baggage.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(baggage, "{comma}sentry-{name}={}", utf8_percent_encode(value, BAGGAGE));
        }
        Some(baggage)
    }
}

// === impl SamplingContext ===

impl<'a> SamplingContext<'a> {
    /// Names and values; every run is sent, so the rate is 1.
    fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let fields = [
            ("trace_id", Some(self.trace_id)),
            ("public_key", Some(self.public_key)),
            ("release", self.release),
            ("environment", self.environment),
            ("transaction", Some(self.transaction)),
            ("sample_rate", Some("1")),
            ("sampled", Some("true")),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

impl Serialize for SamplingContext<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baggage_names_the_trace_and_escapes_its_values() {
        let tracing =
            Tracing { public_key: Some("abc".into()), release: Some("sentrynet@1.0".into()), environment: None };
        let propagation = tracing.begin("GET https://a.example/?x=1, ü");
        let want = format!(
            "sentry-trace_id={},sentry-public_key=abc,sentry-release=sentrynet@1.0,\
             sentry-transaction=GET%20https://a.example/%3Fx%3D1%2C%20%C3%BC,sentry-sample_rate=1,sentry-sampled=true",
            propagation.trace_id
        );
        assert_eq!(propagation.baggage.as_deref(), Some(want.as_str()));
    }

    #[test]
    fn without_a_dsn_there_is_no_baggage() {
        assert!(Tracing::default().begin("x").baggage.is_none());
    }
}
