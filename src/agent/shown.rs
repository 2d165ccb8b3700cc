//! Messages in LangChain's form, for those who watch.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{CallStatus, Message, ToolCall};

/// One message as LangChain writes it.
pub(super) fn message(message: &Message) -> Value {
    match message {
        Message::Human { text, name } => json!({ "type": "human", "content": text, "name": name }),
        Message::Desk { text } => json!({ "type": "human", "content": text, "name": "desk" }),
        Message::Assistant { text, calls } => assistant(text, calls),
        Message::Tool { call_id, tool, status, content } => json!({
            "type": "tool", "content": content, "tool_call_id": call_id, "name": tool,
            "status": if *status == CallStatus::Succeeded { "success" } else { "error" },
        }),
    }
}

/// A model's message with its calls. Arguments that are no object are shown as they were written.
pub(super) fn assistant(text: &str, calls: &[ToolCall]) -> Value {
    let call = |call: &ToolCall| {
        let args = serde_json::from_str::<Map<String, Value>>(&call.arguments);
        let args = args.map_or_else(|_| json!({ "arguments": call.arguments }), Value::Object);
        json!({ "name": call.tool, "args": args, "id": call.id, "type": "tool_call" })
    };
    let calls: Vec<Value> = calls.iter().map(call).collect();
    json!({ "type": "ai", "content": text, "tool_calls": calls })
}

/// A value with every message of ours in LangChain's form.
pub fn in_langchains_form(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(in_langchains_form).collect(),
        Value::Object(fields) => {
            if fields.contains_key("from")
                && let Ok(ours) = Message::deserialize(&Value::Object(fields.clone()))
            {
                return message(&ours);
            }
            let mut shown: Map<String, Value> =
                fields.into_iter().map(|(key, value)| (key, in_langchains_form(value))).collect();
            // The runtime's short name for a piece of a message.
            if shown.get("type").is_some_and(|kind| kind == "ai_chunk") {
                shown.insert("type".to_owned(), json!("AIMessageChunk"));
            }
            Value::Object(shown)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_wherever_they_stand_and_nothing_else_changes() {
        let calls = vec![ToolCall {
            id: "call_1".to_owned(),
            tool: "pay".to_owned(),
            arguments: r#"{"amount": 3}"#.to_owned(),
        }];
        let ours = serde_json::to_value(Message::Assistant { text: "I pay.".to_owned(), calls });
        let state = json!({ "messages": [ours.unwrap()], "from": "Berlin", "n": 1 });
        assert_eq!(
            in_langchains_form(state),
            json!({ "from": "Berlin", "n": 1, "messages": [{
                "type": "ai", "content": "I pay.",
                "tool_calls": [
                    { "name": "pay", "args": { "amount": 3 }, "id": "call_1", "type": "tool_call" },
                ],
            }] })
        );
    }
}
