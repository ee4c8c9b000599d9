//! Whether an answer is as expected: its status, then the keys it holds, the assertions on them, and the answer itself.

use std::time::{Duration, SystemTime};

use http::Method;
use probe_core::{Failure, FailureClass, Op, Span};
use probe_expect::{Answer as View, Assertions, Captures, Expect, Found, StatusSet, Values};
use tokio::time::Instant;

use crate::{AnswerKeys, certificate::Certificate, exchange::Hop};

/// What is expected of an answer.
#[derive(Debug)]
pub struct Expected {
    status: StatusSet,
    captures: Option<Captures>,
    assertions: Option<Assertions>,
    expect: Option<Expect>,
}

// === impl Expected ===

impl Expected {
    /// As it was written for a request of this method.
    pub fn new(keys: &AnswerKeys, method: &Method) -> Self {
        let usual = if *method == Method::POST { 201 } else { 200 };
        Self {
            status: keys.expected.clone().unwrap_or_else(|| StatusSet::only(usual)),
            captures: keys.set_keys.clone(),
            assertions: keys.assertions.clone(),
            expect: keys.expect.clone(),
        }
    }

    /// The spans that judging makes when all goes well.
    pub fn spans(&self) -> usize {
        usize::from(self.looks()) + usize::from(self.needs_json())
    }

    /// Judges the answer of a hop, and ends it: what it gave, and the first expectation that does not hold. An assertion
    /// on a key that the answer was not to set asks `earlier` for it.
    pub fn judge<'v>(&self, hop: Hop, earlier: impl Fn(&str) -> Found<'v>) -> (Values, Result<(), Failure>) {
        let answer = &hop.answer;
        if !self.status.contains(answer.status.as_u16()) {
            let (expected, got) = (self.status.to_string(), answer.status.as_u16());
            let took = seconds(hop.ended - hop.begun);
            let failure =
                Failure::new(FailureClass::Status, format!("expected status {expected}, got {got} after {took}"))
                    .expected(expected, got.to_string())
                    .origin("status of the answer")
                    .excerpt(answer.excerpt());
            let ended = hop.ended;
            return (Values::default(), Err(hop.fail(failure, ended)));
        }
        let view = View::new(answer.status.as_u16(), &answer.headers, &answer.body.bytes)
            .cut(answer.body.cut)
            .version(answer.version)
            .took(hop.ended - hop.chain_begun)
            .days_left(hop.certificate.as_ref().and_then(|der| days_left(&Certificate::read(der)?)));
        let (values, looked, ended) = self.look_into(&view, &hop.span, hop.ended, earlier);
        let judged = match looked {
            Ok(()) => {
                hop.finish(ended);
                Ok(())
            }
            Err(failure) => {
                let failure = failure.excerpt(answer.excerpt());
                Err(hop.fail(failure, ended))
            }
        };
        (values, judged)
    }

    /// Reads the body and checks what it holds; each step begins where the one before it ended.
    fn look_into<'v>(
        &self,
        answer: &View<'_>,
        request: &Span,
        received: Instant,
        earlier: impl Fn(&str) -> Found<'v>,
    ) -> (Values, Result<(), Failure>, Instant) {
        let mut values = Values::default();
        if !self.looks() {
            return (values, Ok(()), received);
        }
        let mut from = received;
        if self.needs_json() {
            let span = request.child_at(Op::JSON_PARSE, from);
            let parsed = answer.json().map(|_| ());
            from = Instant::now();
            if let Err(failure) = end(span, parsed, from) {
                return (values, Err(failure), from);
            }
        }
        let span = request.child_at(Op::JSON_ASSERT, from);
        let checked = self.take(answer, &span).and_then(|taken| {
            values = taken;
            values.hide(self.expect.iter().flat_map(|expect| expect.secrets(answer)));
            self.check(answer, &values, earlier)
        });
        let at = Instant::now();
        (values, end(span, checked, at), at)
    }

    /// Whether anything but the status is looked at.
    const fn looks(&self) -> bool {
        self.captures.is_some() || self.assertions.is_some() || self.expect.is_some()
    }

    fn needs_json(&self) -> bool {
        self.captures.as_ref().is_some_and(Captures::needs_json) || self.expect.as_ref().is_some_and(Expect::needs_json)
    }

    fn take(&self, answer: &View<'_>, span: &Span) -> Result<Values, Failure> {
        let values = self.captures.as_ref().map(|captures| captures.take(answer)).transpose()?.unwrap_or_default();
        span.set("keys", values.iter().map(|(key, ..)| key).collect::<Vec<_>>());
        Ok(values)
    }

    fn check<'v>(
        &self,
        answer: &View<'_>,
        values: &Values,
        earlier: impl Fn(&str) -> Found<'v>,
    ) -> Result<(), Failure> {
        let own = |key: &str| values.get(key);
        self.assertions.as_ref().map_or(Ok(()), |assertions| {
            assertions
                .check(|key| Some(own(key)).filter(|found| found.origin.is_some()).unwrap_or_else(|| earlier(key)))
        })?;
        self.expect.as_ref().map_or(Ok(()), |expect| expect.check(answer))
    }
}

/// For how many whole days a certificate still holds; less than none when it has ended.
fn days_left(certificate: &Certificate) -> Option<i64> {
    let left = certificate.not_after? - chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
    Some(left.num_seconds().div_euclid(24 * 60 * 60))
}

fn end<T>(span: Span, result: Result<T, Failure>, at: Instant) -> Result<T, Failure> {
    match &result {
        Ok(_) => span.finish_at(at),
        Err(failure) => span.fail_at(failure.class, at),
    }
    result
}

/// A duration as people say it: `1.2 s`, `85 ms`.
fn seconds(duration: Duration) -> String {
    if duration >= Duration::from_secs(1) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
