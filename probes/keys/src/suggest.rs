//! The nearest valid name for a misspelt one.

/// The valid name that a person most likely meant; none when nothing is near.
pub fn nearest<'n>(written: &str, valid: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    let far = (written.chars().count() / 3).max(1);
    let near = valid.into_iter().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= far);
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_near_miss_is_recognised_and_a_far_one_is_not() {
        let valid = ["every", "expected", "timeout", "tags"];
        assert_eq!(nearest("evry", valid), Some("every"));
        assert_eq!(nearest("expect", valid), Some("expected"));
        assert_eq!(nearest("Timeout", valid), Some("timeout"));
        assert_eq!(nearest("frequency", valid), None);
    }
}
