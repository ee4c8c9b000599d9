//! Spans of time as people write them.

use std::time::Duration;

/// Units, largest first, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `30s`, `5m`, `1h30m`, `250ms`, `1.5s`, or a plain number of seconds; each unit once, the larger first.
///
/// # Errors
/// What is wrong, and how it is written.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write seconds as a number, or 250ms, 30s, 5m, 1h30m, 2d");
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let (mut rest, mut total, mut units) = (text.trim(), Duration::ZERO, UNITS.iter());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let amount: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letters = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |at| digits + at);
        let unit = &rest[digits..letters];
        let (_, milliseconds) = units.by_ref().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        #[allow(clippy::cast_precision_loss)] // at most 86,400,000
        let seconds = amount * (*milliseconds as f64) / 1_000.0;
        total = Duration::try_from_secs_f64(seconds).ok().and_then(|more| total.checked_add(more)).ok_or_else(wrong)?;
        rest = &rest[letters..];
    }
    if text.trim().is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2d", 172_800_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "5x", "5m1h", "1h1h", "-3", "1e400", "nan", "5 m", "1..5s", "m5"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
