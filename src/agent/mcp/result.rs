//! What a server answers, as bounded text.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

use crate::agent::text::capped;

/// How much of an answer is kept, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The text of a result. What is no text is named, not shown.
pub(super) fn text_of(result: &CallToolResult) -> String {
    let mut parts: Vec<String> = result.content.iter().map(part).collect();
    // By the protocol the text repeats the structured content; without text it is all there is.
    if let Some(structured) = result.structured_content.as_ref().filter(|_| parts.is_empty()) {
        parts.push(structured.to_string());
    }
    capped(&parts.join("\n"), MAX_ANSWER)
}

fn part(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            format!("[an image, {}, {} bytes in base64]", image.mime_type, image.data.len())
        }
        ContentBlock::Audio(audio) => {
            format!("[a sound, {}, {} bytes in base64]", audio.mime_type, audio.data.len())
        }
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                format!("[the resource {uri}]\n{text}")
            }
            ResourceContents::BlobResourceContents { uri, blob, .. } => {
                format!("[the resource {uri}, {} bytes in base64]", blob.len())
            }
            _ => "[a resource of an unknown kind]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("[a link to the resource {}]", link.uri),
        _ => "[content of an unknown kind]".to_owned(),
    }
}

/// The arguments as the protocol wants them.
pub(super) fn arguments(arguments: &Value) -> Option<rmcp::model::JsonObject> {
    arguments.as_object().cloned()
}
