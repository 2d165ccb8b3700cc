//! `countersign mcp`.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::out::say;
use super::paste;
use crate::agent::{Described, Egress, McpServer, McpServers, Offer};
use crate::config::{self, Config, Target, Tool};

#[derive(Debug, Subcommand)]
pub(super) enum Mcp {
    /// Ask every server what it offers, and compare that with what is pinned.
    ///
    /// Exits 1 when a server cannot be reached or describes a pinned tool otherwise.
    List,
    /// Print tools as their server describes them now, pinned, to be read and pasted.
    ///
    /// The entries go to standard output, what changed since the last pin to standard error.
    /// Characters that could not be seen are written as escapes. Nothing is changed: the pin is
    /// yours once it stands in the configuration.
    Pin(Pin),
}

#[derive(Debug, Args)]
pub(super) struct Pin {
    /// The server, as the configuration calls it.
    server: String,

    /// The server's own names for its tools; all of them without one.
    tools: Vec<String>,
}

pub(super) async fn run(mcp: Mcp, config: Config) -> anyhow::Result<ExitCode> {
    let servers = servers(&config)?;
    match mcp {
        Mcp::List => list(&config, &servers).await,
        Mcp::Pin(wanted) => pin(&wanted, &config, &servers).await,
    }
}

/// The servers of a configuration, none of them connected.
pub(super) fn servers(config: &Config) -> anyhow::Result<McpServers> {
    let specs = config.mcp.values().map(config::McpServer::spec);
    McpServers::new(specs, &Egress::open()?).map_err(anyhow::Error::msg)
}

/// How one configured tool compares with what its server offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    AsPinned,
    Changed,
    Gone,
}

/// The configured tools of a server, each with how it compares.
pub(super) fn compared<'a>(
    config: &'a Config,
    server: &str,
    offers: &[Offer],
) -> Vec<(&'a Tool, &'a config::McpTarget, Compared)> {
    let of_server = config.tools.values().filter_map(|tool| match &tool.target {
        Target::Mcp(mcp) if mcp.server.value == server => Some((tool, mcp)),
        Target::Mcp(_) | Target::Http(_) | Target::Command(_) => None,
    });
    let compare = |(tool, mcp): (&'a Tool, &'a config::McpTarget)| {
        let offer = offers.iter().find(|offer| offer.described.tool == mcp.tool);
        let compared = match offer {
            Some(offer) if offer.pin == mcp.pin.value => Compared::AsPinned,
            Some(_) => Compared::Changed,
            None => Compared::Gone,
        };
        (tool, mcp, compared)
    };
    of_server.map(compare).collect()
}

async fn list(config: &Config, servers: &McpServers) -> anyhow::Result<ExitCode> {
    let mut is_well = true;
    if config.mcp.is_empty() {
        say("The configuration has no `mcp` servers.")?;
    }
    for server in servers.iter() {
        say(format_args!("{}  {}", server.name(), paste::plain(&server.place())))?;
        let offers = match server.offers().await {
            Ok(offers) => offers,
            Err(why) => {
                is_well = false;
                say(format_args!("  cannot be reached: {}", paste::plain(&why)))?;
                continue;
            }
        };
        let tools = compared(config, server.name(), &offers);
        for offer in &offers {
            let name = &offer.described.tool;
            let pinned = tools.iter().find(|(_, mcp, _)| mcp.tool == *name);
            let standing = match pinned {
                None => "not pinned".to_owned(),
                Some((tool, _, Compared::AsPinned)) => format!("pinned as {}", tool.name.value),
                Some((tool, _, _)) => {
                    is_well = false;
                    format!("CHANGED since it was pinned as {}", tool.name.value)
                }
            };
            say(format_args!("  {:<32} {standing}", paste::plain(name)))?;
        }
        for (tool, mcp, _) in tools.iter().filter(|(_, _, how)| *how == Compared::Gone) {
            is_well = false;
            let name = &tool.name.value;
            say(format_args!("  {:<32} GONE; it was pinned as {name}", paste::plain(&mcp.tool)))?;
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn pin(wanted: &Pin, config: &Config, servers: &McpServers) -> anyhow::Result<ExitCode> {
    let server = find(servers, &wanted.server)?;
    let offers = server.offers().await.map_err(|why| {
        anyhow::anyhow!("the MCP server `{}` cannot be reached: {why}", wanted.server)
    })?;
    let offered = |name: &String| {
        let offer = offers.iter().find(|offer| offer.described.tool == *name);
        offer.with_context(|| format!("`{}` does not offer `{name}`", wanted.server))
    };
    let chosen: Vec<&Offer> = if wanted.tools.is_empty() {
        offers.iter().collect()
    } else {
        wanted.tools.iter().map(offered).collect::<anyhow::Result<_>>()?
    };
    let tools = compared(config, server.name(), &offers);
    for offer in chosen {
        let pinned = tools.iter().find(|(_, mcp, _)| mcp.tool == offer.described.tool);
        if let Some((tool, _, Compared::Changed)) = pinned {
            tell_changes(tool, &offer.described);
        }
        let name = match pinned {
            Some((tool, _, _)) => tool.name.value.clone(),
            None => paste::name(server.name(), &offer.described.tool),
        };
        say(paste::entry(&name, server.name(), offer))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(servers: &'a McpServers, name: &str) -> anyhow::Result<&'a McpServer> {
    let found = servers.get(name).map(AsRef::as_ref);
    found.with_context(|| format!("the configuration has no MCP server called `{name}`"))
}

/// To standard error: what the server says otherwise than it was pinned.
fn tell_changes(tool: &Tool, now: &Described) {
    let name = &tool.name.value;
    if tool.description != now.description {
        let (was, is) = (paste::text(&tool.description), paste::text(&now.description));
        eprintln!("{name}: the description has changed\n  - {was}\n  + {is}");
    }
    if tool.parameters.value != now.parameters {
        let (was, is) = (paste::flow(&tool.parameters.value), paste::flow(&now.parameters));
        eprintln!("{name}: the parameters have changed\n  - {was}\n  + {is}");
    }
}
