//! One envelope: what goes to Sentry in one post.

use uuid::Uuid;

use super::spool::{Category, Lane};

/// An envelope, ready for the spool. Its header lacks `sent_at`: the sender stamps that at each try, because Relay
/// shifts every time in the envelope by the difference between it and its own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who goes first, and what is lost first.
    pub lane: Lane,
    /// What Sentry counts it as.
    pub category: Category,
    /// The same at every try, so that Sentry can tell a repeat.
    pub event_id: Option<Uuid>,
    /// The header, a JSON object on a line of its own; then the items.
    pub bytes: Vec<u8>,
}
