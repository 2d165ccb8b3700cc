//! The gate: what becomes of a tool call that an agent proposes.
//!
//! Everything here is a pure reading of configuration and policy: the tool resolves and validates
//! the arguments, the policy rules, and the envelope is sealed. Nothing is written; the store turns
//! the result into rows in the transaction that suspends the run, and `preview` shows it.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::json;

use crate::agent::{
    self, CallAnswer, CallStatus, Egress, GatePlace, McpServers, ProposedCall, Resolved, Standing,
    Tool, ToolSpecError, Toolbox,
};
use crate::approval::{
    self, Ask, Envelope, Policy, PolicyFacts, Proposal, Requester, Risk, Ruling, Sealed, Terms,
};
use crate::base::{ActionId, Ids, RequestId, RunId, Span, Timestamp, WorkspaceId};
use crate::config::{self, Config, Otherwise};
use crate::graph::Interrupt;
use crate::store::{KnownQuestions, NewRequest, Question, QuestionOutcome, StartCheck};

/// How long an action that a rule allowed may wait for its start.
const ALLOWED_VALID_FOR: Span = Span::minutes(10);

/// What stands between a proposed call and its tool.
pub struct Gate {
    pub toolbox: Toolbox,
    pub servers: McpServers,
    policy: Policy,
    grants: BTreeMap<String, Grant>,
    /// Whom the approval nodes of graphs ask where the policy would ask nobody.
    gates: BTreeMap<GatePlace, Ask>,
    /// Whom those ask that name nobody themselves.
    otherwise: Option<Ask>,
}

/// Why there is no gate. The operator reads this.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error(transparent)]
    Tool(#[from] ToolSpecError),
    #[error("{0}")]
    Servers(String),
}

/// What an agent was given.
struct Grant {
    /// It can call no other.
    tools: Vec<String>,
    /// How often one of its runs may have people asked.
    approvals: Option<u32>,
}

/// The run on whose behalf a tool is called.
#[derive(Clone, Debug)]
pub struct Asker {
    pub workspace: WorkspaceId,
    pub run: RunId,
    pub agent: String,
    pub requester: Requester,
}

/// When it is proposed, and where its ids come from.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    pub now: Timestamp,
    pub ids: &'a dyn Ids,
}

impl Gate {
    pub fn new(config: &Config, egress: &Egress) -> Result<Self, GateError> {
        let servers = McpServers::new(config.mcp.values().map(config::McpServer::spec), egress)
            .map_err(GateError::Servers)?;
        let specs = config.tools.values().map(|tool| tool.spec(&config.mcp));
        let specs = specs.collect::<Result<Vec<_>, _>>().map_err(GateError::Servers)?;
        let grant = |agent: &config::Agent| Grant {
            tools: agent.tools.iter().map(|tool| tool.value.clone()).collect(),
            approvals: agent.budget.approvals,
        };
        let otherwise = match &config.otherwise {
            Otherwise::Deny => None,
            Otherwise::Ask(ask) => Some(ask.terms()),
        };
        Ok(Self {
            toolbox: Toolbox::from_specs(specs, egress, &servers)?,
            servers,
            policy: config.policy(),
            grants: config
                .agents
                .iter()
                .map(|(name, agent)| (name.clone(), grant(agent)))
                .collect(),
            gates: config.gates(),
            otherwise,
        })
    }

    /// Names the policy in force, in hex.
    pub fn policy_digest(&self) -> &str {
        self.policy.digest()
    }

    /// Asks the MCP servers of all proposed tools how they describe them now.
    pub async fn look(&self, interrupts: &[Interrupt]) {
        let proposed = interrupts.iter().filter_map(|interrupt| {
            let proposed: ProposedCall = serde_json::from_value(interrupt.value.clone()).ok()?;
            self.toolbox.get(&proposed.call.tool)
        });
        join_all(proposed.map(|tool| tool.look())).await;
    }

    /// Turns the interrupts of a run into the questions that the store writes down. Those that it
    /// knows already are left out. A call for which people would be asked once too often is
    /// answered instead, and the run ends with that.
    pub fn questions(
        &self,
        asker: &Asker,
        interrupts: &[Interrupt],
        known: &KnownQuestions,
        at: Occasion<'_>,
    ) -> Vec<Question> {
        let mut asked = known.requests;
        let limit = self.grants.get(&asker.agent).and_then(|grant| grant.approvals);
        let new = interrupts.iter().filter(|interrupt| !known.ids.contains(&interrupt.id));
        new.map(|interrupt| {
            let mut question = self.question(asker, interrupt, at);
            if let QuestionOutcome::Asked(_) = question.outcome {
                if let Some(limit) = limit.filter(|&limit| asked >= limit) {
                    let why = format!("people may be asked {limit} times in one run, and were");
                    let answer = answer(CallStatus::OverBudget, &why);
                    question.outcome = QuestionOutcome::Answered(json!(answer));
                } else {
                    asked += 1;
                }
            }
            question
        })
        .collect()
    }

    fn question(&self, asker: &Asker, interrupt: &Interrupt, at: Occasion<'_>) -> Question {
        let Interrupt { id, value, .. } = interrupt;
        let proposed = serde_json::from_value(value.clone())
            .map_err(|_| answer(CallStatus::Invalid, "this is not a tool call"));
        let outcome = proposed.and_then(|proposed: ProposedCall| {
            self.as_pinned(&proposed.call.tool)?;
            self.judge(asker, proposed, at)
        });
        let outcome = outcome.unwrap_or_else(|answer| QuestionOutcome::Answered(json!(answer)));
        Question { interrupt_id: id.clone(), value: value.clone(), outcome }
    }

    /// Nobody is asked about a tool that may not be what the operator has read.
    fn as_pinned(&self, tool: &str) -> Result<(), CallAnswer> {
        match self.toolbox.get(tool).map(|tool| tool.standing()) {
            None | Some(Standing::AsPinned) => Ok(()),
            Some(Standing::Changed { why } | Standing::Unreachable { why }) => {
                Err(answer(CallStatus::Invalid, &why))
            }
        }
    }

    /// Rules on a call. An error is what the agent is told instead of a result.
    pub fn judge(
        &self,
        asker: &Asker,
        proposed: ProposedCall,
        at: Occasion<'_>,
    ) -> Result<QuestionOutcome, CallAnswer> {
        let name = &proposed.call.tool;
        let agent = proposed.site.agent.as_deref().unwrap_or(&asker.agent);
        let granted = self.grants.get(agent).is_some_and(|grant| grant.tools.contains(name));
        let tool = self.toolbox.get(name).filter(|_| granted).ok_or_else(|| {
            answer(CallStatus::Invalid, &format!("there is no tool called `{name}`"))
        })?;
        let resolved = tool
            .resolve(&proposed.call.arguments)
            .map_err(|error| answer(CallStatus::Invalid, &error.to_string()))?;
        let ruling = self.policy.rule_on(&Proposal {
            tool: name,
            agent: Some(agent),
            arguments: &resolved.arguments,
            requester: &asker.requester,
            target: &resolved.target,
        });
        let node = proposed.site.node.as_deref().unwrap_or(agent::APPROVAL_NODE);
        let from = Proposer { asker, agent, node };
        match self.at_least_asked(ruling, proposed.site.gate.as_ref()) {
            Ruling::Deny { rule, reason } => {
                let why = format!("the rule `{rule}` forbids it: {reason}");
                Err(answer(CallStatus::Denied, &why))
            }
            Ruling::Allow { rule } => {
                let draft = Draft { from, tool: tool.as_ref(), resolved, rule: &rule, at };
                let sealed = self.seal(draft, None)?;
                let start_by = at.now.plus(ALLOWED_VALID_FOR);
                Ok(QuestionOutcome::Allowed { sealed: Box::new(sealed), start_by })
            }
            Ruling::Ask { rule, ask, because } => {
                let draft = Draft { from, tool: tool.as_ref(), resolved, rule: &rule, at };
                let id = RequestId::new(at.ids);
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

    /// What an approval node makes of a ruling: where the policy would ask nobody, people are asked
    /// as the node says. Nothing else changes, so it can never be looser.
    fn at_least_asked(&self, ruling: Ruling, gate: Option<&GatePlace>) -> Ruling {
        let (Ruling::Allow { .. }, Some(gate)) = (&ruling, gate) else {
            return ruling;
        };
        let rule = gate.to_string();
        match self.gates.get(gate).or(self.otherwise.as_ref()) {
            Some(ask) => Ruling::Ask { rule, ask: ask.clone(), because: None },
            None => {
                Ruling::Deny { rule, reason: "nobody is named who could approve it".to_owned() }
            }
        }
    }

    /// Whether the approval node that asked would ask for no more now than it did then.
    fn gate_still_holds(&self, terms: &Terms) -> bool {
        let gate = self.gates.iter().find(|(place, _)| place.to_string() == terms.rule);
        gate.is_none_or(|(_, ask)| ask.is_met_by(terms))
    }

    /// What only the configuration in force can say before a start.
    pub fn start_check(&self, sealed: &Sealed, terms: Option<&Terms>) -> StartCheck {
        let envelope = sealed.envelope();
        let tool = self.toolbox.get(&envelope.tool.name);
        StartCheck {
            policy_still_holds: self.policy.still_permits(&Proposal::from(envelope), terms)
                && terms.is_none_or(|terms| self.gate_still_holds(terms)),
            // A server that cannot be reached is no changed tool: then the call is not made.
            tool_unchanged: tool.is_some_and(|tool| {
                *tool.facts() == envelope.tool
                    && !matches!(tool.standing(), Standing::Changed { .. })
            }),
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
        let Draft { from, tool, resolved, rule, at } = draft;
        let Proposer { asker, agent, node } = from;
        let now = at.now;
        let (request, ask) = asked.unzip();
        let decide_by = ask.map(|ask| ask.path.iter().fold(now, |at, stage| at.plus(stage.within)));
        let envelope = Envelope {
            form: 1,
            workspace: asker.workspace.clone(),
            action: ActionId::new(at.ids),
            request: request.cloned(),
            run: Some(asker.run.clone()),
            node: Some(node.to_owned()),
            agent: Some(agent.to_owned()),
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

/// Who proposes a call, and where in the run.
#[derive(Clone, Copy)]
struct Proposer<'a> {
    asker: &'a Asker,
    agent: &'a str,
    node: &'a str,
}

/// A ruled-on call on its way into an envelope.
struct Draft<'a> {
    from: Proposer<'a>,
    tool: &'a dyn Tool,
    resolved: Resolved,
    rule: &'a str,
    at: Occasion<'a>,
}

fn answer(status: CallStatus, content: &str) -> CallAnswer {
    CallAnswer { status, content: content.to_owned() }
}
