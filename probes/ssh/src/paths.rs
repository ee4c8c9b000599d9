//! Paths as people write them, and as ssh reads them in an option.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A path, `~/` being the user's home as in a shell.
pub(crate) fn expanded(written: &str) -> PathBuf {
    match (written.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(written),
    }
}

/// The known hosts of the user and of the system.
pub(crate) fn usual_known_hosts() -> Vec<PathBuf> {
    let user = env::home_dir().map(|home| home.join(".ssh/known_hosts"));
    user.into_iter().chain(["/etc/ssh/ssh_known_hosts".into()]).collect()
}

/// A path that ssh takes as it stands: percent signs are not expanded.
pub(crate) fn literal(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

/// The same as a value of an option, where blanks would end it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("\"{}\"", literal(path).replace('\\', "\\\\").replace('"', "\\\""))
}
