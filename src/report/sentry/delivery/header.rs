//! The time of sending, in an envelope's header.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

/// The envelope with `sent_at` in its header, which lacks it. What does not begin with a header stays as it is: Sentry
/// says what is wrong with it.
pub(super) fn stamped(envelope: &[u8], now: SystemTime) -> Vec<u8> {
    let Some((b'{', rest)) = envelope.split_first() else { return envelope.to_vec() };
    let sent_at = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Micros, true);
    let comma = if rest.first() == Some(&b'}') { "" } else { "," };
    let stamp = format!("{{\"sent_at\":\"{sent_at}\"{comma}");
    [stamp.as_bytes(), rest].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_stands_in_the_header_and_nothing_else_changes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_202_626_722_414);
        let text = |envelope: &str| String::from_utf8(stamped(envelope.as_bytes(), now)).unwrap();
        assert_eq!(
            text("{\"event_id\":\"1\"}\n{\"type\":\"x\"}\n{}\n"),
            "{\"sent_at\":\"2026-11-20T19:23:46.722414Z\",\"event_id\":\"1\"}\n{\"type\":\"x\"}\n{}\n"
        );
        assert_eq!(text("{}\nrest"), "{\"sent_at\":\"2026-11-20T19:23:46.722414Z\"}\nrest");
        assert_eq!(text("no header"), "no header");
        assert_eq!(text(""), "");
    }
}
