//! What became known in a run and must not be shown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Secret;

/// The secrets that became known in a run: they are masked wherever the run is told of, also where it was told before.
/// Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Learnt(Arc<Mutex<Vec<Secret>>>);

// === impl Learnt ===

impl Learnt {
    /// Notes more of them.
    pub fn learn(&self, secrets: impl IntoIterator<Item = Secret>) {
        let mut learnt = self.lock();
        for secret in secrets {
            if !learnt.contains(&secret) {
                learnt.push(secret);
            }
        }
    }

    /// All of them; none are left.
    pub(crate) fn take(&self) -> Vec<Secret> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
