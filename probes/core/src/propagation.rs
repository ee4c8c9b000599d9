//! How a run's trace reaches the target: ids, and the headers made of them.

use std::{fmt, sync::Arc};

/// The id of a trace: one run, and whatever the target adds to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The id of one span.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// What the target is told about whether to record its part of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampled {
    /// The target decides.
    #[default]
    Defer,
    /// The target should record it.
    Force,
    /// The target should not record it.
    Never,
}

/// To which hosts the headers may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Those that the configuration names as targets.
    #[default]
    Configured,
    /// These: names of hosts in lower case, and `*.example.com` for all below that name.
    Listed(Arc<[String]>),
}

/// A run's trace as it goes out with requests.
#[derive(Clone, Debug)]
pub struct Propagation {
    /// The trace of the run.
    pub trace_id: TraceId,
    /// The value of `baggage` (W3C), shared by the requests of a run; none: the header is not sent.
    pub baggage: Option<Arc<str>>,
    /// Whether `sentry-trace` and `baggage` are sent.
    pub sentry: bool,
    /// Whether `traceparent` (W3C) is sent.
    pub w3c: bool,
    /// The sampling decision that is passed on.
    pub sampled: Sampled,
    /// Who may see them.
    pub targets: Targets,
}

// === impl Targets ===

impl Targets {
    /// Whether the headers may go to `host`, when the configuration names `configured` as the target.
    pub fn hold(&self, host: &str, configured: &str) -> bool {
        match self {
            Self::Configured => host.eq_ignore_ascii_case(configured),
            Self::Listed(hosts) => hosts.iter().any(|listed| match listed.strip_prefix('*') {
                Some(tail) => host.len() > tail.len() && host.to_ascii_lowercase().ends_with(tail),
                None => host.eq_ignore_ascii_case(listed),
            }),
        }
    }
}

// === impl Propagation ===

impl Propagation {
    /// A new trace whose headers stay at home.
    pub fn none() -> Self {
        let (sampled, targets) = (Sampled::default(), Targets::default());
        Self { trace_id: TraceId::random(), baggage: None, sentry: false, w3c: false, sampled, targets }
    }

    /// The headers of a request that `span` stands for, names in lower case.
    ///
    /// `sentry-trace` leaves its third part out unless a decision was configured, as Sentry's SDKs do for a deferred
    /// one. W3C's flags cannot defer, and the SDKs write `00` then.
    pub fn headers(&self, span: SpanId) -> Vec<(&'static str, String)> {
        let (trace, mut headers) = (self.trace_id, Vec::with_capacity(3));
        if self.sentry {
            let decision = match self.sampled {
                Sampled::Defer => "",
                Sampled::Force => "-1",
                Sampled::Never => "-0",
            };
            headers.push(("sentry-trace", format!("{trace}-{span}{decision}")));
            if let Some(baggage) = &self.baggage {
                headers.push(("baggage", baggage.to_string()));
            }
        }
        if self.w3c {
            let flags = if self.sampled == Sampled::Force { "01" } else { "00" };
            headers.push(("traceparent", format!("00-{trace}-{span}-{flags}")));
        }
        headers
    }
}

// === impl TraceId ===

impl TraceId {
    /// A new id; never all zeros, which W3C's Trace Context calls invalid.
    pub fn random() -> Self {
        Self(fastrand::u128(1..).to_be_bytes())
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl SpanId ===

impl SpanId {
    /// A new id; never all zeros.
    pub fn random() -> Self {
        Self(fastrand::u64(1..).to_be_bytes())
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(propagation: &Propagation) -> Vec<&'static str> {
        propagation.headers(SpanId::random()).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_deferred_decision_is_left_out() {
        let mut propagation =
            Propagation { sentry: true, w3c: true, baggage: Some("a=b".into()), ..Propagation::none() };
        let span = SpanId::random();
        let trace = propagation.trace_id;
        let want = [
            ("sentry-trace", format!("{trace}-{span}")),
            ("baggage", "a=b".to_owned()),
            ("traceparent", format!("00-{trace}-{span}-00")),
        ];
        assert_eq!(propagation.headers(span), want);

        propagation.sampled = Sampled::Force;
        assert_eq!(propagation.headers(span)[0].1, format!("{trace}-{span}-1"));
        assert_eq!(propagation.headers(span)[2].1, format!("00-{trace}-{span}-01"));
    }

    #[test]
    fn each_family_can_stay_at_home() {
        assert!(names(&Propagation::none()).is_empty());
        let baggage = Some("a=b".into());
        assert_eq!(names(&Propagation { w3c: true, baggage: baggage.clone(), ..Propagation::none() }), ["traceparent"]);
        assert_eq!(names(&Propagation { sentry: true, baggage, ..Propagation::none() }), ["sentry-trace", "baggage"]);
    }

    #[test]
    fn a_list_of_hosts_is_the_whole_list() {
        let listed = Targets::Listed(["a.example".to_owned(), "*.b.example".to_owned()].into());
        for (host, holds) in [("A.example", true), ("x.b.example", true), ("b.example", false), ("ab.example", false)] {
            assert_eq!(listed.hold(host, "ab.example"), holds, "{host}");
        }
        assert!(Targets::Configured.hold("a.example", "A.EXAMPLE"));
        assert!(!Targets::Configured.hold("b.example", "a.example"));
    }

    #[test]
    fn ids_are_lower_case_hexadecimal_of_full_width() {
        assert_eq!(
            TraceId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]).to_string(),
            "000102030405060708090a0b0c0d0eff"
        );
        assert_eq!(SpanId([0, 0, 0, 0, 0, 0, 0, 10]).to_string(), "000000000000000a");
    }
}
