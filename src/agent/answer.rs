//! The form that an agent's final answer must have, where its configuration gives one.

use serde_json::Value;

use super::schema;

/// A compiled JSON Schema of final answers.
#[derive(Debug)]
pub(super) struct AnswerSchema {
    source: Value,
    validator: jsonschema::Validator,
}

impl AnswerSchema {
    /// Compiles it, as strictly as the schema of a tool. The error is for the operator.
    pub(super) fn compile(source: &Value) -> Result<Self, String> {
        let validator = schema::validator(source)
            .map_err(|error| format!("`answer` is not a usable JSON Schema: {error}"))?;
        Ok(Self { source: source.clone(), validator })
    }

    /// What the model is told beside its instructions.
    pub(super) fn demand(&self) -> String {
        format!(
            "Your final answer must be one JSON value that fits this JSON Schema, and nothing \
             else:\n{}",
            self.source
        )
    }

    /// The answer as plain JSON. The error is for the model.
    pub(super) fn read(&self, text: &str) -> Result<String, String> {
        let value: Value = serde_json::from_str(unfenced(text))
            .map_err(|error| format!("it is not one JSON value: {error}"))?;
        match schema::complaints(&self.validator, &value) {
            None => Ok(value.to_string()),
            Some(complaints) => Err(complaints),
        }
    }
}

/// Whether a schema can be the form of an agent's answers. The error is for the operator.
pub fn check_answer_schema(source: &Value) -> Result<(), String> {
    AnswerSchema::compile(source).map(drop)
}

/// Models like to put JSON into a Markdown fence; that says nothing about the answer.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    inside.and_then(|text| text.strip_suffix("```")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_strictly_and_a_fence_is_no_mistake() {
        let schema = AnswerSchema::compile(&json!({
            "type": "object",
            "required": ["total"],
            "additionalProperties": false,
            "properties": { "total": { "type": "number" } },
        }))
        .expect("a good schema");
        assert_eq!(schema.read("{\"total\": 4}"), Ok("{\"total\":4}".to_owned()));
        assert_eq!(schema.read("```json\n{\"total\": 4}\n```"), Ok("{\"total\":4}".to_owned()));
        for (text, why) in [
            ("The total is 4.", "not one JSON value"),
            ("{\"total\": 4} Done.", "not one JSON value"),
            ("{\"total\": \"4\"}", "/total"),
            ("{\"total\": 4, \"more\": 1}", "more"),
            ("", "not one JSON value"),
        ] {
            let complaint = schema.read(text).expect_err(text);
            assert!(complaint.contains(why), "{text}: {complaint}");
        }
    }
}
