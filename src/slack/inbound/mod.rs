//! What Slack sends, as small typed values: only the fields we use, strictly read; every other
//! field is ignored, because Slack adds some now and then.
//!
//! Each value carries a dedup key, the same for every delivery of the same thing, because Slack
//! delivers events at least once and a signed request can be replayed for ten minutes.

mod body;
mod command;
mod event;
mod installation;
mod interaction;
mod text;
mod view;

pub use command::{Command, parse_command};
pub use event::{ChannelKind, HomeOpened, Inbound, Message, SessionStopped, parse_event};
pub use installation::Installation;
pub use interaction::{ButtonClick, ClickedIn, Interaction, parse_interaction};
pub use text::as_typed;
pub use view::{InputValue, ViewClosed, ViewSubmission};

#[cfg(test)]
mod tests;

/// Why a signed body says nothing we can act on. For logs; Slack only hears the status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    #[error("the content type `{0}` is not the one Slack uses here")]
    ContentType(String),
    #[error("the form is not well formed: {0}")]
    Form(&'static str),
    #[error("the JSON does not fit at line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("the field `{0}` is missing or empty")]
    Field(&'static str),
    #[error("it is for the app `{0}`, not for ours")]
    OtherApp(String),
}

/// Refuses what is meant for another app. `ours` is absent only until Slack has told us our id;
/// until then the signing secret, which belongs to one app, is the check.
fn for_our_app(named: Option<&str>, ours: Option<&str>) -> Result<(), InboundError> {
    match (named, ours) {
        (_, None) => Ok(()),
        (Some(named), Some(ours)) if named == ours => Ok(()),
        (named, Some(_)) => Err(InboundError::OtherApp(named.unwrap_or_default().to_owned())),
    }
}

/// The text of a field that must be there and must not be empty.
fn required(field: Option<String>, name: &'static str) -> Result<String, InboundError> {
    field.filter(|text| !text.is_empty()).ok_or(InboundError::Field(name))
}
