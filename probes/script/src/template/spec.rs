//! Format specs: the part of a field behind the colon, as Python 3.11 reads it.
//!
//! `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, from "Format Specification Mini-Language" in
//! Python's library reference.

use thiserror::Error;

/// The largest width and precision. Python has no bound; here a width may come from a target's answer.
pub(super) const LARGEST: usize = 10_000;

/// A format spec, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) fill: char,
    /// As written; the default differs between text and numbers.
    pub(super) align: Option<Align>,
    /// A `0` before the width.
    pub(super) zero: bool,
    pub(super) sign: Option<Sign>,
    /// `z`: a zero is never negative.
    pub(super) positive_zero: bool,
    /// `#`.
    pub(super) alternate: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) code: Option<Code>,
}

/// Where the value stands in its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Centre,
    AfterSign,
}

/// Which sign a number carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    OnlyMinus,
    Always,
    Space,
}

/// The type at the end of a spec; `true` is the form in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Text,
    Binary,
    Octal,
    Hex(bool),
    Decimal,
    Character,
    Exponent(bool),
    Fixed(bool),
    General(bool),
    /// `n`: `d` or `g`, whichever fits.
    Number,
    Percent,
}

/// A format spec that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// Nothing that Python would read.
    #[error("`{0}` is not a format spec: [[fill]align][sign][#][0][width][grouping][.precision][type]")]
    Malformed(String),
    /// A width or precision past the bound.
    #[error("a width or precision is at most 10000")]
    TooLarge,
    /// `.` and nothing behind it.
    #[error("the precision is missing after `.`")]
    NoPrecision,
    /// `,` and `_`.
    #[error("`,` and `_` cannot be asked for together")]
    BothSeparators,
    /// Grouping that this type does not have.
    #[error("`{separator}` groups the digits of a number, not with type `{code}`")]
    Separator {
        /// `,` or `_`.
        separator: char,
        /// The type.
        code: char,
    },
    /// Type `c` for a number that is no character's.
    #[error("type `c` writes the character of a number, and there is none of this number")]
    NoCharacter,
    /// A type that does not go with the value.
    #[error("type `{code}` does not go with {sort}")]
    Code {
        /// The type.
        code: char,
        /// What the value is.
        sort: &'static str,
    },
    /// A part that does not go with the value.
    #[error("{part} does not go with {sort}")]
    Part {
        /// The part of the spec.
        part: &'static str,
        /// What the value is.
        sort: &'static str,
    },
}

// === impl Spec ===

impl Spec {
    /// Reads a spec that is not empty.
    pub(super) fn parse(text: &str) -> Result<Self, SpecError> {
        let mut rest = text;
        let mut fill = None;
        let mut align = None;
        let mut letters = rest.chars();
        let first = letters.next();
        if let (Some(letter), Some(aligned)) = (first, letters.next().and_then(Align::of)) {
            (fill, align, rest) = (Some(letter), Some(aligned), letters.as_str());
        } else if let Some(aligned) = first.and_then(Align::of) {
            (align, rest) = (Some(aligned), &rest[1..]);
        }
        let sign = match rest.bytes().next() {
            Some(b'-') => Some(Sign::OnlyMinus),
            Some(b'+') => Some(Sign::Always),
            Some(b' ') => Some(Sign::Space),
            _ => None,
        };
        if sign.is_some() {
            rest = &rest[1..];
        }
        let positive_zero = take(&mut rest, 'z');
        let alternate = take(&mut rest, '#');
        let zero = fill.is_none() && take(&mut rest, '0');
        let width = number(&mut rest)?.unwrap_or(0);
        let comma = take(&mut rest, ',');
        let underscore = take(&mut rest, '_');
        if underscore && (comma || rest.starts_with(',')) {
            return Err(SpecError::BothSeparators);
        }
        let grouping = if comma { Some(',') } else { underscore.then_some('_') };
        let precision =
            if take(&mut rest, '.') { Some(number(&mut rest)?.ok_or(SpecError::NoPrecision)?) } else { None };
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (None, _) => None,
            (Some(letter), None) => Some(Code::of(letter).ok_or(SpecError::Code { code: letter, sort: "any value" })?),
            _ => return Err(SpecError::Malformed(text.to_owned())),
        };
        if let (Some(separator), Some(code)) = (grouping, code)
            && !code.groups(separator)
        {
            return Err(SpecError::Separator { separator, code: code.letter() });
        }
        let fill = fill.unwrap_or(if zero { '0' } else { ' ' });
        Ok(Self { fill, align, zero, sign, positive_zero, alternate, width, grouping, precision, code })
    }

    /// Writes text: cut to the precision, padded to the width.
    pub(super) fn text(&self, text: &str) -> Result<String, SpecError> {
        self.fits_text()?;
        let kept: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let missing = self.width.saturating_sub(kept.chars().count());
        let before = match self.align {
            None | Some(Align::Left | Align::AfterSign) => 0,
            Some(Align::Right) => missing,
            Some(Align::Centre) => missing / 2,
        };
        let mut padded = String::with_capacity(kept.len() + missing);
        padded.extend(std::iter::repeat_n(self.fill, before));
        padded.push_str(&kept);
        padded.extend(std::iter::repeat_n(self.fill, missing - before));
        Ok(padded)
    }

    /// Whether text can be written by this spec.
    pub(super) fn fits_text(&self) -> Result<(), SpecError> {
        let part = match self {
            Self { code: Some(code), .. } if *code != Code::Text => return Err(code.misfit("text")),
            Self { grouping: Some(separator), .. } => {
                return Err(SpecError::Separator { separator: *separator, code: 's' });
            }
            Self { sign: Some(_), .. } => "a sign",
            Self { positive_zero: true, .. } => "`z`",
            Self { alternate: true, .. } => "`#`",
            Self { align: Some(Align::AfterSign), .. } => "alignment `=`",
            _ => return Ok(()),
        };
        Err(SpecError::Part { part, sort: "text" })
    }
}

// === impl Align ===

impl Align {
    const fn of(letter: char) -> Option<Self> {
        match letter {
            '<' => Some(Self::Left),
            '>' => Some(Self::Right),
            '^' => Some(Self::Centre),
            '=' => Some(Self::AfterSign),
            _ => None,
        }
    }
}

// === impl Code ===

impl Code {
    /// Every type and its letter.
    const LETTERS: [(char, Self); 15] = [
        ('s', Self::Text),
        ('b', Self::Binary),
        ('o', Self::Octal),
        ('x', Self::Hex(false)),
        ('X', Self::Hex(true)),
        ('d', Self::Decimal),
        ('c', Self::Character),
        ('e', Self::Exponent(false)),
        ('E', Self::Exponent(true)),
        ('f', Self::Fixed(false)),
        ('F', Self::Fixed(true)),
        ('g', Self::General(false)),
        ('G', Self::General(true)),
        ('n', Self::Number),
        ('%', Self::Percent),
    ];

    fn of(letter: char) -> Option<Self> {
        Self::LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, code)| *code)
    }

    fn letter(self) -> char {
        Self::LETTERS.iter().find(|(_, code)| *code == self).map_or('?', |(letter, _)| *letter)
    }

    /// That this type does not go with such a value.
    pub(super) fn misfit(self, sort: &'static str) -> SpecError {
        SpecError::Code { code: self.letter(), sort }
    }

    const fn groups(self, separator: char) -> bool {
        match self {
            Self::Decimal | Self::Exponent(_) | Self::Fixed(_) | Self::General(_) | Self::Percent => true,
            Self::Binary | Self::Octal | Self::Hex(_) => separator == '_',
            Self::Text | Self::Character | Self::Number => false,
        }
    }
}

fn take(rest: &mut &str, letter: char) -> bool {
    let taken = rest.strip_prefix(letter);
    *rest = taken.unwrap_or(rest);
    taken.is_some()
}

fn number(rest: &mut &str) -> Result<Option<usize>, SpecError> {
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    match digits {
        "" => Ok(None),
        digits => digits.parse().ok().filter(|n| *n <= LARGEST).map(Some).ok_or(SpecError::TooLarge),
    }
}
