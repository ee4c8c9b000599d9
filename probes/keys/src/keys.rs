//! The declaration of a set of keys.

/// Declares a set of keys: the type, its reader, the valid names, and the schema with the doc comments in it.
///
/// `required` keys must be there; `optional` ones become `Option`, and so do `lenient` ones, which a mistake leaves
/// absent: the rest is still read, so that its mistakes are found at once. Where a key's name is no identifier of Rust's, it
/// stands behind the field: `optional kind = "type": Kind,`. A `flatten` field is a whole set of keys, which stand beside
/// the others in the same mapping.
///
/// Behind the fields, `where` says for editors which keys go together: `one_of`, `any_of`, `excludes` (not all of them at
/// once), `needs` (the first needs the others); see [`Properties`](crate::Properties). Whoever compiles the keys says it in
/// words.
///
/// ```
/// probe_keys::keys! {
///     /// Where to knock.
///     pub struct Door {
///         /// The street.
///         required street: String,
///         /// The number of the house; without it, any house.
///         optional number: u64,
///     }
/// }
/// ```
#[macro_export]
macro_rules! keys {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $need:ident $field:ident $(= $key:literal)? : $ty:ty ),* $(,)?
        }
        $( where $( $rule:ident ( $($of:ident),+ ) ),+ $(,)? )?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $( $(#[doc = $doc])* pub $field: $crate::keys!(@type $need $ty), )*
        }

        impl $crate::Keys for $name {
            fn take(fields: &mut $crate::Fields<'_>) -> Option<Self> {
                // All keys are read before the first bad one ends it: all mistakes at once.
                $( let $field = fields.$need::<$ty>($crate::keys!(@name $field $($key)?)); )*
                Some(Self { $( $field: $field?, )* })
            }

            fn properties(properties: &mut $crate::Properties<'_>) {
                $( $crate::keys!(
                    @property $need properties, $crate::keys!(@name $field $($key)?), concat!($($doc, "\n"),*), $ty
                ); )*
                $( $( properties.$rule(&[$(stringify!($of)),+]); )+ )?
            }
        }

        impl $crate::Read for $name {
            fn read(at: &$crate::At<'_>) -> Option<Self> {
                let mut fields = $crate::Fields::of(at)?;
                let keys = <Self as $crate::Keys>::take(&mut fields);
                fields.finish();
                keys
            }

            fn schema(definitions: &mut $crate::Definitions) -> $crate::serde_json::Value {
                definitions.define(stringify!($name), |definitions| {
                    definitions.mapping(concat!($($about, "\n"),*).trim(), <Self as $crate::Keys>::properties)
                })
            }
        }
    };
    (@type required $ty:ty) => { $ty };
    (@type optional $ty:ty) => { Option<$ty> };
    (@type lenient $ty:ty) => { Option<$ty> };
    (@type flatten $ty:ty) => { $ty };
    (@property flatten $properties:ident, $name:expr, $doc:expr, $ty:ty) => { $properties.keys::<$ty>() };
    (@property $need:ident $properties:ident, $name:expr, $doc:expr, $ty:ty) => {
        $properties.key($name, $doc, $crate::keys!(@required $need), |definitions| {
            <$ty as $crate::Read>::schema(definitions)
        })
    };
    (@required required) => { true };
    (@required optional) => { false };
    (@required lenient) => { false };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::{At, Definitions, Entry, Findings, Node, Place, Read, Text, Value};

    keys! {
        /// A door.
        struct Door {
            /// The street.
            required street: String,
            /// How long to wait.
            optional wait: Duration,
            optional kind = "type": u64,
        }
    }

    fn mapping(entries: &[(&str, Value)]) -> Node {
        let place = Place::default();
        let entry = |(key, value): &(&str, Value)| Entry {
            key: (*key).to_owned(),
            place,
            node: Node { value: value.clone(), place },
        };
        Node { value: Value::Mapping(entries.iter().map(entry).collect()), place }
    }

    fn text(text: &str) -> Value {
        Value::Text(Text::plain(text))
    }

    #[test]
    fn what_is_right_is_read() {
        let node =
            mapping(&[("street", text("High")), ("wait", text("1m")), ("type", Value::Number(3.into(), "3".into()))]);
        let findings = Findings::default();
        let door = Door::read(&At::root(&node, &findings)).unwrap();
        assert_eq!((door.street.as_str(), door.wait, door.kind), ("High", Some(Duration::from_secs(60)), Some(3)));
        assert!(findings.problems().is_empty());
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let node = mapping(&[("wait", text("soon")), ("tpye", text("x")), ("type", Value::Bool(true))]);
        let findings = Findings::default();
        assert!(Door::read(&At::root(&node, &findings)).is_none());
        let found: Vec<_> =
            findings.problems().iter().map(|p| (p.spot.path.clone(), p.reason.clone(), p.hint.clone())).collect();
        assert_eq!(found[0], (String::new(), "`street` is missing".into(), None));
        assert_eq!(found[1].0, "wait");
        assert_eq!(found[2], ("type".into(), "expected a whole number, got the boolean true".into(), None));
        assert_eq!(found[3], ("tpye".into(), "unknown key `tpye`".into(), Some("did you mean `type`?".into())));
    }

    keys! {
        /// A gate.
        struct Gate {
            lenient wait: Duration,
            lenient street: String,
        }
    }

    #[test]
    fn a_mistake_in_a_lenient_key_keeps_the_rest() {
        let node = mapping(&[("wait", text("soon")), ("street", text("High"))]);
        let findings = Findings::default();
        let gate = Gate::read(&At::root(&node, &findings)).unwrap();
        assert_eq!((gate.wait, gate.street.as_deref()), (None, Some("High")));
        assert!(findings.has_errors());
    }

    keys! {
        /// A house.
        struct House {
            /// Its number.
            required number: u64,
            flatten door: Door,
        }
    }

    #[test]
    fn a_flattened_set_stands_beside_the_other_keys() {
        let node = mapping(&[("number", Value::Number(7.into(), "7".into())), ("street", text("High"))]);
        let findings = Findings::default();
        let house = House::read(&At::root(&node, &findings)).unwrap();
        assert_eq!((house.number, house.door.street.as_str()), (7, "High"));

        let node = mapping(&[("number", text("x")), ("stret", text("High"))]);
        assert!(House::read(&At::root(&node, &findings)).is_none());
        let reasons: Vec<_> = findings.problems().iter().map(|problem| problem.reason.clone()).collect();
        let want = ["expected a whole number, got text \"x\"", "`street` is missing", "unknown key `stret`"];
        assert_eq!(reasons, want);

        let mut definitions = Definitions::default();
        House::schema(&mut definitions);
        let house = &definitions.into_json()["House"];
        assert_eq!(house["required"], json!(["number", "street"]));
        assert_eq!(house["properties"]["type"]["type"], "integer");
    }

    keys! {
        /// A bell.
        struct Bell {
            optional button: bool,
            optional rope: bool,
            optional wire: bool,
            optional power: bool,
        }
        where one_of(button, rope), any_of(rope, wire), excludes(rope, power), needs(wire, power)
    }

    #[test]
    fn a_schema_says_which_keys_go_together() {
        let node = mapping(&[("button", Value::Bool(true))]);
        let Bell { button, rope, wire, power } = Bell::read(&At::root(&node, &Findings::default())).unwrap();
        assert_eq!([button, rope, wire, power], [Some(true), None, None, None]);
        let mut definitions = Definitions::default();
        Bell::schema(&mut definitions);
        let bell = &definitions.into_json()["Bell"];
        let each = |keys: [&str; 2]| keys.map(|key| json!({"required": [key]}));
        let want = json!([
            {"oneOf": each(["button", "rope"])},
            {"anyOf": each(["rope", "wire"])},
            {"not": {"required": ["rope", "power"]}},
            {"dependentRequired": {"wire": ["power"]}},
        ]);
        assert_eq!(bell["allOf"], want);
    }

    #[test]
    fn the_schema_says_the_same() {
        let mut definitions = Definitions::default();
        assert_eq!(Door::schema(&mut definitions), json!({"$ref": "#/$defs/Door"}));
        let door = &definitions.into_json()["Door"];
        assert_eq!(door["required"], json!(["street"]));
        assert_eq!(door["additionalProperties"], json!(false));
        assert_eq!(door["properties"]["street"], json!({"type": "string", "description": "The street."}));
        assert_eq!(door["properties"]["type"]["type"], "integer");
    }
}
