//! Whether an answer is as expected: its status, then the keys it holds, then the assertions on them.

use std::time::Duration;

use http::Method;
use probe_core::{Failure, FailureClass, Op, Span};
use probe_expect::{Answer as View, Assertions, Captures, StatusSet, Values};
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::{
    AnswerKeys,
    exchange::{Answer, Hop},
};

/// What is expected of an answer.
#[derive(Debug)]
pub struct Expected {
    status: StatusSet,
    captures: Option<Captures>,
    assertions: Option<Assertions>,
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
        }
    }

    /// Judges the answer of a hop, and ends it.
    ///
    /// # Errors
    /// The first expectation that does not hold.
    pub fn judge(&self, hop: Hop) -> Result<(), Failure> {
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
            return Err(hop.fail(failure, ended));
        }
        match self.look_into(answer, &hop.span, hop.ended) {
            (Ok(()), ended) => {
                hop.finish(ended);
                Ok(())
            }
            (Err(failure), ended) => {
                let failure = failure.excerpt(answer.excerpt());
                Err(hop.fail(failure, ended))
            }
        }
    }

    /// Reads the body and checks what it holds; each step begins where the one before it ended.
    fn look_into(&self, answer: &Answer, request: &Span, received: Instant) -> (Result<(), Failure>, Instant) {
        if self.captures.is_none() && self.assertions.is_none() {
            return (Ok(()), received);
        }
        let span = request.child_at(Op::JSON_PARSE, received);
        let parsed = parse(answer);
        let at = Instant::now();
        let json = match end(span, parsed, at) {
            Ok(json) => json,
            Err(failure) => return (Err(failure), at),
        };

        let span = request.child_at(Op::JSON_ASSERT, at);
        let values = self.captures.as_ref().map(|captures| captures.take(View { json: &json })).unwrap_or_default();
        span.set("keys", values.names().collect::<Vec<_>>());
        let checked = self.check(&values);
        let at = Instant::now();
        (end(span, checked, at), at)
    }

    fn check(&self, values: &Values) -> Result<(), Failure> {
        self.assertions.as_ref().map_or(Ok(()), |assertions| assertions.check(values))
    }
}

fn parse(answer: &Answer) -> Result<Json, Failure> {
    let size = answer.body.bytes.len();
    if answer.body.cut {
        let message =
            format!("the body is larger than `max_body` ({size} bytes): what is expected of it cannot be told");
        return Err(Failure::new(FailureClass::Body, message).expected(format!("at most {size} bytes"), "more"));
    }
    serde_json::from_slice(&answer.body.bytes).map_err(|error| {
        let message = format!("the body ({size} bytes) is not JSON: {error}");
        Failure::new(FailureClass::Body, message).expected("JSON", format!("{size} bytes that are not"))
    })
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
