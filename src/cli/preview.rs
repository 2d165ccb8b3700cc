//! `countersign preview`.

mod calls;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::agent::{Egress, ProposedCall, ToolCall};
use crate::approval::{Requester, SlackUser};
use crate::base::{Clock, PersonId, RandomIds, RunId, SystemClock, WorkspaceId};
use crate::config::Config;
use crate::desk::{Asker, Gate, Occasion};
use calls::Call;
use shown::Shown;

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// The tool, by its name in the configuration.
    #[arg(required_unless_present = "file")]
    tool: Option<String>,

    /// Its arguments as raw JSON, exactly as a model would write them.
    #[arg(required_unless_present = "file")]
    arguments: Option<String>,

    /// Many calls, one JSON object a line:
    /// {"tool": …, "arguments": …, "agent": …, "requester": …, "expect": "allow"}.
    #[arg(long, conflicts_with_all = ["tool", "arguments", "agent", "requester"])]
    file: Option<PathBuf>,

    /// The agent that proposes it; the default one, or else one that has the tool.
    #[arg(long)]
    agent: Option<String>,

    /// The Slack id of who asks.
    #[arg(long)]
    requester: Option<String>,

    /// The card as text, or one JSON object a call with Block Kit messages and the full view.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
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
        }],
    };
    let gate = Gate::new(&config, &Egress::open()?)?;
    let mut surprises = 0;
    for call in calls {
        let expected = call.expect;
        let shown = judge(&gate, &config, call)?;
        println!(
            "{}",
            match preview.format {
                Format::Text => shown.as_text(),
                Format::Blocks => shown.as_json().to_string(),
            }
        );
        if let Some(expected) = expected.filter(|expected| *expected != shown.ruling) {
            surprises += 1;
            eprintln!("expected {}, and it is {}", expected.word(), shown.ruling.word());
        }
    }
    Ok(if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn judge(gate: &Gate, config: &Config, call: Call) -> anyhow::Result<Shown> {
    let asker = Asker {
        workspace: WorkspaceId::existing("T0PREVIEW"),
        run: RunId::existing("run_preview"),
        agent: agent_for(config, &call)?,
        requester: requester(call.requester.as_deref().unwrap_or("U0PREVIEW")),
    };
    let proposed = ProposedCall {
        call: ToolCall {
            id: "call_preview".to_owned(),
            tool: call.tool.clone(),
            arguments: call.arguments,
        },
        claim: call.claim,
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
        config.tools.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    );
    if let Some(agent) = &call.agent {
        anyhow::ensure!(has_tool(agent), "the agent `{agent}` does not have `{}`", call.tool);
        return Ok(agent.clone());
    }
    let default = config.agents.iter().find(|(_, agent)| agent.is_default);
    let any = || config.agents.keys().find(|name| has_tool(name));
    let agent = default.map(|(name, _)| name).filter(|name| has_tool(name)).or_else(any);
    agent.cloned().with_context(|| format!("no agent has the tool `{}`", call.tool))
}

fn requester(user: &str) -> Requester {
    Requester {
        person: PersonId::existing(format!("per_{user}")),
        user: SlackUser { team: "T0PREVIEW".to_owned(), user: user.to_owned(), enterprise: None },
        name: user.to_owned(),
        owner: None,
    }
}
