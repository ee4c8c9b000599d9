//! The trace of a run: its ids, and the baggage that lets a target's own Sentry join it.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use probe_core::{Propagation, Sampled, Targets, TraceId};
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
    /// What of a trace goes out with requests.
    pub propagate: Propagate,
    /// How many of the successful runs are sent.
    pub success_sample: SuccessSample,
}

/// The fraction of successful runs that are sent, from 0 to 1. What is drawn for a run follows from its trace id, so that
/// all who know the trace know the decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessSample(f64);

/// What of a trace goes out with requests, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propagate {
    /// Whether `sentry-trace` and `baggage` do.
    pub sentry: bool,
    /// Whether `traceparent` does.
    pub w3c: bool,
    /// The sampling decision that is passed on.
    pub decision: Decision,
    /// Who may see them.
    pub targets: Targets,
}

/// Whether a target is told to record its part of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// It decides itself.
    #[default]
    Defer,
    /// It should.
    Force,
    /// It should not.
    Never,
    /// It should when the check's last run failed; else it decides itself.
    AfterFailure,
}

impl Default for Propagate {
    fn default() -> Self {
        Self { sentry: true, w3c: true, decision: Decision::Defer, targets: Targets::Configured }
    }
}

/// Sentry's dynamic sampling context (develop.sentry.dev, "Dynamic Sampling Context"): what is known of a trace before
/// any of its spans is there. The same goes to the target, in `baggage`, and to Sentry, in the header of an envelope.
#[derive(Clone, Debug)]
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
    /// How it was decided whether the trace is sent.
    pub sampling: Sampling,
}

/// How it was decided whether a trace is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Of how many such traces one stands for the others: Sentry extrapolates by it.
    rate: String,
    /// What was drawn, when not all are sent.
    rand: Option<String>,
    sampled: bool,
}

// === impl Tracing ===

impl Tracing {
    /// A new trace for one run of the check with this title, of which no run failed before.
    pub fn begin(&self, title: &str) -> Propagation {
        self.begin_after(title, false)
    }

    /// A new trace for one run of the check with this title; `failed` says whether the run before it did.
    pub fn begin_after(&self, title: &str, failed: bool) -> Propagation {
        let trace_id = TraceId::random();
        let baggage = self.baggage(trace_id, title).map(Into::into);
        let Propagate { sentry, w3c, decision, targets } = self.propagate.clone();
        let sampled = match decision {
            Decision::AfterFailure if failed => Sampled::Force,
            Decision::Defer | Decision::AfterFailure => Sampled::Defer,
            Decision::Force => Sampled::Force,
            Decision::Never => Sampled::Never,
        };
        Propagation { trace_id, baggage, sentry, w3c, sampled, targets }
    }

    /// The dynamic sampling context as a baggage header.
    fn baggage(&self, trace_id: TraceId, title: &str) -> Option<String> {
        let context = SamplingContext {
            trace_id: &trace_id.to_string(),
            public_key: self.public_key.as_deref()?,
            release: self.release.as_deref(),
            environment: self.environment.as_deref(),
            transaction: title,
            sampling: self.success_sample.of(trace_id),
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

// === impl SuccessSample ===

impl SuccessSample {
    /// This fraction; none that is not from 0 to 1.
    pub fn new(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// The fraction.
    pub const fn fraction(self) -> f64 {
        self.0
    }

    /// Whether the trace of a successful run is sent.
    pub fn keeps(self, trace_id: TraceId) -> bool {
        self.of(trace_id).sampled
    }

    /// The decision on a successful run.
    pub fn of(self, trace_id: TraceId) -> Sampling {
        if self.0 >= 1.0 {
            return Sampling::always();
        }
        // Six decimals, as Sentry's SDKs draw it (develop.sentry.dev, "Propagated Random Value").
        let [.., a, b, c, d] = trace_id.bytes();
        let millionths = (u64::from(u32::from_be_bytes([a, b, c, d])) * 1_000_000) >> 32;
        let rand = f64::from(u32::try_from(millionths).unwrap_or(u32::MAX)) / 1e6;
        Sampling { rate: self.0.to_string(), rand: Some(format!("{rand:.6}")), sampled: rand < self.0 }
    }
}

impl Default for SuccessSample {
    fn default() -> Self {
        Self(1.0)
    }
}

// === impl Sampling ===

impl Sampling {
    /// That of a run that is sent whatever is drawn: it stands for itself alone.
    pub fn always() -> Self {
        Self { rate: "1".to_owned(), rand: None, sampled: true }
    }
}

// === impl SamplingContext ===

impl SamplingContext<'_> {
    /// Names and values.
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("trace_id", Some(self.trace_id)),
            ("public_key", Some(self.public_key)),
            ("release", self.release),
            ("environment", self.environment),
            ("transaction", Some(self.transaction)),
            ("sample_rate", Some(self.sampling.rate.as_str())),
            ("sample_rand", self.sampling.rand.as_deref()),
            ("sampled", Some(if self.sampling.sampled { "true" } else { "false" })),
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
            Tracing { public_key: Some("abc".into()), release: Some("sentrynet@1.0".into()), ..Tracing::default() };
        let propagation = tracing.begin("GET https://a.example/?x=1, ü");
        let want = format!(
            "sentry-trace_id={},sentry-public_key=abc,sentry-release=sentrynet@1.0,\
             sentry-transaction=GET%20https://a.example/%3Fx%3D1%2C%20%C3%BC,sentry-sample_rate=1,sentry-sampled=true",
            propagation.trace_id
        );
        assert_eq!(propagation.baggage.as_deref(), Some(want.as_str()));
    }

    #[test]
    fn after_a_failure_the_target_is_told_to_record() {
        let with = |decision, failed| {
            let propagate = Propagate { decision, ..Propagate::default() };
            Tracing { propagate, ..Tracing::default() }.begin_after("x", failed).sampled
        };
        for (decision, well, failed) in [
            (Decision::Defer, Sampled::Defer, Sampled::Defer),
            (Decision::Force, Sampled::Force, Sampled::Force),
            (Decision::Never, Sampled::Never, Sampled::Never),
            (Decision::AfterFailure, Sampled::Defer, Sampled::Force),
        ] {
            assert_eq!((with(decision, false), with(decision, true)), (well, failed), "{decision:?}");
        }
    }

    #[test]
    fn without_a_dsn_there_is_no_baggage() {
        assert!(Tracing::default().begin("x").baggage.is_none());
    }

    #[test]
    fn the_fraction_that_is_sent_is_the_one_that_was_asked_for() {
        for (fraction, least, most) in [(0.0, 0, 0), (0.25, 2_300, 2_700), (1.0, 10_000, 10_000)] {
            let sample = SuccessSample::new(fraction).unwrap();
            let kept = (0..10_000).filter(|_| sample.keeps(TraceId::random())).count();
            assert!((least..=most).contains(&kept), "{fraction}: {kept}");
        }
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert_eq!(SuccessSample::new(wrong), None);
        }
    }

    #[test]
    fn the_target_is_told_the_decision_and_the_rate() {
        let success_sample = SuccessSample::new(0.25).unwrap();
        let tracing = Tracing { public_key: Some("abc".into()), success_sample, ..Tracing::default() };
        for _ in 0..100 {
            let propagation = tracing.begin("x");
            let baggage = propagation.baggage.unwrap();
            assert!(baggage.contains("sentry-sample_rate=0.25,sentry-sample_rand=0."), "{baggage}");
            let sampled = format!("sentry-sampled={}", success_sample.keeps(propagation.trace_id));
            assert!(baggage.ends_with(&sampled), "{baggage}");
        }
    }
}
