//! Numbers with a fraction as decimal digits, the way Python writes them.
//!
//! The digits come from the standard library, which rounds the exact binary value to nearest, ties to even, and finds
//! the shortest digits that read back as the same number: what Python's `dtoa` does. All take a magnitude.

/// `repr` and `str`: the shortest digits, with an exponent from 1e16 on and below 1e-4.
pub(super) fn shortest(magnitude: f64, alternate: bool) -> String {
    if !magnitude.is_finite() {
        return "inf".to_owned();
    }
    let (digits, point) = split(&format!("{magnitude:e}"));
    place(&digits, point, !(-3..=16).contains(&point), 0, true, alternate)
}

/// Type `g`: `precision` digits in all. `whole` keeps one behind the point (`1.0`), as a spec without type wants it.
pub(super) fn general(magnitude: f64, precision: usize, alternate: bool, whole: bool) -> String {
    if !magnitude.is_finite() {
        return "inf".to_owned();
    }
    let precision = precision.max(1);
    let (digits, point) = split(&format!("{magnitude:.*e}", precision - 1));
    let most = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(whole);
    let exponent = point < -3 || i64::from(point) > most;
    place(&digits, point, exponent, if alternate { precision } else { 0 }, whole, alternate)
}

/// Type `e`: one digit, the point, `precision` digits, the exponent.
pub(super) fn exponent(magnitude: f64, precision: usize, alternate: bool) -> String {
    if !magnitude.is_finite() {
        return "inf".to_owned();
    }
    let written = format!("{magnitude:.precision$e}");
    let (mantissa, power) = written.split_once('e').unwrap_or((&written, "0"));
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{mantissa}{point}{}", power_of_ten(power.parse().unwrap_or(0)))
}

/// Type `f`: all digits before the point, `precision` behind it.
pub(super) fn fixed(magnitude: f64, precision: usize, alternate: bool) -> String {
    let point = if alternate && precision == 0 && magnitude.is_finite() { "." } else { "" };
    format!("{magnitude:.precision$}{point}")
}

/// The significant digits of `d.ddde±p` without zeros at their end, and where the point stands among them.
fn split(written: &str) -> (String, i32) {
    let (mantissa, power) = written.split_once('e').unwrap_or((written, "0"));
    let digits = mantissa.replace('.', "");
    let kept = digits.trim_end_matches('0').len().max(1);
    (digits[..kept].to_owned(), power.parse::<i32>().unwrap_or(0) + 1)
}

/// Sets the point into the digits: at least `least` digits in all, and one behind the point when `whole` and there is
/// no exponent. A point with nothing behind it stays only in the alternate form.
fn place(digits: &str, point: i32, exponent: bool, least: usize, whole: bool, alternate: bool) -> String {
    let at = if exponent { 1 } else { point };
    let before = usize::try_from(at).unwrap_or(0);
    let leading = usize::try_from(-at).unwrap_or(0);
    let all = digits.len().max(least);
    let all = all.max(before + usize::from(whole && !exponent));
    let padded = format!("{digits:0<all$}");
    let (left, right) = padded.split_at(before);
    let left = if left.is_empty() { "0" } else { left };
    let mut written = format!("{left}.{}{right}", "0".repeat(leading));
    if written.ends_with('.') && !alternate {
        written.pop();
    }
    if exponent { written + &power_of_ten(point - 1) } else { written }
}

fn power_of_ten(power: i32) -> String {
    format!("e{}{:02}", if power < 0 { '-' } else { '+' }, power.unsigned_abs())
}
