//! Numbers, written by a format spec.

use super::{
    float,
    spec::{Align, Code, Sign, Spec, SpecError},
};

/// A number in pieces: what is padded and grouped, and what is only carried along.
struct Pieces {
    negative: bool,
    /// `0x`.
    prefix: &'static str,
    /// The digits before the point: they are grouped, and filled with zeros.
    digits: String,
    /// The point, what is behind it, and a letter that is no digit.
    tail: String,
}

/// Writes a whole number.
pub(super) fn integer(number: i128, spec: &Spec) -> Result<String, SpecError> {
    const SORT: &str = "a whole number";
    let magnitude = number.unsigned_abs();
    let (mut prefix, digits) = match spec.code {
        None | Some(Code::Decimal | Code::Number) => ("", magnitude.to_string()),
        Some(Code::Binary) => ("0b", format!("{magnitude:b}")),
        Some(Code::Octal) => ("0o", format!("{magnitude:o}")),
        Some(Code::Hex(false)) => ("0x", format!("{magnitude:x}")),
        Some(Code::Hex(true)) => ("0X", format!("{magnitude:X}")),
        Some(Code::Character) => ("", String::new()),
        Some(Code::Text) => return Err(Code::Text.misfit(SORT)),
        #[allow(clippy::cast_precision_loss)] // as Python rounds
        Some(Code::Exponent(_) | Code::Fixed(_) | Code::General(_) | Code::Percent) => {
            return float(number as f64, spec);
        }
    };
    let misfit = |part| Err(SpecError::Part { part, sort: SORT });
    if spec.precision.is_some() {
        return misfit("a precision");
    }
    if spec.positive_zero {
        return misfit("`z`");
    }
    if spec.code != Some(Code::Character) {
        if !spec.alternate {
            prefix = "";
        }
        return Ok(lay_out(Pieces { negative: number < 0, prefix, digits, tail: String::new() }, spec));
    }
    if spec.sign.is_some() {
        return misfit("a sign with type `c`");
    }
    if spec.alternate {
        return misfit("`#` with type `c`");
    }
    let letter = u32::try_from(number).ok().and_then(char::from_u32).ok_or(SpecError::NoCharacter)?;
    Ok(lay_out(Pieces { negative: false, prefix, digits, tail: letter.to_string() }, spec))
}

/// Writes a number that may have a fraction.
pub(super) fn float(number: f64, spec: &Spec) -> Result<String, SpecError> {
    let magnitude = number.abs();
    let precision = spec.precision.unwrap_or(6);
    let (mut written, capitals) = match spec.code {
        None if spec.precision.is_some() => (float::general(magnitude, precision, spec.alternate, true), false),
        None => (float::shortest(magnitude, spec.alternate), false),
        Some(Code::Exponent(capitals)) => (float::exponent(magnitude, precision, spec.alternate), capitals),
        Some(Code::Fixed(capitals)) => (float::fixed(magnitude, precision, spec.alternate), capitals),
        Some(Code::General(capitals)) => (float::general(magnitude, precision, spec.alternate, false), capitals),
        Some(Code::Number) => (float::general(magnitude, precision, spec.alternate, false), false),
        Some(Code::Percent) => (float::fixed(magnitude * 100.0, precision, spec.alternate) + "%", false),
        Some(code) => return Err(code.misfit("a number with a fraction")),
    };
    if capitals {
        written.make_ascii_uppercase();
    }
    let mantissa = written.split(['e', 'E']).next().unwrap_or_default();
    let zero = !mantissa.contains(|letter: char| letter != '0' && letter.is_ascii_alphanumeric());
    let negative = number.is_sign_negative() && !(spec.positive_zero && zero);
    let tail = written.split_off(written.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(written.len()));
    Ok(lay_out(Pieces { negative, prefix: "", digits: written, tail }, spec))
}

/// Puts the pieces together: sign, prefix, grouped digits, tail, and the fill where the alignment wants it.
fn lay_out(pieces: Pieces, spec: &Spec) -> String {
    let Pieces { negative, prefix, digits, tail } = pieces;
    let align = spec.align.unwrap_or(if spec.zero { Align::AfterSign } else { Align::Right });
    let sign = match spec.sign {
        _ if negative => "-",
        Some(Sign::Always) => "+",
        Some(Sign::Space) => " ",
        None | Some(Sign::OnlyMinus) => "",
    };
    let fixed = sign.len() + prefix.len() + tail.chars().count();
    let zeros = spec.fill == '0' && align == Align::AfterSign;
    let digits = if digits.is_empty() {
        digits
    } else {
        let size = if matches!(spec.code, Some(Code::Binary | Code::Octal | Code::Hex(_))) { 4 } else { 3 };
        group(
            &digits,
            spec.grouping.map(|separator| (separator, size)),
            if zeros { spec.width.saturating_sub(fixed) } else { 0 },
        )
    };
    let missing = spec.width.saturating_sub(fixed + digits.len());
    let (left, middle, right) = match align {
        Align::Left => (0, 0, missing),
        Align::Right => (missing, 0, 0),
        Align::Centre => (missing / 2, 0, missing - missing / 2),
        Align::AfterSign => (0, missing, 0),
    };
    let fill = |count| std::iter::repeat_n(spec.fill, count).collect::<String>();
    [&fill(left), sign, prefix, &fill(middle), &digits, &tail, &fill(right)].concat()
}

/// Groups digits from the right, with zeros before them until `width` is reached. As in Python, a separator never
/// stands first, so that the result may be one wider.
fn group(digits: &str, grouping: Option<(char, usize)>, width: usize) -> String {
    let Some((separator, size)) = grouping else { return format!("{digits:0>width$}") };
    let mut reversed = String::with_capacity(width.max(digits.len()) * 4 / 3 + 1);
    let mut left = digits.bytes().rev();
    loop {
        for _ in 0..size {
            if left.len() == 0 && reversed.len() >= width && !reversed.ends_with(separator) {
                return reversed.chars().rev().collect();
            }
            reversed.push(left.next().map_or('0', char::from));
        }
        if left.len() == 0 && reversed.len() >= width {
            return reversed.chars().rev().collect();
        }
        reversed.push(separator);
    }
}
