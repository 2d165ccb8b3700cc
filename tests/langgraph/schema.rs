//! The JSON schema of a decision on one tool call, as LangChain shows it.

use serde_json::{Map, Value, json};

use crate::format::{ArgType, ToolForm};

const RESPOND: &str = "Response when a human answers on behalf of the tool, skipping execution.\n\n\
    Used for \"ask user\" style tools whose real implementation is the human's\nresponse. The tool \
    is not executed; instead, a synthetic `ToolMessage` with\n`status=\"success\"` and the provided \
    `message` is returned to the model.";

/// The schema of the decisions that are allowed. A single one is the plain schema of that one.
pub fn decision(allowed: &[String], name: &str, tool: Option<&ToolForm>) -> Value {
    let mut defs = Map::new();
    let mut mapping = Map::new();
    let mut branches = Vec::new();
    for kind in allowed {
        let (title, schema) = branch(kind, name, tool, &mut defs);
        if mapping.contains_key(kind) {
            continue;
        }
        let reference = format!("#/$defs/{title}");
        mapping.insert(kind.clone(), json!(reference));
        branches.push(json!({"$ref": reference}));
        defs.insert(title.to_owned(), schema);
    }
    if let ([_], Some(kind)) = (&*branches, mapping.keys().next()) {
        let (title, schema) = branch(kind, name, tool, &mut defs);
        defs.remove(title);
        let mut whole = schema;
        if !defs.is_empty() {
            whole["$defs"] = defs.into();
        }
        return whole;
    }
    json!({
        "$defs": defs,
        "discriminator": {"mapping": mapping, "propertyName": "type"},
        "oneOf": branches,
    })
}

fn branch(
    kind: &str,
    name: &str,
    tool: Option<&ToolForm>,
    defs: &mut Map<String, Value>,
) -> (&'static str, Value) {
    let of = |title: &str, properties: Value, required: Value| json!({"title": title, "type": "object", "properties": properties, "required": required});
    let constant = |value: &str| json!({"const": value, "title": "Type", "type": "string"});
    let message = json!({"title": "Message", "type": "string"});
    match kind {
        "approve" => {
            let mut schema =
                of("ApproveDecision", json!({"type": constant(kind)}), json!(["type"]));
            schema["description"] = "Response when a human approves the action.".into();
            ("ApproveDecision", schema)
        }
        "reject" => {
            let properties = json!({"type": constant(kind), "message": message});
            let mut schema = of("RejectDecision", properties, json!(["type"]));
            schema["description"] = "Response when a human rejects the action.".into();
            ("RejectDecision", schema)
        }
        "respond" => {
            let properties = json!({"type": constant(kind), "message": message});
            let mut schema = of("RespondDecision", properties, json!(["type", "message"]));
            schema["description"] = RESPOND.into();
            ("RespondDecision", schema)
        }
        _ => {
            let args = match tool {
                Some(tool) => {
                    defs.insert(tool.name.clone(), arguments(tool));
                    json!({"$ref": format!("#/$defs/{}", tool.name)})
                }
                None => json!({"type": "object"}),
            };
            let called = json!({"const": name, "title": "Name", "type": "string"});
            let edited =
                of("EditedAction", json!({"name": called, "args": args}), json!(["name", "args"]));
            defs.insert("EditedAction".to_owned(), edited);
            let edited = json!({"$ref": "#/$defs/EditedAction"});
            let properties = json!({"type": constant("edit"), "edited_action": edited});
            ("EditDecision", of("EditDecision", properties, json!(["type", "edited_action"])))
        }
    }
}

fn arguments(tool: &ToolForm) -> Value {
    let mut properties = Map::new();
    for (name, kind) in &tool.args {
        let mut schema = match kind {
            ArgType::Int => json!({"type": "integer"}),
            ArgType::Str => json!({"type": "string"}),
            ArgType::Bool => json!({"type": "boolean"}),
            ArgType::List => json!({"type": "array", "items": {}}),
            ArgType::Dict => json!({"type": "object", "additionalProperties": true}),
            ArgType::Any => json!({}),
        };
        schema["title"] = title(name).into();
        properties.insert(name.clone(), schema);
    }
    let mut schema = json!({
        "title": tool.name,
        "description": tool.name,
        "type": "object",
        "properties": properties,
    });
    if !tool.args.is_empty() {
        schema["required"] = tool.args.keys().cloned().collect();
    }
    schema
}

/// `some_name` as `Some Name`.
fn title(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(char::to_uppercase).into_iter().flatten();
        first.chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}
