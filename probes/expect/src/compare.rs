//! When two JSON values are the same, and which of two is less.

use std::cmp::Ordering;

use serde_json::{Number, Value as Json};

/// Whether two values are the same: type and all, where a number is what it counts (`1` is `1.0`).
///
/// Recurses as deep as the shallower value: whatever is read from a file or an answer is bounded there.
pub(crate) fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => order(one, other) == Some(Ordering::Equal),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// How two numbers stand: whole ones exactly, others as floating point.
pub(crate) fn order(one: &Number, other: &Number) -> Option<Ordering> {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_the_same_by_type_and_by_what_they_count() {
        for (one, other, expected) in [
            (json!(1), json!(1.0), true),
            (json!(1), json!("1"), false),
            (json!(0), json!(false), false),
            (json!(null), json!(false), false),
            (json!({"a": 1, "b": [2]}), json!({"b": [2.0], "a": 1}), true),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), false),
            (json!(u64::MAX), json!(u64::MAX - 1), false),
            (json!(i64::MIN), json!(u64::MAX), false),
        ] {
            assert_eq!((same(&one, &other), same(&other, &one)), (expected, expected), "{one} {other}");
        }
    }
}
