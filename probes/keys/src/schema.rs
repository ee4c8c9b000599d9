//! The JSON Schema (2020-12) that a set of keys describes.

use serde_json::{Map, Value as Json, json};

use crate::Keys;

/// Named parts of a schema, each written once under `$defs`.
#[derive(Debug, Default)]
pub struct Definitions(Map<String, Json>);

/// The properties of one mapping.
#[derive(Debug)]
pub struct Properties<'d> {
    definitions: &'d mut Definitions,
    properties: Map<String, Json>,
    required: Vec<Json>,
    rules: Vec<Json>,
}

// === impl Definitions ===

impl Definitions {
    /// Writes a named part once and returns the reference to it.
    pub fn define(&mut self, name: &str, write: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(name) {
            // A place is held first: a part may name itself.
            self.0.insert(name.to_owned(), Json::Null);
            let part = write(self);
            self.0.insert(name.to_owned(), part);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// The schema of a mapping that holds just these sets of keys.
    pub fn mapping(&mut self, description: &str, fill: impl FnOnce(&mut Properties<'_>)) -> Json {
        let mut properties =
            Properties { definitions: self, properties: Map::new(), required: Vec::new(), rules: Vec::new() };
        fill(&mut properties);
        let Properties { properties, required, rules, .. } = properties;
        let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if !rules.is_empty() {
            schema["allOf"] = rules.into();
        }
        if !description.is_empty() {
            schema["description"] = description.into();
        }
        schema
    }

    /// All named parts.
    pub fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

// === impl Properties ===

impl Properties<'_> {
    /// Adds a set of keys.
    pub fn keys<K: Keys>(&mut self) {
        K::properties(self);
    }

    /// Makes a key that was added one that must be there.
    pub fn require(&mut self, name: &str) {
        self.required.push(name.into());
    }

    /// Just one of these keys must be there.
    pub fn one_of(&mut self, keys: &[&str]) {
        self.rules.push(json!({"oneOf": each(keys)}));
    }

    /// At least one of these keys must be there.
    pub fn any_of(&mut self, keys: &[&str]) {
        self.rules.push(json!({"anyOf": each(keys)}));
    }

    /// These keys must not all be there.
    pub fn excludes(&mut self, keys: &[&str]) {
        self.rules.push(json!({"not": {"required": keys}}));
    }

    /// With the first of these keys, the others must be there.
    pub fn needs(&mut self, keys: &[&str]) {
        if let Some((key, needed)) = keys.split_first() {
            self.rules.push(json!({"dependentRequired": {*key: needed}}));
        }
    }

    /// Adds one key with what it means.
    pub fn key(
        &mut self,
        name: &str,
        description: &str,
        required: bool,
        schema: impl FnOnce(&mut Definitions) -> Json,
    ) {
        let mut schema = schema(self.definitions);
        let description = description.trim();
        if let Some(object) = schema.as_object_mut().filter(|_| !description.is_empty()) {
            object.insert("description".to_owned(), description.into());
        }
        self.properties.insert(name.to_owned(), schema);
        if required {
            self.required.push(name.into());
        }
    }
}

fn each(keys: &[&str]) -> Vec<Json> {
    keys.iter().map(|key| json!({"required": [key]})).collect()
}
