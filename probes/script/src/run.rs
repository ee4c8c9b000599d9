//! One run of a script: step after step, and what must be done even after a failure.

use std::time::{Duration, SystemTime};

use probe_core::{Context, Failure, FailureClass, Op, Propagation, Span, Targets};
use probe_http::{Bound, Question, Session};
use tokio::time::{self, Instant};

use crate::{
    Scope, ScriptProbe,
    request::{Filled, Unfit},
    step::{self, Step},
};

/// Of the script's time, the part that is kept for the steps that run even after a failure.
const KEPT: u32 = 5;

/// A run under way.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    script: &'a ScriptProbe,
    context: &'a Context,
    /// Connections and cookies, carried from step to step.
    session: Session,
    scope: Scope,
    /// For requests to a host that an answer named.
    untraced: Propagation,
    begun: Instant,
}

/// How a step ended that did not go well.
enum Broken {
    /// It was not as expected.
    Failed(Failure),
    /// It was there to clean up what had never been made.
    Idle,
}

// === impl Running ===

impl<'a> Running<'a> {
    pub(crate) fn new(script: &'a ScriptProbe, context: &'a Context) -> Self {
        let untraced = Propagation { baggage: None, sentry: false, w3c: false, ..context.propagation.clone() };
        let (session, begun) = (Session::new(context.learnt.clone()), Instant::now());
        Self { script, context, session, scope: script.scope(context), untraced, begun }
    }

    /// Runs the steps up to the first that fails, and from there on those that always run. What went wrong first is what
    /// went wrong; what went wrong with the cleaning up is told behind it.
    pub(crate) async fn all(mut self) -> Result<(), Failure> {
        let mut first: Option<Failure> = None;
        for step in &self.script.steps {
            if first.is_some() && !step.always {
                continue;
            }
            match (self.step(step, first.is_some()).await, &mut first) {
                (Ok(()) | Err(Broken::Idle), _) => {}
                (Err(Broken::Failed(failure)), None) => first = Some(failure),
                (Err(Broken::Failed(failure)), Some(first)) => {
                    first.message = format!("{}; cleaning up failed, too: {}", first.message, failure.message);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn step(&mut self, step: &Step, after_failure: bool) -> Result<(), Broken> {
        let until = self.until(step);
        self.pause(&self.context.root, step.delay, until).await;
        let span = self.context.root.child(Op::SCRIPT_STEP);
        span.describe(format!("{}: {}", step.number, step.name));
        span.set("script.step", step.number);
        let (times, delay) = step.retry;
        let mut attempt = 1;
        let broken = loop {
            let asked = self.ask(step, &span, until).await;
            match asked {
                Ok(()) => break None,
                Err(Unfit::Refused(failure))
                    if attempt <= times
                        && failure.class != FailureClass::Internal
                        && after(Instant::now(), delay, until) < until =>
                {
                    attempt += 1;
                    self.pause(&span, delay, until).await;
                }
                Err(unfit) => break Some(unfit),
            }
        };
        if times > 0 {
            span.set("script.attempts", attempt);
        }
        let Some(unfit) = broken else {
            span.finish();
            return Ok(());
        };
        // What was never made needs no cleaning up.
        if after_failure && unfit.is_absence() {
            span.set("script.skipped", Failure::from(unfit).message);
            span.finish();
            return Err(Broken::Idle);
        }
        let failure = self.told(step, attempt, unfit.into());
        span.fail(failure.class);
        Err(Broken::Failed(failure))
    }

    /// Asks once, and takes the keys that the answer holds, also those of an answer that is not as expected.
    async fn ask(&mut self, step: &Step, span: &Span, until: Instant) -> Result<(), Unfit> {
        let context = self.context;
        if Instant::now() >= until {
            return Err(Failure::new(FailureClass::Timeout, "there was no time left for it").into());
        }
        self.scope.tell_time(SystemTime::now());
        let Filled { request, tokens } = step.request.fill(&self.scope, &context.learnt)?;
        context.learnt.learn(self.scope.take_secrets());
        let begun = Instant::now();
        let until = step.timeout.map_or(until, |timeout| after(begun, timeout, until));
        let listed = matches!(context.propagation.targets, Targets::Listed(_));
        let named = listed || self.script.hosts.iter().any(|host| host == request.host());
        let trace = if named { &context.propagation } else { &self.untraced };
        let bound = Bound { until, whole: step.timeout.unwrap_or(context.timeout) };
        let (tokens, wire) = (tokens.as_deref(), &step.wire);
        let hop = self.session.ask(&Question { parent: span, request: &request, tokens, wire, trace, bound }).await?;
        let seen = hop.seen();
        let (values, judged) = step.expected.judge(hop, |key| self.scope.find(key));
        context.learnt.learn(values.secrets());
        let mut told = Vec::new();
        for (key, found) in values.iter() {
            let (Some(value), Some(origin)) = (found.value, found.origin) else { continue };
            self.scope.set(key, value.clone(), step::origin(step.number, origin), found.private);
            told.push(self.scope.told(key));
        }
        context.learnt.learn(self.scope.take_secrets());
        if !told.is_empty() {
            span.set("keys", told);
        }
        judged.map_err(|failure| self.session.told(failure, &request, wire, &seen, Some(bound.whole)).into())
    }

    /// When this step is cut off: of a script that cleans up, some time is kept for that.
    fn until(&self, step: &Step) -> Instant {
        let deadline = self.context.deadline;
        let cleans_up = self.script.steps.iter().any(|other| other.always && other.number > step.number);
        let kept = if cleans_up && !step.always { (deadline - self.begun) / KEPT } else { Duration::ZERO };
        deadline - kept
    }

    async fn pause(&self, parent: &Span, delay: Duration, until: Instant) {
        if !delay.is_zero() {
            let span = parent.child(Op::SCRIPT_DELAY);
            time::sleep_until(after(Instant::now(), delay, until)).await;
            span.finish();
        }
    }

    /// The failure with its step, and where each key came from that the step used.
    fn told(&self, step: &Step, attempt: u32, mut failure: Failure) -> Failure {
        let attempts = if attempt > 1 { format!(" (asked {attempt} times)") } else { String::new() };
        failure.message = format!("step {}: {}{attempts}: {}", step.number, step.name, failure.message);
        let origins = self.scope.origins(step.names.iter().map(String::as_str));
        if !origins.is_empty() {
            failure.message = format!("{}; {origins}", failure.message);
        }
        failure
    }
}

/// So much later, or `until` where that is earlier.
fn after(at: Instant, duration: Duration, until: Instant) -> Instant {
    at.checked_add(duration).map_or(until, |at| at.min(until))
}
