//! Where results go, and what they are labelled with there.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::delivery::DeliverySettings;
use crate::trace::SuccessSample;

/// One Sentry project, and the labels that every transaction and event carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The project's address.
    pub dsn: Dsn,
    /// Sentry's environment: at most 64 characters, no `/`.
    pub environment: String,
    /// Sentry's release: at most 200 characters.
    pub release: String,
    /// The name of this prober's host: at most 256 characters.
    pub server_name: String,
    /// How many of the successful runs are sent.
    pub success_sample: SuccessSample,
    /// The daemon checks in each minute under this name; not at all if absent.
    pub heartbeat: Option<String>,
    /// Where results wait, and how Sentry is reached.
    pub delivery: DeliverySettings,
}

/// A project's address with its key; it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Dsn(sentry::types::Dsn);

/// Why a DSN cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "not a Sentry DSN ({0}): copy it from the project's settings, Client Keys; it looks like https://KEY@HOST/PROJECT"
)]
pub struct DsnError(String);

// === impl Dsn ===

impl Dsn {
    /// The key that may be shown to targets in `baggage`.
    pub fn public_key(&self) -> &str {
        self.0.public_key()
    }

    /// As the SDK takes it.
    pub(crate) const fn as_sdk(&self) -> &sentry::types::Dsn {
        &self.0
    }
}

impl FromStr for Dsn {
    type Err = DsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|error: sentry::types::ParseDsnError| DsnError(error.to_string()))
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
