//! What the process was started with, as an input.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// Turns all sending off when it says so.
const ENABLED: &str = "SENTRYNET_SENTRY_ENABLED";

/// Variables and the name of the host.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    host: String,
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// It is not set.
    Unset,
    /// It is set, and no text.
    NotText,
    /// It is set.
    Text(String),
}

// === impl Environment ===

impl Environment {
    /// These variables, on the host of this name (Sentry's `server_name` if the file gives none).
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>, host: impl Into<String>) -> Self {
        Self { variables: variables.into_iter().collect(), host: host.into() }
    }

    /// The same, saying that nothing is sent to Sentry.
    #[must_use]
    pub fn without_sentry(mut self) -> Self {
        self.variables.insert(ENABLED.into(), "false".into());
        self
    }

    /// The path that a variable holds, unless it is empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(&OsString::from(name)).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// The name of the host.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// What a variable holds.
    pub(super) fn variable(&self, name: &str) -> Variable {
        match self.variables.get(&OsString::from(name)).map(|value| value.to_str()) {
            None => Variable::Unset,
            Some(None) => Variable::NotText,
            Some(Some(text)) => Variable::Text(text.to_owned()),
        }
    }

    /// Whether sending is left on; anything but a yes or a no is a mistake, with its reason.
    pub(super) fn sending(&self) -> Result<bool, String> {
        match self.variable(ENABLED) {
            Variable::Unset => Ok(true),
            Variable::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "" | "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err(format!("the variable {ENABLED} must be true or false, not `{text}`")),
            },
            Variable::NotText => Err(format!("the variable {ENABLED} is not UTF-8")),
        }
    }
}

/// The values may be secrets: only the names are shown.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).field("host", &self.host).finish()
    }
}
