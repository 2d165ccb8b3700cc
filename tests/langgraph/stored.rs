//! A stored checkpoint. Our runtime keeps no channels and versions as LangGraph does: it stores
//! what is due. So of this layer only what both have is written down and compared: the place, the
//! metadata, and the values of the state keys.

use countersign::graph::{At, Graph, RunError, Saver};
use serde_json::{Map, Value, json};

use crate::calls::Failed;
use crate::canon::Canon;

/// What LangGraph stores beside these is not compared.
pub const COMPARED: [&str; 4] = ["channel_values", "config", "metadata", "parent_config"];

/// Channels that are no state keys, by the beginning of their names.
const INNER: [&str; 4] = ["__", "branch:", "join:", "jump_to"];

pub async fn checkpoint(
    canon: &mut Canon,
    graph: &Graph,
    saver: &dyn Saver,
    at: &At,
) -> Result<Value, Failed> {
    let snapshot = graph.state(saver, at).await?;
    let loaded = saver.load(at).await.map_err(RunError::from)?;
    let Some(loaded) = loaded else { return Err(Failed::Around("nothing is stored".into())) };
    let shown = canon.snapshot(&snapshot);
    let values: Map<_, _> = loaded
        .checkpoint
        .values
        .iter()
        .map(|(key, value)| (key.to_string(), canon.value(&json!(value))))
        .collect();
    Ok(json!({
        "channel_values": values,
        "config": shown["config"],
        "metadata": shown["metadata"],
        "parent_config": shown["parent_config"],
    }))
}

/// The part of a stored checkpoint that is compared. Keys that hold nothing yet are left out,
/// since LangGraph does not store them before they are first written.
pub fn compared(checkpoint: &Value) -> Value {
    let mut kept = Map::new();
    for key in COMPARED {
        kept.insert(key.to_owned(), checkpoint[key].clone());
    }
    let values = checkpoint["channel_values"].as_object().cloned().unwrap_or_default();
    let inner = |key: &str| INNER.iter().any(|start| key.starts_with(start));
    let nothing = [json!([]), json!({}), json!(0)];
    let values: Map<_, _> =
        values.into_iter().filter(|(key, value)| !inner(key) && !nothing.contains(value)).collect();
    kept.insert("channel_values".into(), values.into());
    kept.into()
}
