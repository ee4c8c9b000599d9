//! One run of a probe: its deadline, and a whole tree whatever cuts it off.

use std::{future::Future, panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::{FutureExt, future};
use tokio::time::{self, Instant};

use crate::{
    Context, Failure, FailureClass, Op, Outcome, Probe, Propagation, SpanRecord, SpanStatus, SpanTree, Verdict,
    span::Recorder,
};

/// How to run a probe once.
#[derive(Debug)]
pub struct Run<S = future::Pending<()>> {
    /// The bound on everything the probe does.
    pub timeout: Duration,
    /// The trace it belongs to.
    pub propagation: Propagation,
    /// Cuts the run off when it resolves: the daemon stops.
    pub stop: S,
}

/// Why a run ended before the probe said so.
enum Cut {
    Deadline,
    Panic(String),
    Stopped,
}

// === impl Run ===

impl Run {
    /// A run that only its deadline cuts off.
    pub fn new(timeout: Duration, propagation: Propagation) -> Self {
        Self { timeout, propagation, stop: future::pending() }
    }
}

/// Runs `probe` once. Whatever happens (deadline, panic, stop), the tree is whole: open spans end there, marked.
pub async fn run_probe<S: Future<Output = ()>>(probe: &dyn Probe, run: Run<S>) -> Outcome {
    let Run { timeout, propagation, stop } = run;
    let (recorder, root) = Recorder::start(Op::root(probe.op()));
    let deadline = Instant::now() + timeout;
    let context = Context::new(root, propagation, deadline, timeout);

    let (ended, now) = {
        let mut asked = pin!(AssertUnwindSafe(probe.run(&context)).catch_unwind());
        let ended = tokio::select! {
            biased;
            asked = &mut asked => asked.map_err(|panic| Cut::Panic(panic_message(&*panic))),
            () = time::sleep_until(deadline) => Err(Cut::Deadline),
            () = stop => Err(Cut::Stopped),
        };
        // Read before the probe's future goes: its open spans end as it goes, one after the other, and yet all now.
        (ended, Instant::now())
    };

    let (mut root, secrets) = context.into_parts();
    match ended {
        Ok(result) => {
            match &result {
                Ok(()) => root.finish_at(now),
                Err(failure) => root.fail_at(failure.class, now),
            }
            Outcome { tree: recorder.into_tree(SpanStatus::Cancelled, now), verdict: Verdict::from(result), secrets }
        }
        Err(cut) => {
            let status = cut.status();
            root.end(now, None);
            let tree = recorder.into_tree(status, now);
            let failure = cut.failure(timeout, &tree);
            let verdict = Verdict::from(Err(Failure { reproduce: probe.reproduce(timeout), ..failure }));
            Outcome { tree, verdict, secrets }
        }
    }
}

// === impl Cut ===

impl Cut {
    const fn status(&self) -> SpanStatus {
        match self {
            Self::Deadline => SpanStatus::DeadlineExceeded,
            Self::Panic(_) => SpanStatus::InternalError,
            Self::Stopped => SpanStatus::Cancelled,
        }
    }

    fn failure(self, timeout: Duration, tree: &SpanTree) -> Failure {
        match self {
            Self::Deadline => {
                let failed = tree.failed().filter(|span| span.parent.is_some());
                let phase = failed.map_or_else(|| "before the first span".to_owned(), SpanRecord::told);
                Failure::new(FailureClass::Timeout, format!("not done within {timeout:?}: {phase}"))
            }
            Self::Panic(message) => Failure::new(
                FailureClass::Internal,
                format!("the probe panicked, which is a defect of SentryNet: {message}"),
            ),
            Self::Stopped => {
                Failure::new(FailureClass::Internal, "cut off: SentryNet was stopped before the target had answered")
            }
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxFuture;

    #[derive(Debug)]
    enum Behave {
        Well(Duration),
        Panic,
    }

    impl Probe for Behave {
        fn kind(&self) -> &'static str {
            "test"
        }

        fn op(&self) -> &'static str {
            "probes.test"
        }

        fn spans(&self) -> usize {
            1
        }

        fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
            Box::pin(async move {
                let wait = context.root.child(Op::HTTP_WAIT);
                match self {
                    Self::Well(duration) => time::sleep(*duration).await,
                    Self::Panic => panic!("boom"),
                }
                wait.finish();
                Ok(())
            })
        }
    }

    async fn run(probe: &Behave, timeout: u64) -> Outcome {
        run_probe(probe, Run::new(Duration::from_secs(timeout), Propagation::none())).await
    }

    #[tokio::test(start_paused = true)]
    async fn in_time_it_is_up() {
        let outcome = run(&Behave::Well(Duration::from_secs(1)), 2).await;
        assert_eq!(outcome.verdict, Verdict::Up);
        assert_eq!(outcome.tree.duration(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn out_of_time_it_says_in_which_phase() {
        let outcome = run(&Behave::Well(Duration::from_secs(9)), 2).await;
        let Verdict::Down(failure) = &outcome.verdict else { panic!("{outcome:?}") };
        assert_eq!(failure.class, FailureClass::Timeout);
        assert_eq!(failure.message, "not done within 2s: in http.wait (Awaiting response) since 2s");
        assert!(outcome.tree.spans.iter().all(|span| span.status == SpanStatus::DeadlineExceeded));
        assert!(outcome.tree.spans.iter().all(|span| span.end == Duration::from_secs(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_the_probers_own_fault() {
        let outcome = run(&Behave::Panic, 2).await;
        let Verdict::Inconclusive(failure) = &outcome.verdict else { panic!("{outcome:?}") };
        assert!(failure.message.ends_with(": boom"), "{failure}");
        assert!(outcome.tree.spans.iter().all(|span| span.status == SpanStatus::InternalError));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_says_nothing_of_the_target() {
        let stop = time::sleep(Duration::from_millis(10));
        let run = Run { timeout: Duration::from_secs(2), propagation: Propagation::none(), stop };
        let outcome = run_probe(&Behave::Well(Duration::from_secs(1)), run).await;
        assert!(matches!(outcome.verdict, Verdict::Inconclusive(_)));
        assert!(outcome.tree.spans.iter().all(|span| span.status == SpanStatus::Cancelled));
        assert_eq!(outcome.tree.duration(), Duration::from_millis(10));
    }
}
