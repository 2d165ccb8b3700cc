//! Blocks as a person reads them: for transcripts.

use serde_json::Value;

/// The words of some blocks, a line for each.
pub(super) fn blocks(blocks: &[Value]) -> String {
    let lines: Vec<String> =
        blocks.iter().map(block).filter(|line| !line.trim().is_empty()).collect();
    lines.join("\n")
}

fn block(block: &Value) -> String {
    match block["type"].as_str() {
        Some("divider") => "---".to_owned(),
        Some("actions") => {
            let buttons = block["elements"].as_array().into_iter().flatten();
            let names = buttons.filter_map(|button| button["text"]["text"].as_str());
            names.map(|name| format!("[{name}]")).collect::<Vec<_>>().join(" ")
        }
        Some("rich_text") => words(&block["elements"], "\n"),
        Some("context") => words(&block["elements"], " · "),
        Some("input") => block["label"]["text"].as_str().unwrap_or_default().to_owned(),
        _ => {
            let mut text = words(&block["text"], "");
            for field in block["fields"].as_array().into_iter().flatten() {
                text.push_str(&format!("\n{}", words(field, "")));
            }
            text
        }
    }
}

fn words(value: &Value, gap: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| words(item, "")).collect::<Vec<_>>().join(gap)
        }
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some("user") => format!("<@{}>", fields["user_id"].as_str().unwrap_or_default()),
            Some("date") => fields["fallback"].as_str().unwrap_or_default().to_owned(),
            _ => words(fields.get("text").or(fields.get("elements")).unwrap_or(&Value::Null), ""),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
