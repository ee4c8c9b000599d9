//! What went in, what came out, and what was lost why.

use super::category::{Categories, Category};

/// Why a record was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The spool reached its bound.
    QueueOverflow,
    /// It became older than Sentry takes.
    Expired,
    /// Its bytes on the disk are no longer what was written.
    Corrupt,
    /// The end of a segment was cut off: a power cut, or a kill before the push returned.
    Torn,
    /// Its file is gone, or cannot be read.
    Unreadable,
    /// It is larger than the spool takes.
    TooLarge,
    /// Sentry refused it for good.
    Refused,
}

/// How many records went which way since the spool was opened; numbers only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pushed: Tally,
    delivered: Tally,
    lost: [Tally; Reason::ALL.len()],
}

/// A number for each category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally([u64; Category::ALL.len()]);

// === impl Reason ===

impl Reason {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 7] = [
        Self::QueueOverflow,
        Self::Expired,
        Self::Corrupt,
        Self::Torn,
        Self::Unreadable,
        Self::TooLarge,
        Self::Refused,
    ];

    /// Its name in metrics and in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueOverflow => "queue_overflow",
            Self::Expired => "expired",
            Self::Corrupt => "corrupt",
            Self::Torn => "torn",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
        }
    }
}

// === impl Counts ===

impl Counts {
    /// How many of a category were pushed.
    pub fn pushed(&self, category: Category) -> u64 {
        self.pushed.get(category)
    }

    /// How many of a category were delivered.
    pub fn delivered(&self, category: Category) -> u64 {
        self.delivered.get(category)
    }

    /// How many of a category were lost for a reason.
    pub fn lost(&self, reason: Reason, category: Category) -> u64 {
        self.lost[reason as usize].get(category)
    }

    /// Every loss: why, of what, how many; zeros left out.
    pub fn losses(&self) -> impl Iterator<Item = (Reason, Category, u64)> {
        Reason::ALL
            .into_iter()
            .flat_map(|reason| Category::ALL.into_iter().map(move |category| (reason, category)))
            .map(|(reason, category)| (reason, category, self.lost(reason, category)))
            .filter(|&(.., number)| number > 0)
    }

    pub(super) const fn push(&mut self, category: Category) {
        self.pushed.add(category);
    }

    pub(super) const fn deliver(&mut self, category: Category) {
        self.delivered.add(category);
    }

    pub(super) const fn lose(&mut self, reason: Reason, category: Category) {
        self.lost[reason as usize].add(category);
    }

    pub(super) fn lose_all(&mut self, reason: Reason, lost: &Tally) {
        self.lost[reason as usize].extend(lost);
    }

    /// Adds what another count has.
    pub(super) fn extend(&mut self, other: &Self) {
        self.pushed.extend(&other.pushed);
        self.delivered.extend(&other.delivered);
        self.lost.iter_mut().zip(&other.lost).for_each(|(mine, others)| mine.extend(others));
    }
}

// === impl Tally ===

impl Tally {
    pub(super) const fn get(&self, category: Category) -> u64 {
        self.0[category.number() as usize]
    }

    pub(super) const fn add(&mut self, category: Category) {
        self.0[category.number() as usize] += 1;
    }

    pub(super) const fn remove(&mut self, category: Category) {
        self.0[category.number() as usize] -= 1;
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether there is one of a category that is not held back.
    pub(super) fn offers(&self, held: Categories) -> bool {
        Category::ALL.into_iter().any(|category| self.get(category) > 0 && !held.contains(category))
    }

    fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, others)| *mine += others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_counted_under_its_own_reason_and_category() {
        let mut counts = Counts::default();
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place, "{reason:?} stands at its own number");
            counts.lose(reason, Category::Error);
        }
        counts.lose(Reason::Expired, Category::Error);
        assert_eq!(counts.lost(Reason::Expired, Category::Error), 2);
        assert_eq!(counts.lost(Reason::Expired, Category::Transaction), 0);
        assert_eq!(counts.losses().map(|(.., number)| number).sum::<u64>(), 8);
    }
}
