//! Interactivity: clicks and modals. Delivered once, so far as is documented; handled as if it
//! could be twice.

use serde::Deserialize;

use super::view::{ViewClosed, ViewFields, ViewSubmission};
use super::{InboundError, Installation, body, for_our_app, required};
use crate::approval::SlackUser;
use crate::base::Timestamp;
use crate::slack::client::ResponseUrl;
use crate::slack::signature::VerifiedBody;

/// What a signed request to the interactivity URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    ButtonClick(Box<ButtonClick>),
    ViewSubmission(Box<ViewSubmission>),
    ViewClosed(ViewClosed),
    /// Nothing for us: answer 200. `kind` is for the log.
    Ignored {
        kind: String,
    },
}

/// Where the button stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickedIn {
    Message {
        channel: String,
        ts: String,
        thread_ts: Option<String>,
        ephemeral: bool,
    },
    /// A modal or the Home tab.
    View {
        id: String,
        hash: Option<String>,
    },
}

/// Somebody pressed a button. Proves who pressed, never whether they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonClick {
    pub installation: Installation,
    /// The clicker's own account and team.
    pub user: SlackUser,
    pub action_id: String,
    pub block_id: String,
    /// The button's value: our opaque token. Absent on buttons without one, like links.
    pub token: Option<String>,
    /// Slack's time of the click, as text.
    pub action_ts: String,
    pub place: ClickedIn,
    /// Opens one modal within 3 s.
    pub trigger_id: String,
    /// For 5 answers in 30 minutes. Absent in views.
    pub response_url: Option<ResponseUrl>,
    pub received_at: Timestamp,
    pub signed_at: Timestamp,
}

impl ButtonClick {
    /// `click:<…>`: the same for each delivery of one click; another for the next click.
    pub fn key(&self) -> String {
        let place = match &self.place {
            ClickedIn::Message { channel, ts, .. } => format!("{channel}:{ts}"),
            ClickedIn::View { id, .. } => id.clone(),
        };
        let SlackUser { team, user, .. } = &self.user;
        format!("click:{team}:{user}:{place}:{}:{}", self.action_id, self.action_ts)
    }
}

/// Reads a body sent to the interactivity URL. `app` is our app id, once it is known.
pub fn parse_interaction(
    body: &VerifiedBody,
    app: Option<&str>,
) -> Result<Interaction, InboundError> {
    let payload: Payload = body::payload(body)?;
    // Shortcuts name no app, so only what is acted on is checked for it.
    if !matches!(payload.kind.as_str(), "block_actions" | "view_submission" | "view_closed") {
        return Ok(Interaction::Ignored { kind: payload.kind });
    }
    for_our_app(payload.api_app_id.as_deref(), app)?;
    if payload.kind == "block_actions" {
        return payload.click(body);
    }
    let installation = payload.installation();
    let user = payload.user(&installation)?;
    let view = payload.view.ok_or(InboundError::Field("view"))?;
    if payload.kind == "view_closed" {
        return Ok(Interaction::ViewClosed(view.closed(installation, user)?));
    }
    let submission = view.submission(installation, user, payload.trigger_id, body)?;
    Ok(Interaction::ViewSubmission(Box::new(submission)))
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    api_app_id: Option<String>,
    user: Option<UserFields>,
    team: Option<TeamFields>,
    enterprise: Option<IdField>,
    #[serde(default)]
    is_enterprise_install: bool,
    container: Option<Container>,
    channel: Option<IdField>,
    view: Option<ViewFields>,
    #[serde(default)]
    actions: Vec<Action>,
    trigger_id: Option<String>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct UserFields {
    id: String,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct TeamFields {
    id: String,
    enterprise_id: Option<String>,
}

#[derive(Deserialize)]
struct IdField {
    id: String,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "type")]
    kind: String,
    message_ts: Option<String>,
    channel_id: Option<String>,
    thread_ts: Option<String>,
    #[serde(default)]
    is_ephemeral: bool,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    action_id: Option<String>,
    block_id: Option<String>,
    value: Option<String>,
    action_ts: Option<String>,
}

impl Payload {
    fn click(mut self, body: &VerifiedBody) -> Result<Interaction, InboundError> {
        // Slack sends one action a click. With several it would not be clear what was pressed.
        let action = match (self.actions.pop(), self.actions.is_empty()) {
            (Some(action), true) => action,
            _ => return Err(InboundError::Field("actions")),
        };
        if action.kind != "button" {
            return Ok(Interaction::Ignored { kind: format!("block_actions ({})", action.kind) });
        }
        let installation = self.installation();
        Ok(Interaction::ButtonClick(Box::new(ButtonClick {
            user: self.user(&installation)?,
            installation,
            action_id: required(action.action_id, "action_id")?,
            block_id: required(action.block_id, "block_id")?,
            token: action.value,
            action_ts: required(action.action_ts, "action_ts")?,
            trigger_id: required(self.trigger_id.take(), "trigger_id")?,
            response_url: self.response_url.take().map(ResponseUrl::new),
            place: self.place()?,
            received_at: body.received_at(),
            signed_at: body.signed_at(),
        })))
    }

    fn place(self) -> Result<ClickedIn, InboundError> {
        let container = self.container.ok_or(InboundError::Field("container"))?;
        match container.kind.as_str() {
            "message" | "message_attachment" => {
                let channel = container.channel_id.or(self.channel.map(|channel| channel.id));
                Ok(ClickedIn::Message {
                    channel: required(channel, "container.channel_id")?,
                    ts: required(container.message_ts, "container.message_ts")?,
                    thread_ts: container.thread_ts,
                    ephemeral: container.is_ephemeral,
                })
            }
            "view" => {
                let view = self.view.ok_or(InboundError::Field("view"))?;
                Ok(ClickedIn::View { id: required(view.id, "view.id")?, hash: view.hash })
            }
            _ => Err(InboundError::Field("container.type")),
        }
    }

    /// In the order of the official frameworks: in a modal that an outsider sent, `team` is the
    /// other company, while the view names the team that has our app.
    fn installation(&self) -> Installation {
        let installed = self.view.as_ref().and_then(|view| view.app_installed_team_id.clone());
        let named = self.team.as_ref().map(|team| team.id.clone());
        let own = || self.user.as_ref().and_then(|user| user.team_id.clone());
        let team =
            installed.or(named).or_else(|| if self.is_enterprise_install { None } else { own() });
        let enterprise = match &self.enterprise {
            Some(enterprise) => Some(enterprise.id.clone()),
            None => self.team.as_ref().and_then(|team| team.enterprise_id.clone()),
        };
        Installation::new(team, enterprise, self.is_enterprise_install)
    }

    fn user(&self, installation: &Installation) -> Result<SlackUser, InboundError> {
        let user = self.user.as_ref().ok_or(InboundError::Field("user"))?;
        let id = required(Some(user.id.clone()), "user.id")?;
        // A click always names the clicker's own team; a guess here would let an outsider in.
        let team = required(user.team_id.clone(), "user.team_id")?;
        installation.user(id, Some(team)).ok_or(InboundError::Field("user.team_id"))
    }
}
