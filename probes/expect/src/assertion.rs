//! What must hold of one value.

use probe_core::{Failure, FailureClass};
use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Number, Value as Json, json};

use crate::{
    Extent, Found, Pattern,
    claim::{Bound, Claim},
    kind::Kind,
    shown::shown,
};

/// What must hold of a value: that it is there (or is not), and every claim about it.
#[derive(Clone, Debug)]
pub struct Assertion {
    exists: bool,
    claims: Vec<Claim>,
}

probe_keys::keys! {
    /// What must hold of a value; several must all hold.
    struct AssertionKeys {
        /// Whether there must be a value; `true` unless given.
        optional exists: bool,
        /// What it must be, type and all.
        optional value: Json,
        /// What it must not be.
        optional not: Json,
        /// What it must be one of.
        optional among = "in": Vec<Json>,
        /// The type that it must be of.
        optional kind = "type": Kind,
        /// What must be in it: a part of a text, an element of a list, a key of an object.
        optional contains: Json,
        /// A regular expression that must match somewhere in the text.
        optional matches: Pattern,
        /// It must be a number above this.
        optional gt: Bounding,
        /// It must be a number of at least this.
        optional ge: Bounding,
        /// It must be a number below this.
        optional lt: Bounding,
        /// It must be a number of at most this.
        optional le: Bounding,
        /// How many characters, elements or keys it must have.
        optional length: Extent,
    }
}

/// A number as it was written.
#[derive(Clone, Debug)]
struct Bounding(Number);

// === impl Assertion ===

impl Assertion {
    /// Whether it asks that there be a value.
    pub const fn wants_value(&self) -> bool {
        self.exists
    }

    /// Whether it asks for a number: what stands as text in a header is then read as one.
    pub(crate) fn wants_number(&self) -> bool {
        self.claims.iter().any(|claim| match claim {
            Claim::Is(value) | Claim::IsNot(value) => value.is_number(),
            Claim::In(values) => values.iter().any(Json::is_number),
            Claim::Type(kind) => matches!(kind, Kind::Number | Kind::Integer),
            Claim::Bound(..) => true,
            Claim::Contains(_) | Claim::Matches(_) | Claim::Length(_) => false,
        })
    }

    /// What is expected, in words.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.claims.iter().map(Claim::expected).collect()
    }

    /// Holds what was found for a subject, as people call it (`` `token` ``, ``header `etag` ``), to it.
    ///
    /// # Errors
    /// What was expected, what was there, and where it came from.
    pub fn check(&self, subject: &str, found: Found<'_>) -> Result<(), Failure> {
        let broken = |message: String, expected: String, actual: String| {
            let failure = Failure::new(FailureClass::Assertion, message).expected(expected, actual);
            Err(match found.origin {
                Some(origin) => failure.origin(origin),
                None => failure,
            })
        };
        // Yes, no and nothing are no secrets.
        let private = found.private && found.value.is_some_and(|value| !value.is_boolean() && !value.is_null());
        let told = |actual: String| if private { "[cut]".to_owned() } else { actual };
        match (found.value, self.exists) {
            (None, false) => Ok(()),
            (None, true) => {
                let origin = found.origin.map(|origin| format!(": nothing came {origin}")).unwrap_or_default();
                let expected = self.claims.first().map_or_else(|| "a value".to_owned(), Claim::expected);
                broken(format!("{subject} is not set{origin}"), expected, "none".to_owned())
            }
            (Some(value), false) => {
                let actual = told(shown(value));
                broken(format!("{subject} is set: {actual}"), "no value".to_owned(), actual)
            }
            (Some(value), true) => match self.claims.iter().find(|claim| !claim.holds(value)) {
                None => Ok(()),
                Some(claim) => {
                    let actual = told(claim.actual(value));
                    let message = format!("expected {subject} to {} {claim}, got {actual}", claim.verb());
                    broken(message, claim.expected(), actual)
                }
            },
        }
    }

    fn compile(keys: AssertionKeys) -> Result<Self, String> {
        let bounds =
            [(Bound::Above, keys.gt), (Bound::AtLeast, keys.ge), (Bound::Below, keys.lt), (Bound::AtMost, keys.le)];
        let claims = [
            keys.value.map(Claim::Is),
            keys.kind.map(Claim::Type),
            keys.among.map(Claim::In),
            keys.not.map(Claim::IsNot),
            keys.contains.map(Claim::Contains),
            keys.matches.map(Claim::Matches),
            keys.length.map(Claim::Length),
        ];
        let bounds = bounds.into_iter().filter_map(|(bound, number)| Some(Claim::Bound(bound, number?.0)));
        let claims: Vec<Claim> = claims.into_iter().flatten().chain(bounds).collect();
        let exists = keys.exists.unwrap_or(true);
        if !exists && !claims.is_empty() {
            return Err("`exists: false` goes with nothing else: there is no value to look at".to_owned());
        }
        contradiction(&claims).map_or(Ok(Self { exists, claims }), Err)
    }
}

impl Read for Assertion {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Mapping(_) => {
                let keys = AssertionKeys::read(at)?;
                Self::compile(keys).map_err(|reason| at.wrong(reason)).ok()
            }
            Value::List(_) => {
                at.wrong_with(
                    "a list alone does not say what must hold",
                    "`in:` is for one of these, `value:` for all",
                );
                None
            }
            _ => Json::read(at).map(|value| Self { exists: true, claims: vec![Claim::Is(value)] }),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [AssertionKeys::schema(definitions), {"type": ["string", "number", "boolean", "null"]}]})
    }
}

/// Why no value can pass all of these.
fn contradiction(claims: &[Claim]) -> Option<String> {
    for (index, claim) in claims.iter().enumerate() {
        let mut others = claims.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
        match claim {
            Claim::Is(value) => {
                if let Some(other) = others.find(|other| !other.holds(value)) {
                    return Some(format!("nothing can be {claim} and {} {other}", other.verb()));
                }
            }
            Claim::In(values) if values.is_empty() => return Some("nothing is in an empty list".to_owned()),
            Claim::In(values) => {
                let others: Vec<&Claim> = others.collect();
                if !values.iter().any(|value| others.iter().all(|other| other.holds(value))) {
                    return Some(format!("nothing can be {claim} and pass the other tests"));
                }
            }
            _ => {
                let apart =
                    |other: &&Claim| !claim.kinds().iter().any(|kind| other.kinds().iter().any(|o| kind.meets(*o)));
                if let Some(other) = others.clone().find(apart) {
                    return Some(format!("nothing can {} {claim} and {} {other}", claim.verb(), other.verb()));
                }
                if let Some(other) = others.find(|other| claim.leaves_nothing_to(other)) {
                    return Some(format!("no number is {claim} and {other}"));
                }
            }
        }
    }
    None
}

// === impl Bounding ===

impl Read for Bounding {
    fn read(at: &At<'_>) -> Option<Self> {
        let number = match &at.node.value {
            Value::Number(number, _) => Some(number.clone()),
            // A substituted value is always text.
            Value::Text(text) if text.is_secret() => text.text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            at.expected("a number");
        }
        number.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "number"})
    }
}
