//! The daemon's own faults: its panics and its errors in the log, told to Sentry as its own and never as a target's.
//!
//! They carry the tag `sentrynet: own`, and one place in the program is one issue. The SDK makes the events and the
//! stack traces; its transport here is a queue to a thread of its own. So a fault inside the spool, with the spool's
//! locks held, can still be told.

use std::{
    collections::BTreeMap,
    io,
    panic::{self, PanicHookInfo},
    sync::{Arc, Weak},
    thread::{self, JoinHandle},
    time::Duration,
};

use sentry::{
    Client, ClientOptions,
    integrations::panic::PanicIntegration,
    protocol::{Event, Level, Value},
};

use self::{budget::Budget, queue::Queue};
use super::{envelope::Envelope, settings::Settings};
use crate::redact::Redactor;

mod budget;
mod log;
mod queue;

pub use log::Errors;

/// Tells the daemon's own faults as long as it lives.
#[derive(Debug)]
#[must_use = "own faults are told only as long as this lives"]
pub struct Guard {
    reporter: Arc<Reporter>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Reporter {
    client: Client,
    budget: Budget,
}

/// From now on, until the guard is dropped, panics anywhere in the process are handed to `take` as envelopes, as are
/// errors in the log once [`Guard::errors`] is among the subscriber's layers. What was told on a panic before, still is.
///
/// `take` runs on a thread of its own, one envelope after the other, and should not wait for the network.
///
/// # Errors
/// When no thread can be started.
pub fn install(
    settings: &Settings,
    redactor: &Redactor,
    take: impl Fn(Envelope) + Send + 'static,
) -> io::Result<Guard> {
    let (queue, taken) = Queue::new(redactor.clone());
    let thread =
        thread::Builder::new().name("own-faults".to_owned()).spawn(move || taken.into_iter().for_each(take))?;
    let mut options = ClientOptions::new()
        .release(settings.release.clone())
        .environment(settings.environment.clone())
        .server_name(settings.server_name.clone())
        .transport(Arc::new(queue));
    options.dsn = Some(settings.dsn.as_sdk().clone());
    let reporter = Arc::new(Reporter { client: Client::with_options(options), budget: Budget::default() });
    hook(Arc::downgrade(&reporter));
    Ok(Guard { reporter, thread: Some(thread) })
}

fn hook(reporter: Weak<Reporter>) {
    let next = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Some(reporter) = reporter.upgrade() {
            reporter.panicked(info);
        }
        next(info);
    }));
}

// === impl Guard ===

impl Guard {
    /// A layer that tells each error in the log.
    pub fn errors(&self) -> Errors {
        Errors::new(Arc::downgrade(&self.reporter))
    }
}

impl Drop for Guard {
    /// What is queued is still handed on.
    fn drop(&mut self) {
        self.reporter.client.close(Some(Duration::ZERO));
        if let Some(thread) = self.thread.take() {
            // It panicked only if what takes the envelopes did, and that was told.
            let _ = thread.join();
        }
    }
}

// === impl Reporter ===

impl Reporter {
    fn panicked(&self, info: &PanicHookInfo<'_>) {
        let place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        self.tell("panic", &place, || PanicIntegration::new().event_from_panic_info(info));
    }

    fn logged(&self, target: &str, place: &str, message: String, fields: BTreeMap<String, Value>) {
        self.tell("error", place, || Event {
            level: Level::Error,
            message: Some(message),
            logger: Some(target.to_owned()),
            extra: fields.into_iter().collect(),
            ..Event::default()
        });
    }

    /// Once a minute for one place, with the number of times it was left out since.
    fn tell(&self, kind: &'static str, place: &str, event: impl FnOnce() -> Event<'static>) {
        let Some(left_out) = self.budget.take(place) else { return };
        let mut event = event();
        event.fingerprint = vec!["sentrynet".into(), kind.into(), place.to_owned().into()].into();
        event.tags.insert("sentrynet".to_owned(), "own".to_owned());
        event.extra.insert("place".to_owned(), place.into());
        if left_out > 0 {
            event.extra.insert("left_out_before".to_owned(), left_out.into());
        }
        self.client.capture_event(event, None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use probe_core::Secret;
    use serde_json::Value as Json;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::report::sentry::spool::{Category, Lane};

    fn settings() -> Settings {
        Settings {
            dsn: "https://0123456789abcdef0123456789abcdef@sentry.example/1".parse().unwrap(),
            environment: "test".to_owned(),
            release: "sentrynet@0".to_owned(),
            server_name: "host".to_owned(),
            heartbeat: None,
            success_sample: Default::default(),
            delivery: Default::default(),
        }
    }

    /// The payloads of what is told while `work` runs.
    fn told(work: impl FnOnce(&Guard)) -> Vec<Json> {
        let redactor = Redactor::default();
        redactor.learn([Secret::new("hunter22")]);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&taken);
        let take = move |envelope| into.lock().unwrap_or_else(PoisonError::into_inner).push(envelope);
        let guard = install(&settings(), &redactor, take).unwrap();
        work(&guard);
        drop(guard);
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter().map(payload).collect()
    }

    fn payload(envelope: &Envelope) -> Json {
        assert_eq!((envelope.lane, envelope.category), (Lane::Urgent, Category::Error));
        let lines: Vec<&[u8]> = envelope.bytes.split(|byte| *byte == b'\n').collect();
        serde_json::from_slice(lines[2]).unwrap()
    }

    #[test]
    fn a_panic_is_told_once_as_our_own_and_without_its_secrets() {
        let events = told(|_| {
            for _ in 0..3 {
                let _ = thread::spawn(|| panic!("boom with hunter22 and password=abc")).join();
            }
        });
        // Other tests of this binary may panic on purpose at the same time.
        let ours: Vec<_> = events.iter().filter(|event| event.to_string().contains("boom with")).collect();
        assert_eq!(ours.len(), 1, "{events:?}");
        let exception = &ours[0]["exception"]["values"][0];
        assert_eq!(exception["type"], "panic");
        assert_eq!(exception["value"], "boom with [redacted] and password=[redacted]");
        assert!(exception["stacktrace"]["frames"].as_array().is_some_and(|frames| !frames.is_empty()));
        assert_eq!(ours[0]["tags"]["sentrynet"], "own");
        assert_eq!(ours[0]["fingerprint"][1], "panic");
        assert_eq!(ours[0]["environment"], "test");
        assert!(!ours[0].to_string().contains("hunter22"));
    }

    #[test]
    fn an_error_in_the_log_is_told_and_a_warning_is_not() {
        let events = told(|guard| {
            let subscriber = tracing_subscriber::registry().with(guard.errors());
            tracing::subscriber::with_default(subscriber, || {
                tracing::warn!("not this");
                tracing::error!(token = "hunter22", count = 3, "the spool could not be tended");
            });
        });
        let ours: Vec<_> = events.iter().filter(|event| !event["message"].is_null()).collect();
        assert_eq!(ours.len(), 1, "{events:?}");
        assert_eq!(ours[0]["message"], "the spool could not be tended");
        assert_eq!(ours[0]["extra"]["count"], 3);
        assert_eq!(ours[0]["extra"]["token"], "[redacted]");
        assert_eq!(ours[0]["tags"]["sentrynet"], "own");
    }
}
