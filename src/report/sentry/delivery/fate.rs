//! What an answer means for the envelope that was posted.

use super::carrier::{Answer, Broken};

/// What becomes of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Sentry has it.
    Delivered,
    /// Sentry will never take it.
    Refused,
    /// Sentry takes none of its category for now.
    Limited,
    /// It is worth another try.
    Failed(Failed),
}

/// Why an envelope did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// Whether somebody has to mend something: a key, an address. Else it passes by itself.
    pub(super) standing: bool,
    /// In words, as the end of a sentence.
    pub(super) why: String,
}

// === impl Fate ===

impl Fate {
    /// 4xx speaks of the envelope, but for the statuses that speak of its way, or of the sender.
    pub(super) fn of(result: &Result<Answer, Broken>) -> Self {
        let answer = match result {
            Ok(answer) => answer,
            Err(broken) => return Self::Failed(Failed { standing: false, why: broken.to_string() }),
        };
        let failed = |standing, hint| {
            let Answer { status, detail, .. } = answer;
            let colon = if detail.is_empty() { "" } else { ": " };
            Self::Failed(Failed { standing, why: format!("it answers {status}{hint}{colon}{detail}") })
        };
        match answer.status {
            200..=299 => Self::Delivered,
            429 => Self::Limited,
            401 | 403 => failed(true, " (is the DSN's key still valid?)"),
            300..=399 | 404 | 405 | 407 => failed(true, " (is the DSN's address right?)"),
            408 | 425 => failed(false, ""),
            400..=499 => Self::Refused,
            _ => failed(false, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(status: u16) -> Fate {
        Fate::of(&Ok(Answer { status, detail: "why".to_owned(), ..Answer::default() }))
    }

    #[test]
    fn only_what_speaks_of_the_envelope_gives_it_up() {
        for status in [200, 202] {
            assert_eq!(fate(status), Fate::Delivered, "{status}");
        }
        for status in [400, 406, 413, 415, 422] {
            assert_eq!(fate(status), Fate::Refused, "{status}");
        }
        for status in [500, 502, 503, 504, 408, 100] {
            assert!(matches!(fate(status), Fate::Failed(Failed { standing: false, .. })), "{status}");
        }
        for status in [301, 401, 403, 404, 407] {
            assert!(matches!(fate(status), Fate::Failed(Failed { standing: true, .. })), "{status}");
        }
        assert_eq!(fate(429), Fate::Limited);
    }

    #[test]
    fn a_wrong_key_is_said_in_words() {
        let Fate::Failed(Failed { why, .. }) = fate(403) else { panic!("it failed") };
        assert_eq!(why, "it answers 403 (is the DSN's key still valid?): why");
    }
}
