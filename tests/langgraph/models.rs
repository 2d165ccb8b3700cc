//! The scripted model: it picks its reply by the number of turns it has had, and always streams.

use std::collections::BTreeMap;

use countersign::graph::{Context, ModelStart, NodeError};
use serde_json::{Map, Value, json};

use crate::format::{Reply, ReplyChunk, ToolCallChunk};
use crate::text::{sorted, spaced_json};
use crate::world::World;

/// Asks the model, streams its chunks, and gives its message.
pub async fn say(
    ctx: &Context,
    world: &World,
    replies: &[Reply],
    messages: Value,
    tags: &[String],
) -> Result<Value, NodeError> {
    let turn = messages.as_array().into_iter().flatten().filter(|m| m["type"] == "ai").count();
    let Some(reply) = replies.get(turn.min(replies.len().saturating_sub(1))) else {
        return Err(NodeError::message("the scripted model has no reply"));
    };
    let mut tags = tags.to_vec();
    tags.extend(world.tags());
    let call = ctx.model(ModelStart { name: "Scripted".into(), tags, input: messages });
    let chunks = chunks(reply);
    for chunk in &chunks {
        call.chunk(chunk);
        tokio::task::yield_now().await;
    }
    if let Some(class) = reply.error {
        return Err(world.raise(class, &reply.message));
    }
    let message = whole(reply, &chunks);
    call.finish(&message);
    Ok(message)
}

fn chunks(reply: &Reply) -> Vec<Value> {
    let mut chunks: Vec<_> = match &reply.chunks {
        Some(chunks) => chunks.iter().map(|chunk| part(reply, chunk)).collect(),
        None => {
            let mut chunk = chunk(reply, &reply.content);
            let calls = reply.tool_calls.iter().enumerate();
            let calls: Vec<_> = calls
                .map(|(index, call)| {
                    let args = spaced_json(&sorted(&call.args));
                    json!({"name": call.name, "args": args, "id": call.id, "index": index})
                })
                .collect();
            add_calls(&mut chunk, calls);
            vec![chunk]
        }
    };
    if let Some(last) = chunks.last_mut().filter(|_| reply.error.is_none()) {
        last["chunk_position"] = "last".into();
    }
    chunks
}

fn part(reply: &Reply, part: &ReplyChunk) -> Value {
    match part {
        ReplyChunk::Text(text) => chunk(reply, &json!(text)),
        ReplyChunk::Parts(parts) => {
            let mut chunk = chunk(reply, &json!(parts.content));
            add_calls(&mut chunk, parts.tool_call_chunks.iter().map(|call| json!(call)).collect());
            chunk
        }
    }
}

fn chunk(reply: &Reply, content: &Value) -> Value {
    let content = if content.is_null() { json!("") } else { content.clone() };
    json!({"type": "ai_chunk", "content": content, "id": reply.id})
}

fn add_calls(chunk: &mut Value, calls: Vec<Value>) {
    if !calls.is_empty() {
        chunk["tool_call_chunks"] = calls.into();
    }
}

/// The message that the chunks add up to.
fn whole(reply: &Reply, chunks: &[Value]) -> Value {
    let texts = chunks.iter().filter_map(|chunk| chunk["content"].as_str());
    let content = match chunks {
        [one] => one["content"].clone(),
        _ => json!(texts.collect::<String>()),
    };
    let mut calls: BTreeMap<u64, ToolCallChunk> = BTreeMap::new();
    let parts = chunks.iter().filter_map(|chunk| chunk["tool_call_chunks"].as_array()).flatten();
    for part in parts {
        let part: ToolCallChunk = serde_json::from_value(part.clone()).expect("it was made here");
        let empty = ToolCallChunk { name: None, args: None, id: None, index: None };
        let call = calls.entry(part.index.unwrap_or_default()).or_insert(empty);
        for (whole, part) in
            [(&mut call.name, part.name), (&mut call.args, part.args), (&mut call.id, part.id)]
        {
            if let Some(part) = part {
                whole.get_or_insert_default().push_str(&part);
            }
        }
    }
    let mut message = json!({"type": "ai", "content": content, "id": reply.id});
    if !calls.is_empty() {
        let args = |call: &ToolCallChunk| {
            let text = call.args.as_deref().unwrap_or_default();
            serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()))
        };
        message["tool_calls"] = calls
            .values()
            .map(|call| json!({"name": call.name, "args": args(call), "id": call.id}))
            .collect();
    }
    message
}
