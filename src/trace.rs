//! The trace of a run: its ids, and the baggage that lets a target's own Sentry join it.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use probe_core::{Propagation, Sampled, TraceId};

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

// === impl Tracing ===

impl Tracing {
    /// A new trace for one run of the check with this title.
    pub fn begin(&self, title: &str) -> Propagation {
        let trace_id = TraceId::random();
        let baggage = self.baggage(trace_id, title).map(Into::into);
        Propagation { trace_id, baggage, sentry: true, w3c: true, sampled: Sampled::Defer }
    }

    /// The dynamic sampling context as a baggage header (Sentry's SDK telemetry, "Dynamic Sampling Context").
    fn baggage(&self, trace_id: TraceId, title: &str) -> Option<String> {
        let key = self.public_key.as_deref()?;
        let mut baggage = format!("sentry-trace_id={trace_id},sentry-public_key={key}");
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(baggage, ",sentry-{name}={}", utf8_percent_encode(value, BAGGAGE));
            }
        };
        add("release", self.release.as_deref());
        add("environment", self.environment.as_deref());
        add("transaction", Some(title));
        add("sample_rate", Some("1"));
        add("sampled", Some("true"));
        Some(baggage)
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
