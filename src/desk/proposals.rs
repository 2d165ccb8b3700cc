//! What becomes of a tool call that an agent proposes.
//!
//! Everything here is a pure reading of configuration and policy: the tool resolves and validates
//! the arguments, the policy rules, and the envelope is sealed. Nothing is written; the store turns
//! the result into rows in the transaction that suspends the run.

use serde_json::{Value, json};

use super::Desk;
use crate::agent::{CallAnswer, CallStatus, ProposedCall, Resolved, Tool};
use crate::approval::{
    self, Ask, Envelope, PolicyFacts, Proposal, Requester, Risk, Ruling, Sealed, Terms,
};
use crate::base::{ActionId, RequestId, RunId, Span, Timestamp};
use crate::store::{NewRequest, Question, QuestionOutcome};

/// How long an action that a rule allowed may wait for its start.
const ALLOWED_VALID_FOR: Span = Span::minutes(10);

/// The run on whose behalf a tool is called.
#[derive(Clone, Debug)]
pub struct Asker {
    pub run: RunId,
    pub agent: String,
    pub requester: Requester,
}

impl Desk {
    /// Turns one interrupt of a run into the question that the store writes down.
    pub fn question(&self, asker: &Asker, interrupt_id: &str, value: &Value) -> Question {
        let outcome = self
            .outcome(asker, value)
            .unwrap_or_else(|answer| QuestionOutcome::Answered(json!(answer)));
        Question { interrupt_id: interrupt_id.to_owned(), value: value.clone(), outcome }
    }

    fn outcome(&self, asker: &Asker, value: &Value) -> Result<QuestionOutcome, CallAnswer> {
        let proposed: ProposedCall = serde_json::from_value(value.clone())
            .map_err(|_| answer(CallStatus::Invalid, "this is not a tool call"))?;
        let name = &proposed.call.tool;
        let granted = self.agents.get(&asker.agent).is_some_and(|agent| agent.may_call(name));
        let tool = self.toolbox.get(name).filter(|_| granted).ok_or_else(|| {
            answer(CallStatus::Invalid, &format!("there is no tool called `{name}`"))
        })?;
        let resolved = tool
            .resolve(&proposed.call.arguments)
            .map_err(|error| answer(CallStatus::Invalid, &error.to_string()))?;
        let now = self.clock.now();
        let ruling = self.policy.rule_on(&Proposal {
            tool: name,
            agent: Some(&asker.agent),
            arguments: &resolved.arguments,
            requester: &asker.requester,
            target: &resolved.target,
        });
        match ruling {
            Ruling::Deny { rule, reason } => {
                let why = format!("the rule `{rule}` forbids it: {reason}");
                Err(answer(CallStatus::Denied, &why))
            }
            Ruling::Allow { rule } => {
                let draft = Draft { asker, tool: tool.as_ref(), resolved, rule: &rule, now };
                let sealed = self.seal(draft, None)?;
                let start_by = now.plus(ALLOWED_VALID_FOR);
                Ok(QuestionOutcome::Allowed { sealed: Box::new(sealed), start_by })
            }
            Ruling::Ask { rule, ask, because } => {
                let draft = Draft { asker, tool: tool.as_ref(), resolved, rule: &rule, now };
                let id = RequestId::new(self.ids.as_ref());
                let sealed = self.seal(draft, Some((&id, &ask)))?;
                let terms = self.terms(&rule, ask);
                let (request, effects) = approval::open(&sealed, terms)
                    .map_err(|error| answer(CallStatus::Invalid, &error.to_string()))?;
                Ok(QuestionOutcome::Asked(Box::new(NewRequest {
                    request,
                    effects,
                    sealed,
                    claim: proposed.claim,
                    because,
                    show: tool.show().to_vec(),
                })))
            }
        }
    }

    fn terms(&self, rule: &str, ask: Ask) -> Terms {
        Terms {
            rule: rule.to_owned(),
            policy_digest: self.policy.digest().to_owned(),
            risk: ask.risk,
            path: ask.path,
            reason: ask.reason,
            separation: ask.separation,
            valid_for: ask.valid_for,
        }
    }

    fn seal(
        &self,
        draft: Draft<'_>,
        asked: Option<(&RequestId, &Ask)>,
    ) -> Result<Sealed, CallAnswer> {
        let Draft { asker, tool, resolved, rule, now } = draft;
        let (request, ask) = asked.unzip();
        let decide_by = ask.map(|ask| ask.path.iter().fold(now, |at, stage| at.plus(stage.within)));
        let envelope = Envelope {
            form: 1,
            workspace: self.workspace.clone(),
            action: ActionId::new(self.ids.as_ref()),
            request: request.cloned(),
            run: Some(asker.run.clone()),
            node: Some(crate::agent::APPROVAL_NODE.to_owned()),
            agent: Some(asker.agent.clone()),
            tool: tool.facts().clone(),
            arguments: resolved.arguments,
            target: resolved.target,
            credential: resolved.credential,
            cwd: resolved.cwd,
            environment: resolved.environment,
            requester: asker.requester.clone(),
            policy: PolicyFacts { rule: rule.to_owned(), digest: self.policy.digest().to_owned() },
            risk: ask.map_or(Risk::Low, |ask| ask.risk),
            asked_at: now,
            decide_by,
            valid_for: ask.map_or(ALLOWED_VALID_FOR, |ask| ask.valid_for),
        };
        Sealed::seal(envelope).map_err(|error| answer(CallStatus::Invalid, &error.to_string()))
    }
}

/// A ruled-on call on its way into an envelope.
struct Draft<'a> {
    asker: &'a Asker,
    tool: &'a dyn Tool,
    resolved: Resolved,
    rule: &'a str,
    now: Timestamp,
}

fn answer(status: CallStatus, content: &str) -> CallAnswer {
    CallAnswer { status, content: content.to_owned() }
}
