//! The messages of a conversation: merged by id, in the loose forms that LangGraph takes.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::index::Index;
use super::{Folded, Refused};
use crate::graph::SharedList;

/// The id that removes everything before it.
const REMOVE_ALL: &str = "__remove_all__";

/// The value of a message key: messages in order, each with an id of its own. Cloning it copies
/// nothing, and an append costs the same at any length.
#[derive(Clone, Default)]
pub struct MessageList {
    list: SharedList,
    index: Index,
}

impl MessageList {
    /// The messages, oldest first.
    pub fn list(&self) -> &SharedList {
        &self.list
    }

    /// Takes back a list of messages that have ids; none if one has not.
    pub(super) fn of(list: SharedList) -> Option<Self> {
        let mut messages = Self::default();
        for message in list.iter() {
            let id = message.get("id")?.as_str()?;
            messages.index.insert(id, messages.list.len());
            messages.list.push(message.clone());
        }
        Some(messages)
    }

    /// Merges messages that have ids, see [`normalized`].
    pub(super) fn add(&mut self, write: Value) -> Result<Folded, Refused> {
        let mut folded = Folded::Appended;
        let Value::Array(mut messages) = write else {
            return Err("a message key takes messages".into());
        };
        if let Some(last) = messages.iter().rposition(|message| id(message) == REMOVE_ALL) {
            messages.drain(..=last);
            *self = Self::default();
            folded = Folded::Replaced;
        }
        let mut removed: Vec<String> = Vec::new();
        for message in messages {
            let id = id(&message).to_owned();
            match (self.index.find(&id), is_removal(&message)) {
                (Some(_), true) => removed.push(id),
                (Some(place), false) => {
                    removed.retain(|removed| *removed != id);
                    self.list.set(place, message);
                    folded = Folded::Replaced;
                }
                (None, true) => return Err(format!("it has no message {id} to remove").into()),
                (None, false) => {
                    self.index.insert(&id, self.list.len());
                    self.list.push(message);
                }
            }
        }
        if !removed.is_empty() {
            let rest = self.list.iter().filter(|message| !removed.iter().any(|r| r == id(message)));
            let rest: SharedList = rest.cloned().collect();
            *self = Self::of(rest).unwrap_or_default();
            folded = Folded::Replaced;
        }
        Ok(folded)
    }
}

impl PartialEq for MessageList {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl fmt::Debug for MessageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl Serialize for MessageList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

fn id(message: &Value) -> &str {
    message["id"].as_str().unwrap_or_default()
}

fn is_removal(message: &Value) -> bool {
    message["type"] == "remove"
}

/// What was written to a message key as a list of messages in one form, each with an id.
/// `new_id` gives the id of the message at a place that has none.
pub(in crate::graph) fn normalized(
    write: Value,
    mut new_id: impl FnMut(usize) -> String,
) -> Result<Value, Refused> {
    let messages = match write {
        Value::Array(messages) => messages,
        message => vec![message],
    };
    let normalized = messages.into_iter().enumerate().map(|(place, message)| {
        let mut message = fields(message)?;
        if !message.get("id").is_some_and(Value::is_string) {
            message.insert("id".to_owned(), new_id(place).into());
        }
        Ok(Value::Object(message))
    });
    normalized.collect()
}

fn fields(message: Value) -> Result<Map<String, Value>, Refused> {
    let mut fields = match message {
        Value::Object(fields) => fields,
        Value::String(text) => object(json!({"type": "human", "content": text})),
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([Value::String(role), content]) => object(json!({"role": role, "content": content})),
            Ok(_) | Err(_) => return Err("a message is no list but of a role and a text".into()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            return Err("a message is an object, a pair or a text".into());
        }
    };
    let role = match fields.remove("role") {
        Some(role) if !fields.contains_key("type") => role,
        _ => fields.get("type").cloned().unwrap_or_default(),
    };
    let kind = match role.as_str() {
        Some("user" | "human") => "human",
        Some("assistant" | "ai") => "ai",
        Some("system" | "developer") => "system",
        Some("tool") => "tool",
        Some("function") => "function",
        Some("remove") => "remove",
        _ => return Err(format!("a message has the unknown role {role}").into()),
    };
    fields.insert("type".to_owned(), kind.into());
    match kind {
        "tool" => {
            if !fields.get("tool_call_id").is_some_and(Value::is_string) {
                return Err("a tool message needs the tool_call_id that it answers".into());
            }
            fields.entry("status").or_insert_with(|| "success".into());
        }
        "remove" if !fields.get("id").is_some_and(Value::is_string) => {
            return Err("a removal needs the id of its message".into());
        }
        "remove" => {}
        _ if !fields.contains_key("content") => return Err("a message needs its content".into()),
        _ => {}
    }
    Ok(fields)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(writes: &[Value]) -> Result<Value, Refused> {
        let mut messages = MessageList::default();
        for (nth, write) in writes.iter().enumerate() {
            messages.add(normalized(write.clone(), |place| format!("new{nth}.{place}"))?)?;
        }
        Ok(messages.list().iter().map(|message| message["id"].clone()).collect())
    }

    fn ai(id: &str) -> Value {
        json!({"type": "ai", "content": "", "id": id})
    }

    fn remove(id: &str) -> Value {
        json!({"type": "remove", "id": id})
    }

    #[test]
    fn messages_merge_by_id() {
        let table = [
            (vec![json!([ai("a"), ai("b")]), ai("a"), ai("c")], json!(["a", "b", "c"])),
            (vec![json!([ai("a"), ai("b")]), json!([remove("a")])], json!(["b"])),
            (vec![ai("a"), json!([remove("a"), ai("a")])], json!(["a"])),
            (vec![ai("a"), json!([ai("b"), remove(REMOVE_ALL), ai("c")])], json!(["c"])),
            (vec![json!("hi"), json!([["user", "ho"]])], json!(["new0.0", "new1.0"])),
        ];
        for (writes, expected) in table {
            assert_eq!(folded(&writes), Ok(expected), "{writes:?}");
        }
        assert_eq!(folded(&[remove("x")]), Err("it has no message x to remove".into()));
    }

    #[test]
    fn loose_forms_become_one_form_and_unknown_ones_are_refused() {
        let one = |message| normalized(message, |_| "id".to_owned()).map(|list| list[0].clone());
        let human = json!({"type": "human", "content": "hi", "id": "id"});
        for form in [json!("hi"), json!([["user", "hi"]]), json!({"role": "user", "content": "hi"})]
        {
            assert_eq!(one(form.clone()), Ok(human.clone()), "{form}");
        }
        let tool = one(json!({"role": "tool", "content": "5", "tool_call_id": "c"}));
        assert_eq!(tool.expect("it has its call")["status"], "success");
        for bad in [
            json!(7),
            json!({"role": "boss", "content": "hi"}),
            json!({"role": "tool", "content": "5"}),
            json!({"role": "user"}),
            json!({"type": "remove"}),
        ] {
            assert!(one(bad.clone()).is_err(), "{bad}");
        }
    }
}
