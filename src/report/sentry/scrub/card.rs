//! Card numbers, told by their check digit.

use std::ops::Range;

/// The digits of a card number (ISO/IEC 7812).
pub(super) const DIGITS: Range<usize> = 13..20;

/// Where they stand in a text, also in groups of digits with a blank or a dash between them.
pub(super) fn numbers(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        match card_at(bytes, at) {
            Some(end) if digits > 0 => {
                found.push(at..end);
                at = end;
            }
            _ => at += digits.max(1),
        }
    }
}

/// Whether this number is one.
pub(super) fn is_number(number: u64) -> bool {
    // The smallest number of thirteen digits.
    number >= 1_000_000_000_000 && card_at(number.to_string().as_bytes(), 0).is_some()
}

/// Where the longest card number that begins here ends. A part of a word, and the decimals of a number, are none.
fn card_at(bytes: &[u8], start: usize) -> Option<usize> {
    let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let before = start.checked_sub(1).and_then(|place| bytes.get(place));
    let decimals = before == Some(&b'.') && start >= 2 && digit(start - 2);
    if decimals || before.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (mut number, mut count, mut at, mut card) = ([0; DIGITS.end], 0, start, None);
    while count < DIGITS.end {
        if digit(at) {
            number[count] = bytes[at] - b'0';
            (count, at) = (count + 1, at + 1);
            let goes_on = match bytes.get(at) {
                Some(b'.') => digit(at + 1),
                next => next.is_some_and(u8::is_ascii_alphanumeric),
            };
            if DIGITS.contains(&count) && !goes_on && is_card(&number[..count]) {
                card = Some(at);
            }
        } else if count > 0 && matches!(bytes.get(at), Some(b' ' | b'-')) && digit(at + 1) {
            at += 1;
        } else {
            break;
        }
    }
    card
}

/// The check digit of ISO/IEC 7812 (Luhn); all zeros are no number.
fn is_card(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let weigh = |(place, digit): (usize, &u8)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit });
    digits.iter().rev().enumerate().map(weigh).sum::<u32>() % 10 == 0 && digits.iter().any(|digit| *digit > 0)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use crate::report::sentry::scrub::text;

    #[test]
    fn card_numbers_are_masked_however_they_are_grouped() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "3782-822463-10005",
            "5555555555554444",
            "4222222222222",
            "6304000000000000000",
        ] {
            assert_eq!(text(&format!("paid 12 with {card}, ok")), "paid 12 with [redacted], ok");
        }
        assert_eq!(text(r#"{"n":4111111111111111}"#), r#"{"n":[redacted]}"#);
        for given in [
            "4111111111111112",
            "x4111111111111111",
            "0.4111111111111111",
            "4111111111111111.5",
            "0000000000000000",
            "41111111111111110000000000",
            "2026-11-20T10:00:00.123456Z",
        ] {
            assert!(matches!(text(given), Cow::Borrowed(_)), "{given} became {}", text(given));
        }
    }
}
