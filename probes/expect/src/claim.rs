//! A single thing that is said of a value, and whether it is so.

use std::{cmp::Ordering, fmt};

use serde_json::{Number, Value as Json, json};

use crate::{
    Extent, Pattern,
    compare::{order, same},
    kind::Kind,
    shown::shown,
};

/// What is said of a value.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    Is(Json),
    IsNot(Json),
    In(Vec<Json>),
    Type(Kind),
    Contains(Json),
    Matches(Pattern),
    Bound(Bound, Number),
    Length(Extent),
}

/// On which side of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Above,
    AtLeast,
    Below,
    AtMost,
}

// === impl Claim ===

impl Claim {
    pub(crate) fn holds(&self, value: &Json) -> bool {
        match self {
            Self::Is(expected) => same(value, expected),
            Self::IsNot(other) => !same(value, other),
            Self::In(values) => values.iter().any(|one| same(value, one)),
            Self::Type(kind) => kind.is_of(value),
            Self::Contains(part) => match (value, part) {
                (Json::String(text), Json::String(part)) => text.contains(part),
                (Json::Array(elements), part) => elements.iter().any(|element| same(element, part)),
                (Json::Object(members), Json::String(key)) => members.contains_key(key),
                _ => false,
            },
            Self::Matches(pattern) => value.as_str().is_some_and(|text| pattern.is_match(text)),
            Self::Bound(bound, limit) => {
                let stands = if let Json::Number(number) = value { order(number, limit) } else { None };
                stands.is_some_and(|stands| bound.admits(stands))
            }
            Self::Length(extent) => length(value).is_some_and(|length| extent.contains(length)),
        }
    }

    /// How it is said: to `be` something, to `contain` it.
    pub(crate) const fn verb(&self) -> &'static str {
        match self {
            Self::Contains(_) => "contain",
            Self::Matches(_) => "match",
            Self::Length(_) => "have",
            Self::Is(_) | Self::IsNot(_) | Self::In(_) | Self::Type(_) | Self::Bound(..) => "be",
        }
    }

    /// What should have been there.
    pub(crate) fn expected(&self) -> String {
        match self.verb() {
            "be" => self.to_string(),
            verb => format!("to {verb} {self}"),
        }
    }

    /// What was there, as this claim sees it.
    pub(crate) fn actual(&self, value: &Json) -> String {
        match (self, length(value)) {
            (Self::Length(_), Some(length)) => format!("{length}: {}", shown(value)),
            (Self::Type(_), _) => format!("{}: {}", Kind::of(value), shown(value)),
            _ => shown(value),
        }
    }

    /// The types of the values that can pass.
    pub(crate) fn kinds(&self) -> &'static [Kind] {
        match self {
            Self::Is(_) | Self::IsNot(_) | Self::In(_) => &Kind::ALL,
            Self::Type(kind) => Kind::ALL.iter().position(|one| one == kind).map_or(&[], |at| &Kind::ALL[at..=at]),
            Self::Contains(Json::String(_)) | Self::Length(_) => &[Kind::String, Kind::Array, Kind::Object],
            Self::Contains(_) => &[Kind::Array],
            Self::Matches(_) => &[Kind::String],
            Self::Bound(..) => &[Kind::Number],
        }
    }

    /// Whether it is a lower bound, the other an upper one, and no number between them.
    pub(crate) fn leaves_nothing_to(&self, other: &Self) -> bool {
        let (Self::Bound(lower @ (Bound::Above | Bound::AtLeast), least), Self::Bound(upper, most)) = (self, other)
        else {
            return false;
        };
        match (upper, order(least, most)) {
            (Bound::Below | Bound::AtMost, Some(Ordering::Greater)) => true,
            (Bound::Below, Some(Ordering::Equal)) => true,
            (Bound::AtMost, Some(Ordering::Equal)) => *lower == Bound::Above,
            _ => false,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) | Self::Contains(value) => f.write_str(&shown(value)),
            Self::IsNot(value) => write!(f, "anything but {}", shown(value)),
            Self::In(values) => write!(f, "one of {}", shown(json!(values))),
            Self::Type(kind) => write!(f, "{kind}"),
            Self::Matches(pattern) => write!(f, "`{}`", shown(pattern)),
            Self::Bound(Bound::Above, limit) => write!(f, "more than {limit}"),
            Self::Bound(Bound::AtLeast, limit) => write!(f, "at least {limit}"),
            Self::Bound(Bound::Below, limit) => write!(f, "less than {limit}"),
            Self::Bound(Bound::AtMost, limit) => write!(f, "at most {limit}"),
            Self::Length(extent) => write!(f, "a length of {extent}"),
        }
    }
}

fn length(value: &Json) -> Option<u64> {
    let length = match value {
        Json::String(text) => text.chars().count(),
        Json::Array(elements) => elements.len(),
        Json::Object(members) => members.len(),
        _ => return None,
    };
    u64::try_from(length).ok()
}

// === impl Bound ===

impl Bound {
    const fn admits(self, stands: Ordering) -> bool {
        match self {
            Self::Above => stands.is_gt(),
            Self::AtLeast => stands.is_ge(),
            Self::Below => stands.is_lt(),
            Self::AtMost => stands.is_le(),
        }
    }
}
