//! From events to what goes over the wire.

use serde::Serialize;
use serde_json::Value;

use crate::graph::stream::Mode;
use crate::stream::{Modes, RunEvent};

/// Shows that a silent stream is alive. Clients skip comments.
pub(super) const HEARTBEAT: &str = ": heartbeat\n\n";

/// One event as server-sent events have it, `id` and `data`, or nothing when this client has asked
/// for other modes. Approvals and the end are told in every mode.
pub(super) fn frame(seq: u64, event: &RunEvent, modes: &Modes) -> Option<String> {
    let data = match event {
        RunEvent::Chunk { mode, .. } if !modes.has(*mode) => return None,
        RunEvent::Chunk { mode, ns, data } => {
            serde_json::to_string(&Chunk { kind: *mode, ns, data }).ok()?
        }
        RunEvent::V2 { event } => modes.version.map(|_| event.to_string())?,
        RunEvent::ApprovalRequested { .. }
        | RunEvent::ApprovalDecided { .. }
        | RunEvent::Done
        | RunEvent::Error { .. } => text(event)?,
        RunEvent::NodeStart { .. }
        | RunEvent::NodeEnd { .. }
        | RunEvent::LlmStart { .. }
        | RunEvent::Token { .. }
        | RunEvent::LlmEnd
        | RunEvent::Message { .. }
        | RunEvent::ToolStart { .. }
        | RunEvent::ToolEnd { .. } => {
            if !modes.is_empty() {
                return None;
            }
            text(event)?
        }
    };
    Some(format!("id: {seq}\ndata: {data}\n\n"))
}

/// A chunk in the form of LangGraph's own stream parts.
#[derive(Serialize)]
struct Chunk<'a> {
    #[serde(rename = "type")]
    kind: Mode,
    ns: &'a [String],
    data: &'a Value,
}

/// JSON has no bare line breaks, so an event is one line of data.
fn text(event: &RunEvent) -> Option<String> {
    serde_json::to_string(event).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_frame_is_one_line_of_data_whatever_the_model_says() {
        let token = RunEvent::Token { content: "one\n\ndata: two\r\n: three".to_owned() };
        let frame = frame(7, &token, &Modes::default()).unwrap();
        let lines: Vec<_> = frame.split('\n').collect();
        assert_eq!(lines[0], "id: 7");
        assert!(lines[1].starts_with(r#"data: {"type":"token","content":"one\n\n"#), "{frame}");
        assert_eq!(lines[2..], ["", ""]);
    }

    #[test]
    fn each_client_gets_its_modes_and_everybody_the_end() {
        let modes: Modes = serde_json::from_str(r#"{"stream_mode": ["updates"]}"#).unwrap();
        let chunk = |mode| RunEvent::Chunk { mode, ns: Vec::new(), data: json!({ "agent": null }) };
        let updates = frame(1, &chunk(Mode::Updates), &modes).unwrap();
        assert_eq!(
            updates,
            "id: 1\ndata: {\"type\":\"updates\",\"ns\":[],\"data\":{\"agent\":null}}\n\n"
        );
        assert_eq!(frame(1, &chunk(Mode::Values), &modes), None);
        assert_eq!(frame(1, &RunEvent::LlmEnd, &modes), None);
        assert!(frame(2, &RunEvent::Done, &modes).is_some());
        assert!(frame(2, &RunEvent::LlmEnd, &Modes::default()).is_some());
    }
}
