//! What a person sees of some blocks, as plain text.

use std::fmt::Write as _;

use serde_json::Value;

use super::Rendered;

/// What a person sees of a message, as plain text: for `preview`, the command line and snapshots.
pub fn as_text(rendered: &Rendered) -> String {
    blocks_as_text(&rendered.blocks)
}

/// The same for a modal or the Home tab, with its title and buttons.
pub fn view_as_text(view: &Value) -> String {
    let mut text = String::new();
    if let Some(title) = view["title"]["text"].as_str() {
        let _ = writeln!(text, "== {title} ==\n");
    }
    text.push_str(&blocks_as_text(view["blocks"].as_array().map_or(&[], Vec::as_slice)));
    let buttons: Vec<String> = ["close", "submit"]
        .iter()
        .filter_map(|part| view[part]["text"].as_str())
        .map(|label| format!("[{label}]"))
        .collect();
    if !buttons.is_empty() {
        let _ = write!(text, "\n\n{}", buttons.join(" "));
    }
    text
}

/// The same for bare blocks.
pub fn blocks_as_text(blocks: &[Value]) -> String {
    blocks.iter().map(block_as_text).collect::<Vec<_>>().join("\n\n")
}

fn block_as_text(block: &Value) -> String {
    match block["type"].as_str().unwrap_or_default() {
        "header" => format!("# {}", inline(&block["text"])),
        "divider" => "---".to_owned(),
        "input" => {
            let optional = if block["optional"] == true { " (optional)" } else { "" };
            format!("{}{optional}: [____]", inline(&block["label"]))
        }
        "actions" => inline_list(&block["elements"], " "),
        "rich_text" => inline_list(&block["elements"], "\n"),
        "context" => inline_list(&block["elements"], "\n"),
        _ => inline(&block["text"]),
    }
}

fn inline_list(elements: &Value, between: &str) -> String {
    let elements = elements.as_array().map_or(&[][..], Vec::as_slice);
    elements.iter().map(inline).collect::<Vec<_>>().join(between)
}

fn inline(element: &Value) -> String {
    let text = element["text"].as_str().unwrap_or_default();
    match element["type"].as_str().unwrap_or_default() {
        "rich_text_section" => inline_list(&element["elements"], ""),
        "rich_text_preformatted" => indented("    ", &inline_list(&element["elements"], "")),
        "rich_text_quote" => indented("> ", &inline_list(&element["elements"], "")),
        "user" => format!("@{}", element["user_id"].as_str().unwrap_or_default()),
        "date" => element["fallback"].as_str().unwrap_or_default().to_owned(),
        "button" => match element["confirm"]["text"]["text"].as_str() {
            Some(confirm) => format!("[{} → {confirm}]", inline(&element["text"])),
            None => format!("[{}]", inline(&element["text"])),
        },
        // Blocks whose text is a bare string, like `markdown`, come here as that string.
        _ => element.as_str().unwrap_or(text).to_owned(),
    }
}

fn indented(by: &str, text: &str) -> String {
    text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n")
}
