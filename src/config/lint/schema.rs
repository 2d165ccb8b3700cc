//! What can be told for certain from a JSON Schema.

use serde_json::Value;

/// Keywords through which arguments may exist that `properties` does not list.
const OPENERS: [&str; 8] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "patternProperties",
    "dependentSchemas",
];

/// The subschema of an argument, `a.b` for one inside another. Nothing when the schema does not
/// tell, an error when there is no such argument.
pub(super) fn argument<'a>(
    schema: &'a Value,
    path: &str,
) -> Result<Option<&'a Value>, NoSuchArgument> {
    let mut schema = schema;
    for name in path.split('.') {
        let Some(keywords) = schema.as_object() else {
            return Ok(None);
        };
        if OPENERS.iter().any(|opener| keywords.contains_key(*opener)) {
            return Ok(None);
        }
        let Some(properties) = keywords.get("properties").and_then(Value::as_object) else {
            return Ok(None);
        };
        let open = keywords.get("additionalProperties").is_some_and(|more| more != false);
        schema = match properties.get(name) {
            Some(schema) => schema,
            None if open => return Ok(None),
            None => {
                return Err(NoSuchArgument { known: properties.keys().cloned().collect() });
            }
        };
    }
    Ok(Some(schema))
}

/// There is no such argument; these there are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSuchArgument {
    pub(super) known: Vec<String>,
}

impl NoSuchArgument {
    pub(super) fn mend(&self) -> String {
        if self.known.is_empty() {
            return "the tool has no arguments; add it under `parameters`".to_owned();
        }
        format!("name one of `{}`", self.known.join("`, `"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_certain_is_told() {
        let closed =
            json!({"properties": {"a": {"properties": {"b": {}}}, "list": {"type": "array"}}});
        let open = json!({"properties": {"a": {}}, "additionalProperties": true});
        let referring = json!({"properties": {"a": {}}, "$ref": "#/$defs/x"});
        for (schema, path, expected) in [
            (&closed, "a", "there"),
            (&closed, "a.b", "there"),
            (&closed, "x", "not there"),
            (&closed, "a.x", "not there"),
            (&closed, "list.0", "untold"),
            (&open, "x", "untold"),
            (&referring, "x", "untold"),
            (&json!({}), "x", "untold"),
            (&json!(true), "x", "untold"),
        ] {
            let told = match argument(schema, path) {
                Ok(Some(_)) => "there",
                Ok(None) => "untold",
                Err(_) => "not there",
            };
            assert_eq!(told, expected, "{path} in {schema}");
        }
    }
}
