//! The whole file: its sections, and the defaults of those that are left out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::policies::{self, OtherwiseSection, RuleSection};
use super::{
    Config, ConfigErrors, Env, Otherwise, Source, Tool, agents, api, graphs, limits, mcp, models,
    people, retention, slack, stores, tools,
};
use crate::config::reading::{Complained, Located, Named, Reader, parse};

const DEFAULT_LISTEN: &str = "127.0.0.1:3000";
const DEFAULT_STORE: &str = "sqlite://countersign.db";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    slack: Located<slack::Section>,
    listen: Option<Located<String>>,
    public_url: Option<Located<String>>,
    store: Option<Located<String>>,
    #[serde(default)]
    people: Named<people::PersonSection>,
    #[serde(default)]
    groups: Named<people::GroupSection>,
    #[serde(default)]
    channels: Named<Located<String>>,
    #[serde(default)]
    models: Named<models::Section>,
    #[serde(default)]
    mcp: Named<mcp::Section>,
    #[serde(default)]
    tools: Named<tools::Section>,
    #[serde(default)]
    policies: Vec<RuleSection>,
    default: Option<Located<OtherwiseSection>>,
    #[serde(default)]
    agents: Named<agents::Section>,
    #[serde(default)]
    graphs: Named<graphs::Section>,
    #[serde(default)]
    api: api::ApiSection,
    #[serde(default)]
    streams: api::StreamsSection,
    #[serde(default)]
    limits: limits::Section,
    #[serde(default)]
    retention: retention::Section,
}

pub(super) fn read(source: Source, env: Env<'_>) -> Result<Config, ConfigErrors> {
    let file: File = parse(&source).map_err(|problem| ConfigErrors::new(vec![problem]))?;
    let mut reader = Reader::new(&source, env);
    let config = file.read(&mut reader, source.clone());
    let problems = reader.into_problems();
    match config {
        Ok(config) if problems.is_empty() => Ok(config),
        Ok(_) | Err(Complained) => Err(ConfigErrors::new(problems)),
    }
}

impl File {
    fn read(self, reader: &mut Reader<'_>, source: Source) -> Result<Config, Complained> {
        let slack = self.slack.read(reader);
        let listen = self.listen.unwrap_or_else(|| Located::unwritten(DEFAULT_LISTEN));
        let listen = reader.parsed(&listen, "write an address and a port, `127.0.0.1:3000`");
        let public_url = self.public_url.map(|url| reader.url(&url)).transpose();
        let store = self.store.unwrap_or_else(|| Located::unwritten(DEFAULT_STORE));
        let store = stores::read(store, reader);
        let people = people::read_people(self.people, reader);
        let groups = people::read_groups(self.groups, reader);
        let channels = people::read_channels(self.channels, reader);
        let models = models::read(self.models, reader);
        let mcp = mcp::read(self.mcp, reader);
        let graphs = graphs::read(self.graphs, reader);
        let tools = with_readers(tools::read(self.tools, reader), graphs.tools, reader);
        let rules = policies::read_rules(self.policies, reader);
        let otherwise = self.default.map_or(Ok(Otherwise::Deny), |default| default.read(reader));
        let limits = self.limits.read(reader)?;
        let agents = agents::read(self.agents, limits.budget, &graphs.graphs, reader);
        let callers = self.api.read(reader);
        let streams = self.streams.read(reader);
        let retention = self.retention.read(reader);
        Ok(Config {
            slack: slack?,
            listen: listen?,
            public_url: public_url?,
            store: store?,
            people,
            groups,
            channels,
            models,
            mcp,
            tools,
            rules,
            otherwise: otherwise?,
            agents,
            graphs: graphs.graphs,
            callers,
            streams,
            limits,
            retention,
            source,
        })
    }
}

/// The tools of the file, and those that the `http` nodes of graphs are.
fn with_readers(
    mut tools: BTreeMap<String, Tool>,
    readers: Vec<Tool>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Tool> {
    for tool in readers {
        if tools.contains_key(&tool.name.value) {
            let text = format!("there is a tool called `{}` already", tool.name.value);
            reader.complain(tool.name.at, text, "give the node another name");
        } else {
            tools.insert(tool.name.value.clone(), tool);
        }
    }
    tools
}
