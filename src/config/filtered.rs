//! Titles that Sentry's inbound filter for health checks drops without a word; it is on unless somebody turned it off.

/// What stands at the end of such a name, after a slash.
const ENDS: [&str; 11] =
    ["health", "healthy", "healthz", "_health", "[_health]", "live", "livez", "ready", "readyz", "ping", "up"];

/// What makes such a name wherever it stands.
const PARTS: [&str; 2] = ["healthcheck", "heartbeat"];

/// What to do about it.
pub(super) const HINT: &str =
    "give a `title` that does not look like one, or turn the filter off in the project's settings, Inbound Filters";

/// Whether Sentry takes a transaction of this name for a health check (Relay, `healthcheck` filter).
pub(super) fn is_filtered(title: &str) -> bool {
    let title = title.to_lowercase();
    let end = title.strip_suffix('/').unwrap_or(&title).rsplit_once('/').map(|(_, end)| end);
    PARTS.iter().any(|part| title.contains(part)) || end.is_some_and(|end| ENDS.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_sentry_drops_are_known() {
        for name in ["GET https://a.example/health", "GET https://a.example/HealthZ/", "a/up", "My Heartbeat", "/ping"]
        {
            assert!(is_filtered(name), "{name}");
        }
        for name in ["health", "GET https://a.example/health of the shop", "GET https://up.example/", "a/upper", ""] {
            assert!(!is_filtered(name), "{name}");
        }
    }
}
