//! A stand-in for Sentry: takes what Sentry takes, refuses what it refuses, and fails in every way.
//!
//! It is there twice: on the network (`server.rs`), and in memory as a [`Carrier`] of its own, for tests in which the
//! clock stands still.

mod envelope;
mod limits;
mod server;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use probe_core::BoxFuture;
use sentrynet::report::sentry::delivery::{Answer, Broken, Carrier};
use tokio::sync::watch;

pub(crate) use self::{envelope::Envelope, server::Server};

/// What becomes of one post.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// It is judged as Sentry judges it.
    #[default]
    Well,
    /// It gets this answer, and is not taken.
    Answers(Answer),
    /// It is judged and taken, and the answer says this beside.
    Limits(&'static str),
    /// It is judged after a while.
    Slow(Duration),
    /// It never gets an answer.
    Hangs,
    /// The connection is closed before anything is taken.
    ClosesBefore,
    /// The connection is closed after it was taken.
    ClosesAfter,
}

/// The stand-in.
pub(crate) struct Sentry {
    state: Mutex<State>,
    seen: watch::Sender<Seen>,
}

/// How much it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Posts that came in.
    pub(crate) posts: usize,
    /// Posts that are being dealt with.
    pub(crate) open: usize,
    /// The most that were dealt with at once.
    pub(crate) most_open: usize,
    /// Envelopes taken, repeats included.
    pub(crate) taken: usize,
}

type Moods = Box<dyn FnMut(&Envelope) -> Mood + Send>;

struct State {
    moods: Moods,
    taken: Vec<Envelope>,
    dropped: Vec<String>,
    refused: Vec<(u16, String)>,
}

/// One post, while it is dealt with.
struct Open<'a>(&'a watch::Sender<Seen>);

// === impl Mood ===

impl Mood {
    /// This status and nothing else.
    pub(crate) fn status(status: u16) -> Self {
        Self::Answers(Answer { status, ..Answer::default() })
    }
}

// === impl Sentry ===

impl Sentry {
    pub(crate) fn new() -> Arc<Self> {
        let state =
            State { moods: Box::new(|_| Mood::Well), taken: Vec::new(), dropped: Vec::new(), refused: Vec::new() };
        Arc::new(Self { state: Mutex::new(state), seen: watch::Sender::new(Seen::default()) })
    }

    /// One that is always in this mood.
    pub(crate) fn that(mood: Mood) -> Arc<Self> {
        let sentry = Self::new();
        sentry.always(mood);
        sentry
    }

    /// From now on always in this mood.
    pub(crate) fn always(&self, mood: Mood) {
        self.moods(move |_| mood.clone());
    }

    /// From now on in the mood that each envelope puts it into.
    pub(crate) fn moods(&self, moods: impl FnMut(&Envelope) -> Mood + Send + 'static) {
        self.state().moods = Box::new(moods);
    }

    /// What was taken, in order.
    pub(crate) fn taken(&self) -> Vec<Envelope> {
        self.state().taken.clone()
    }

    /// The event ids of what was taken, in order.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        self.state().taken.iter().filter_map(|envelope| envelope.event_id().map(str::to_owned)).collect()
    }

    /// Why something was dropped that was answered 200.
    pub(crate) fn dropped(&self) -> Vec<String> {
        self.state().dropped.clone()
    }

    /// What was refused, and why.
    pub(crate) fn refused(&self) -> Vec<(u16, String)> {
        self.state().refused.clone()
    }

    pub(crate) fn seen(&self) -> Seen {
        *self.seen.borrow()
    }

    /// Waits until it has seen as much.
    pub(crate) async fn until(&self, enough: impl FnMut(&Seen) -> bool) -> Seen {
        *self.seen.subscribe().wait_for(enough).await.expect("the stand-in lives")
    }

    /// Waits until it has taken so many.
    pub(crate) async fn until_taken(&self, number: usize) {
        self.until(|seen| seen.taken >= number).await;
    }

    /// Deals with one envelope; an error is a connection that was closed.
    pub(crate) async fn receive(&self, bytes: &[u8]) -> Result<Answer, Broken> {
        let _open = Open::new(&self.seen);
        let envelope = match Envelope::read(bytes) {
            Ok(envelope) => envelope,
            Err(wrong) => return Ok(self.refuse(400, wrong)),
        };
        let mood = (self.state().moods)(&envelope);
        match mood {
            Mood::Well => Ok(self.judge(envelope)),
            Mood::Answers(answer) => Ok(answer),
            Mood::Limits(limits) => Ok(Answer { rate_limits: Some(limits.to_owned()), ..self.judge(envelope) }),
            Mood::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(self.judge(envelope))
            }
            Mood::Hangs => std::future::pending().await,
            Mood::ClosesBefore => Err(Broken("the connection was closed".to_owned())),
            Mood::ClosesAfter => {
                self.judge(envelope);
                Err(Broken("the connection was closed".to_owned()))
            }
        }
    }

    /// Says no, and keeps why.
    pub(crate) fn refuse(&self, status: u16, detail: String) -> Answer {
        self.state().refused.push((status, detail.clone()));
        Answer { status, detail, ..Answer::default() }
    }

    pub(crate) fn connected(&self) {
        self.seen.send_modify(|seen| seen.connections += 1);
    }

    fn judge(&self, envelope: Envelope) -> Answer {
        if let Some(wrong) = limits::too_large(&envelope) {
            return self.refuse(413, wrong);
        }
        let detail = format!("{{\"id\":{:?}}}", envelope.event_id().unwrap_or_default());
        let mut state = self.state();
        state.dropped.extend(limits::dropped(&envelope));
        state.taken.push(envelope);
        drop(state);
        self.seen.send_modify(|seen| seen.taken += 1);
        Answer { status: 200, detail, ..Answer::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier for Sentry {
    fn post(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<Answer, Broken>> {
        Box::pin(async move { self.receive(&envelope).await })
    }
}

impl fmt::Debug for Sentry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentry").field("seen", &self.seen()).finish_non_exhaustive()
    }
}

// === impl Open ===

impl<'a> Open<'a> {
    fn new(seen: &'a watch::Sender<Seen>) -> Self {
        seen.send_modify(|seen| {
            seen.posts += 1;
            seen.open += 1;
            seen.most_open = seen.most_open.max(seen.open);
        });
        Self(seen)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|seen| seen.open -= 1);
    }
}
