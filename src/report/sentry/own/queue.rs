//! The SDK's transport: a short queue, in front of which secrets are masked.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    time::Duration,
};

use sentry::{Transport, protocol::EnvelopeItem};

use crate::{
    redact::Redactor,
    report::sentry::{
        envelope::Envelope,
        scrub::Scrubbed,
        spool::Lane,
        wire::{self, Item},
    },
};

/// So many may wait: more faults at once tell nothing new.
const WAITING: usize = 64;

/// Where the SDK puts what it made; gone once it was shut down.
pub(super) struct Queue {
    redactor: Redactor,
    sender: Mutex<Option<SyncSender<Envelope>>>,
}

// === impl Queue ===

impl Queue {
    /// Both ends.
    pub(super) fn new(redactor: Redactor) -> (Self, Receiver<Envelope>) {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        (Self { redactor, sender: Mutex::new(Some(sender)) }, receiver)
    }
}

impl Transport for Queue {
    fn send_envelope(&self, envelope: sentry::Envelope) {
        for item in envelope.items() {
            let EnvelopeItem::Event(event) = item else { continue };
            let Ok(mut payload) = serde_json::to_value(event) else { continue };
            self.redactor.redact_json(&mut payload);
            let sealed = wire::seal(Lane::Urgent, event.event_id, None, Item::Event, &Scrubbed(&payload));
            if let Some(sender) = &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
                // When it is full, what waits there tells enough.
                let _ = sender.try_send(sealed);
            }
        }
    }

    fn shutdown(&self, _: Duration) -> bool {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        true
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
