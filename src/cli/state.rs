//! Where the daemon keeps what must survive it.

use std::path::PathBuf;

use crate::config::Environment;

/// The state directory: as named, else `SENTRYNET_STATE_DIR`, else below `XDG_STATE_HOME`, else below here.
pub(super) fn directory(named: Option<PathBuf>, environment: &Environment) -> PathBuf {
    named
        .or_else(|| environment.path("SENTRYNET_STATE_DIR"))
        .or_else(|| environment.path("XDG_STATE_HOME").map(|home| home.join("sentrynet")))
        .unwrap_or_else(|| PathBuf::from("sentrynet-state"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn the_nearest_word_wins() {
        let of = |named: Option<&str>, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            directory(named.map(PathBuf::from), &Environment::new(variables, "host"))
        };
        let all = [("SENTRYNET_STATE_DIR", "/one"), ("XDG_STATE_HOME", "/two")];
        assert_eq!(of(Some("/zero"), &all), PathBuf::from("/zero"));
        assert_eq!(of(None, &all), PathBuf::from("/one"));
        assert_eq!(of(None, &all[1..]), PathBuf::from("/two/sentrynet"));
        assert_eq!(of(None, &[("XDG_STATE_HOME", "")]), PathBuf::from("sentrynet-state"));
    }
}
