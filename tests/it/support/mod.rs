//! What the tests talk to.

pub(crate) mod sshd;
