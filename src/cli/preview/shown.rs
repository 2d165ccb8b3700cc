//! What a preview shows of one call.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::agent::{CallAnswer, CallStatus};
use crate::base::Timestamp;
use crate::config::{Config, Member, Members};
use crate::desk::card_view;
use crate::slack::card::{self, Rendered, StageNames};
use crate::slack::modal;
use crate::store::{CardButtons, QuestionOutcome, StoredRequest};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Allow,
    Deny,
    Ask,
    /// The arguments do not fit, so no rule was asked.
    Invalid,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Invalid => "invalid",
        }
    }
}

pub(super) struct Shown {
    pub(super) ruling: Verdict,
    tool: String,
    rule: Option<String>,
    /// Why it is not simply so: a refusal's reason, or a condition that failed.
    why: Option<String>,
    asked: Option<Asked>,
}

/// Who would be asked, and what they would see.
struct Asked {
    path: Vec<String>,
    card: Rendered,
    view: Value,
}

impl Shown {
    pub(super) fn new(
        tool: String,
        judged: Result<QuestionOutcome, CallAnswer>,
        config: &Config,
        now: Timestamp,
    ) -> Self {
        let plain = |ruling, rule, why| (ruling, rule, why, None);
        let (ruling, rule, why, asked) = match judged {
            Err(CallAnswer { status: CallStatus::Denied, content }) => {
                plain(Verdict::Deny, None, Some(content))
            }
            Err(CallAnswer { content, .. }) => plain(Verdict::Invalid, None, Some(content)),
            Ok(QuestionOutcome::Answered(answer)) => {
                plain(Verdict::Invalid, None, Some(answer.to_string()))
            }
            Ok(QuestionOutcome::Allowed { sealed, .. }) => {
                plain(Verdict::Allow, Some(sealed.envelope().policy.rule.clone()), None)
            }
            Ok(QuestionOutcome::Asked(new)) => {
                let stored = new.proposed();
                let rule = stored.request.terms.rule.clone();
                let asked = Asked::new(&stored, config, now);
                (Verdict::Ask, Some(rule), stored.because, asked)
            }
        };
        Self { ruling, tool, rule, why, asked }
    }

    pub(super) fn as_text(&self) -> String {
        let mut text = format!("{}: {}", self.tool, self.ruling.word());
        if let Some(rule) = &self.rule {
            let _ = write!(text, ", by the rule `{rule}`");
        }
        if let Some(why) = &self.why {
            let _ = write!(text, "\n  {why}");
        }
        if let Some(asked) = &self.asked {
            for (nth, stage) in asked.path.iter().enumerate() {
                let _ = write!(text, "\n  stage {}: {stage}", nth + 1);
            }
            let _ = write!(text, "\n\n{}\n", card::as_text(&asked.card));
        }
        text
    }

    pub(super) fn as_json(&self) -> Value {
        let asked = self.asked.as_ref();
        json!({
            "tool": self.tool,
            "ruling": self.ruling.word(),
            "rule": self.rule,
            "why": self.why,
            "path": asked.map(|asked| &asked.path),
            "card": asked.map(|asked| json!({
                "text": asked.card.text, "blocks": asked.card.blocks,
            })),
            "view": asked.map(|asked| &asked.view),
        })
    }
}

impl Asked {
    /// Nothing of a request that is not there whole: one that is only proposed always is.
    fn new(stored: &StoredRequest, config: &Config, now: Timestamp) -> Option<Self> {
        let names: Vec<StageNames> =
            stored.request.terms.path.iter().map(|stage| names(config, stage)).collect();
        let token = || Some("preview".to_owned());
        let buttons =
            CardButtons { approve: token(), reject: token(), show_all: token(), withdraw: None };
        let view = card_view(stored, &buttons, &names, now)?;
        let path = stored.request.terms.path.iter().zip(&names);
        Some(Self {
            path: path
                .map(|(stage, names)| {
                    let groups = stage.approvers.0.join(", ");
                    let people = names.people.join(", ");
                    let (quorum, place) = (stage.quorum, &names.channel);
                    format!("{quorum} of {groups} ({people}) in {place}, within {}", stage.within)
                })
                .collect(),
            card: card::stage_card(&view, 0),
            view: modal::show_all(&view, Some("preview")),
        })
    }
}

/// A stage as the configuration knows it; Slack is not asked.
fn names(config: &Config, stage: &crate::approval::Stage) -> StageNames {
    let groups = stage.approvers.0.iter().filter_map(|name| config.groups.get(name));
    let people = groups.flat_map(|group| match &group.members {
        Members::Users(users) => users.iter().map(|member| written(&member.value)).collect(),
        Members::SlackUsergroup(id) => vec![format!("Slack user group {id}")],
    });
    let channel = config.channels.get(&stage.place.0);
    StageNames {
        people: people.collect(),
        channel: channel.map_or(&stage.place.0, |known| &known.slack.value).clone(),
    }
}

fn written(member: &Member) -> String {
    match member {
        Member::User(written) | Member::Email(written) => written.clone(),
    }
}
