//! The section as it is written.

use serde::Deserialize;
use serde_json::Value;

use super::{END, Graph, Keeps, Key, START};
use crate::config::policies::AskSection;
use crate::config::reading::{Complained, Located, Named, Reader};
use crate::config::tools::{HttpSection, Tool};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct GraphSection {
    #[serde(default)]
    keys: Named<Keeps>,
    start: Located<String>,
    nodes: Named<NodeSection>,
}

/// A node: the key of its kind, and the keys that go with that.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeSection {
    pub(super) agent: Option<Located<String>>,
    pub(super) tool: Option<Located<String>>,
    pub(super) approval: Option<Located<String>>,
    pub(super) http: Option<Located<HttpSection>>,
    pub(super) set: Option<Located<Named<Located<Value>>>>,
    pub(super) branch: Option<Located<Vec<CaseSection>>>,
    pub(super) graph: Option<Located<String>>,
    pub(super) message: Option<Located<String>>,

    pub(super) prompt: Option<Located<String>>,
    pub(super) arguments: Option<Located<Value>>,
    pub(super) into: Option<Located<String>>,
    pub(super) ask: Option<Located<AskSection>>,
    pub(super) then: Option<Located<String>>,
    pub(super) otherwise: Option<Located<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseSection {
    pub(super) when: Located<String>,
    pub(super) then: Located<String>,
}

impl GraphSection {
    /// Reads one graph; the tools that its `http` nodes are go to `tools`.
    pub(super) fn read(
        self,
        name: Located<String>,
        tools: &mut Vec<Tool>,
        reader: &mut Reader<'_>,
    ) -> Result<Graph, Complained> {
        let keys = reader.named(self.keys, |reader, name, keeps| {
            plain_key(&name, reader);
            Ok(Key { name, keeps })
        });
        let nodes = reader.named(self.nodes, |reader, node, section| {
            if [START, END].contains(&node.as_str()) {
                let text = format!("`{}` cannot be the name of a node", node.value);
                reader.complain(node.at, text, "the graph itself begins and ends by that name");
            }
            section.read(node, &name, tools, reader)
        });
        Ok(Graph { name, keys, start: self.start, nodes })
    }
}

/// Keys stand in expressions and templates as `state.name`.
fn plain_key(name: &Located<String>, reader: &mut Reader<'_>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain) {
        let text = format!("`{}` cannot be written as `state.{}`", name.value, name.value);
        reader.complain(name.at, text, "use letters, digits and `_`, and begin with a letter");
    }
}
