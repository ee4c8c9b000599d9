//! What Sentry counts and limits separately, and sets of it.

/// Sentry's data category of a record: rate limits and client reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Category {
    /// What has no category of its own here.
    Default = 0,
    /// Error events.
    Error = 1,
    /// Transactions.
    Transaction = 2,
    /// Check-ins of cron monitors.
    Monitor = 3,
    /// Release health.
    Session = 4,
    /// Client reports: what was lost on the way. No limit of Sentry's names them; one on everything includes them.
    ClientReport = 5,
}

/// A set of categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Categories(u8);

// === impl Category ===

impl Category {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 6] =
        [Self::Default, Self::Error, Self::Transaction, Self::Monitor, Self::Session, Self::ClientReport];

    /// Sentry's name of it (develop.sentry.dev, "Rate Limiting").
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Error => "error",
            Self::Transaction => "transaction",
            Self::Monitor => "monitor",
            Self::Session => "session",
            Self::ClientReport => "internal",
        }
    }

    /// Its number, as records hold it.
    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    /// The category with this number; one of a later version is counted as [`Category::Default`].
    pub(super) fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Default)
    }
}

// === impl Categories ===

impl Categories {
    /// No category.
    pub const NONE: Self = Self(0);

    /// Adds one.
    pub const fn insert(&mut self, category: Category) {
        self.0 |= 1 << category.number();
    }

    /// Whether it is one of them.
    pub const fn contains(self, category: Category) -> bool {
        self.0 & (1 << category.number()) != 0
    }
}

impl FromIterator<Category> for Categories {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        let mut set = Self::NONE;
        categories.into_iter().for_each(|category| set.insert(category));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_comes_back_from_its_number() {
        for category in Category::ALL {
            assert_eq!(Category::from_number(category.number()), category);
        }
        assert_eq!(Category::from_number(200), Category::Default);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let held: Categories = [Category::Transaction, Category::Monitor].into_iter().collect();
        let inside: Vec<_> = Category::ALL.into_iter().filter(|&category| held.contains(category)).collect();
        assert_eq!(inside, [Category::Transaction, Category::Monitor]);
    }
}
