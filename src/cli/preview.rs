//! `countersign preview`.

mod calls;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::out::say;
use crate::agent::{CallSite, Egress, ProposedCall, ToolCall};
use crate::approval::{Requester, SlackUser};
use crate::base::{Clock, PersonId, RandomIds, RunId, SystemClock, WorkspaceId};
use crate::config::Config;
use crate::desk::{Asker, Gate, Occasion};
use calls::Call;
use shown::Shown;

/// What `preview --help` ends with.
pub(super) const EXAMPLES: &str = r#"Examples:
  countersign preview payments.refund '{"charge": "ch_1042", "amount": 640, "currency": "EUR"}'
  countersign preview --file calls.jsonl

A line of calls.jsonl:
  {"tool": "orders.lookup", "arguments": {"order": "A-1042"}, "expect": "allow"}

`agent`, `requester`, `claim` (the agent's own words) and `expect` (allow, deny, ask or invalid) may
be left out."#;

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// The tool, by its name in the configuration.
    #[arg(required_unless_present = "file")]
    tool: Option<String>,

    /// Its arguments as raw JSON, exactly as a model would write them.
    #[arg(required_unless_present = "file")]
    arguments: Option<String>,

    /// Many calls, one JSON object a line; see the examples of `preview --help`.
    #[arg(long, conflicts_with_all = ["tool", "arguments", "agent", "requester"])]
    file: Option<PathBuf>,

    /// The agent that proposes it; the default one, or else one that has the tool.
    #[arg(long)]
    agent: Option<String>,

    /// The Slack id of who asks.
    #[arg(long)]
    requester: Option<String>,

    /// What is printed for each call.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// The ruling, and the card as plain text.
    Text,
    /// One JSON object a line, with the card's and the full view's Block Kit blocks.
    Blocks,
}

pub(super) fn run(preview: Preview, config: Config) -> anyhow::Result<ExitCode> {
    let calls = match &preview.file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            calls::read(&text, &file.display().to_string())?
        }
        None => vec![Call {
            tool: preview.tool.unwrap_or_default(),
            arguments: preview.arguments.unwrap_or_default(),
            agent: preview.agent,
            requester: preview.requester,
            claim: None,
            expect: None,
            place: String::new(),
        }],
    };
    let gate = Gate::new(&config, &Egress::open()?)?;
    let mut surprises = 0;
    for call in calls {
        let (expected, place) = (call.expect, call.place.clone());
        let shown = judge(&gate, &config, call)?;
        say(match preview.format {
            Format::Text => shown.as_text(),
            Format::Blocks => shown.as_json().to_string(),
        })?;
        if let Some(expected) = expected.filter(|expected| *expected != shown.ruling) {
            surprises += 1;
            let (expected, ruling) = (expected.word(), shown.ruling.word());
            eprintln!("{place}expected {expected}, and it is {ruling}");
        }
    }
    Ok(if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn judge(gate: &Gate, config: &Config, call: Call) -> anyhow::Result<Shown> {
    let asker = Asker {
        workspace: WorkspaceId::existing("T0PREVIEW"),
        run: RunId::existing("run_preview"),
        agent: agent_for(config, &call).map_err(|why| anyhow::anyhow!("{}{why}", call.place))?,
        requester: requester(call.requester.as_deref().unwrap_or("U0PREVIEW")),
    };
    let proposed = ProposedCall {
        call: ToolCall {
            id: "call_preview".to_owned(),
            tool: call.tool.clone(),
            arguments: call.arguments,
        },
        claim: call.claim,
        site: CallSite::default(),
    };
    let at = Occasion { now: SystemClock.now(), ids: &RandomIds };
    Ok(Shown::new(call.tool, gate.judge(&asker, proposed, at), config, at.now))
}

fn agent_for(config: &Config, call: &Call) -> anyhow::Result<String> {
    let has_tool = |name: &str| {
        let agent = config.agents.get(name);
        agent.is_some_and(|agent| agent.tools.iter().any(|tool| tool.value == call.tool))
    };
    anyhow::ensure!(
        config.tools.contains_key(&call.tool),
        "there is no tool called `{}`; the configuration has: {}",
        call.tool,
        listed(config.tools.keys())
    );
    if let Some(agent) = &call.agent {
        anyhow::ensure!(
            config.agents.contains_key(agent),
            "there is no agent called `{agent}`; the configuration has: {}",
            listed(config.agents.keys())
        );
        anyhow::ensure!(has_tool(agent), "the agent `{agent}` does not have `{}`", call.tool);
        return Ok(agent.clone());
    }
    let default = config.agents.iter().find(|(_, agent)| agent.is_default);
    let any = || config.agents.keys().find(|name| has_tool(name));
    let agent = default.map(|(name, _)| name).filter(|name| has_tool(name)).or_else(any);
    agent.cloned().with_context(|| format!("no agent has the tool `{}`", call.tool))
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn requester(user: &str) -> Requester {
    Requester {
        person: PersonId::existing(format!("per_{user}")),
        user: SlackUser { team: "T0PREVIEW".to_owned(), user: user.to_owned(), enterprise: None },
        name: user.to_owned(),
        owner: None,
    }
}
