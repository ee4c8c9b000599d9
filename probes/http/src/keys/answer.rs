//! What can be written of the answer.

use probe_expect::{Assertions, Captures, Expect, StatusSet};

probe_keys::keys! {
    /// What is expected of the answer, and what is taken from it.
    pub struct AnswerKeys {
        /// The statuses that are well: 200 unless given, 201 for POST.
        optional expected: StatusSet,
        /// Keys to take from the answer.
        optional set_keys: Captures,
        /// What must hold of the keys.
        optional assertions: Assertions,
        /// What is expected of the answer itself.
        optional expect: Expect,
    }
}
