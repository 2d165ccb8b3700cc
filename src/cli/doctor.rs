//! `countersign doctor`.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use super::mcp::{self, Compared};
use super::out::say;
use super::{pinned, safety, waiting, words};
use crate::base::{Clock, SystemClock};
use crate::config::{self, Config, Rule, Severity, Then};
use crate::desk::group_sources;
use crate::slack::client::{HttpSlack, HttpSlackSettings};
use crate::slack::doctor::{self, DoctorFacts, Finding, Level};
use crate::slack::pacing::{OwnPace, PacedSlack};

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let slack = HttpSlack::new(HttpSlackSettings {
        base_url: config.slack.api_url.clone(),
        token: config.slack.bot_token.clone(),
        timeout: config.slack.timeout,
    })?;
    let slack = PacedSlack::new(Arc::new(slack), Arc::new(OwnPace::new(clock.clone())));
    let mut findings: Vec<Finding> = config::lint(&config).iter().map(of_the_file).collect();
    findings.extend(doctor::secrets(&config.slack.signing_secrets));
    findings.extend(doctor::diagnose(&slack, &facts(&config, clock.as_ref())).await);
    if let (Some(url), Some(secret)) = (&config.public_url, config.slack.signing_secrets.first()) {
        findings.push(doctor::reach(url, secret, clock.now()).await);
    } else {
        findings.push(doctor::unreachable_to_test());
    }
    findings.extend(safety::findings(&config.store).await);
    findings.extend(pinned::findings(&config, &clock).await);
    findings.extend(waiting::findings(&config).await);
    findings.extend(safety::retention(&config, clock.now()).await);
    findings.extend(servers(&config).await?);
    for finding in &findings {
        say(line(finding))?;
    }
    let worst = findings.iter().map(|finding| finding.level).max();
    Ok(if worst == Some(Level::Fail) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether every pinned tool is still described as it was.
async fn servers(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for server in mcp::servers(config)?.iter() {
        let name = server.name();
        let offers = match server.offers().await {
            Ok(offers) => offers,
            Err(why) => {
                findings.push(Finding {
                    level: Level::Fail,
                    what: format!("the MCP server `{name}` cannot be reached: {why}"),
                    mend: "check its `command` or `http` in the configuration".to_owned(),
                });
                continue;
            }
        };
        let tools = mcp::compared(config, name, &offers);
        let pinned = words::counted(tools.len(), "pinned tool");
        let before = findings.len();
        findings.extend(tools.iter().filter_map(|(tool, mcp, compared)| {
            let (tool, offered) = (&tool.name.value, &mcp.tool);
            let what = match compared {
                Compared::AsPinned => return None,
                Compared::Changed => format!("`{name}` describes `{tool}` otherwise than pinned"),
                Compared::Gone => format!("`{name}` does not offer `{tool}` any more"),
            };
            let mend = format!("run `countersign mcp pin {name} {offered}`, read it, and paste it");
            Some(Finding { level: Level::Fail, what, mend })
        }));
        if findings.len() == before {
            let what = format!("the MCP server `{name}` offers its {pinned} as they were pinned");
            findings.push(Finding { level: Level::Ok, what, mend: String::new() });
        }
    }
    Ok(findings)
}

fn facts<'a>(config: &Config, clock: &'a dyn Clock) -> DoctorFacts<'a> {
    let channels = config.channels.iter();
    DoctorFacts {
        clock,
        channels: channels.map(|(name, known)| (name.clone(), known.slack.value.clone())).collect(),
        groups: group_sources(config).into_iter().collect(),
        stages: config.rules.iter().flat_map(stages).collect::<BTreeSet<_>>().into_iter().collect(),
        scopes: config::manifest::scopes(),
    }
}

/// Where a rule asks, and whom.
fn stages(rule: &Rule) -> Vec<(String, Vec<String>)> {
    let Then::Ask(ask) = &rule.then else { return Vec::new() };
    let groups = |stage: &config::Stage| {
        stage.approvers.iter().map(|group| group.value.clone()).collect::<Vec<_>>()
    };
    ask.path.iter().map(|stage| (stage.place.value.clone(), groups(stage))).collect()
}

fn of_the_file(finding: &config::Finding) -> Finding {
    let level = match finding.severity {
        Severity::Warning => Level::Warn,
        Severity::Error => Level::Fail,
    };
    Finding { level, what: finding.problem.to_string(), mend: String::new() }
}

fn line(finding: &Finding) -> String {
    let word = match finding.level {
        Level::Ok => "ok  ",
        Level::Warn => "WARN",
        Level::Fail => "FAIL",
    };
    match finding.mend.as_str() {
        "" => format!("{word}  {}", finding.what),
        mend => format!("{word}  {}\n      {mend}", finding.what),
    }
}
