//! Who sets which key, known when the program loads.

use std::fmt;

use probe_keys::nearest;

use crate::{BuiltIn, InitKeys};

/// Every key of a script and who sets it.
#[derive(Clone, Debug, Default)]
pub struct Setters {
    all: Vec<Setter>,
    location: bool,
}

#[derive(Clone, Debug)]
struct Setter {
    key: String,
    origin: Origin,
    certainty: Certainty,
}

/// Where the value of a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the file.
    InitKeys,
    /// A step takes it from its answer.
    Step {
        /// The step's number, from 1.
        number: usize,
        /// Where in the answer: `$.access_token`, `header etag`.
        from: String,
    },
    /// SentryNet sets it.
    BuiltIn,
}

/// Whether a key has a value once its setter has done its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// It may be absent: nothing matched in the answer, or the step never ran.
    Perhaps,
    /// It is set.
    Sure,
}

/// The keys that one step can name.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'s> {
    setters: &'s Setters,
    step: usize,
    after_failure: bool,
}

// === impl Setters ===

impl Setters {
    /// The keys that are there before the first step; `location` when the configuration says where this daemon stands.
    pub fn new(init: &InitKeys, location: bool) -> Self {
        let setter = |key: &str| Setter { key: key.to_owned(), origin: Origin::InitKeys, certainty: Certainty::Sure };
        Self { all: init.0.iter().map(|key| setter(&key.name)).collect(), location }
    }

    /// Adds a key that step `number` (from 1) sets `from` a place of its answer.
    pub fn add(&mut self, key: impl Into<String>, number: usize, from: impl Into<String>, certainty: Certainty) {
        let origin = Origin::Step { number, from: from.into() };
        self.all.push(Setter { key: key.into(), origin, certainty });
    }

    /// What step `number` (from 1) can name: what is set before it.
    pub const fn before(&self, number: usize) -> Visible<'_> {
        Visible { setters: self, step: number, after_failure: false }
    }

    /// The same for a step that runs even after a failure, when the steps before it may not have run.
    pub const fn before_always(&self, number: usize) -> Visible<'_> {
        Visible { setters: self, step: number, after_failure: true }
    }

    /// Everybody who sets this key.
    pub(crate) fn of(&self, key: &str) -> impl Iterator<Item = &Origin> {
        self.all.iter().filter(move |setter| setter.key == key).map(|setter| &setter.origin)
    }
}

// === impl Visible ===

impl<'s> Visible<'s> {
    /// Whether this key is set for sure, perhaps, or (none) not at all.
    pub fn certainty(&self, key: &str) -> Option<Certainty> {
        let own = self.own().filter(|setter| setter.key == key).map(|setter| match setter.origin {
            Origin::Step { .. } if self.after_failure => Certainty::Perhaps,
            _ => setter.certainty,
        });
        own.max().or_else(|| self.is_built_in(key).then_some(Certainty::Sure))
    }

    /// Whether the user's own file sets this key before the step: text that is just its name stands for its value.
    pub fn is_own(&self, key: &str) -> bool {
        self.own().any(|setter| setter.key == key)
    }

    /// Whether this key has, in this step, the value with which every run begins.
    pub(crate) fn is_of_the_start(&self, key: &str) -> bool {
        self.is_own(key)
            && self.own().filter(|setter| setter.key == key).all(|setter| setter.origin == Origin::InitKeys)
    }

    /// What is wrong with each of these keys that nothing sets before the step, and what to do about it.
    pub(crate) fn complaints<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Vec<(String, Option<String>)> {
        let mut unknown: Vec<&str> = Vec::new();
        for key in keys {
            if self.certainty(key).is_none() && !unknown.contains(&key) {
                unknown.push(key);
            }
        }
        let complaint = |key| {
            let (reason, hint) = self.complaint(key);
            (reason, Some(hint))
        };
        unknown.into_iter().map(complaint).collect()
    }

    fn complaint(&self, key: &str) -> (String, String) {
        let later = self.setters.of(key).find_map(|origin| match origin {
            Origin::Step { number, .. } => Some(*number),
            Origin::InitKeys | Origin::BuiltIn => None,
        });
        if let Some(number) = later {
            let reason = match number {
                number if number == self.step => format!("key `{key}` is set by this step itself, from its answer"),
                number => format!("key `{key}` is set only later, by step {number}"),
            };
            return (reason, "a step can name what `init_keys` and the steps before it set".to_owned());
        }
        if BuiltIn::find(key) == Some(BuiltIn::Location) {
            return ("key `location` has no value".to_owned(), "set `location` at the top of the file".to_owned());
        }
        let built_in = BuiltIn::ALL.map(BuiltIn::name).into_iter().filter(|key| self.is_built_in(key));
        let mut known: Vec<&str> = self.own().map(|setter| setter.key.as_str()).chain(built_in).collect();
        known.sort_unstable();
        known.dedup();
        let hint = match nearest(key.trim(), known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("set before this step: {}", known.join(", ")),
        };
        (format!("nothing sets the key `{key}`"), hint)
    }

    fn own(&self) -> impl Iterator<Item = &'s Setter> + use<'s> {
        let step = self.step;
        self.setters.all.iter().filter(move |setter| match setter.origin {
            Origin::Step { number, .. } => number < step,
            Origin::InitKeys | Origin::BuiltIn => true,
        })
    }

    fn is_built_in(&self, key: &str) -> bool {
        BuiltIn::find(key).is_some_and(|key| key != BuiltIn::Location || self.setters.location)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InitKeys => f.write_str("`init_keys`"),
            Self::Step { number, from } => write!(f, "step {number} from {from}"),
            Self::BuiltIn => f.write_str("SentryNet"),
        }
    }
}
