//! One node: exactly one kind, and the keys that go with it.

use serde_json::Value;

use super::section::{CaseSection, NodeSection};
use super::{Case, Node, Step};
use crate::agent::Method;
use crate::approval::Expression;
use crate::config::policies::{AskSection, refuse_cel};
use crate::config::reading::{Complained, Located, Named, Position, Reader};
use crate::config::tools::{HttpSection, Tool};

/// What an agent is asked unless its node says otherwise: what the requester wrote.
const DEFAULT_PROMPT: &str = "{{ input }}";

const KINDS: &str =
    "write one of `agent`, `tool`, `approval`, `http`, `set`, `branch`, `graph` and `message`";

/// The keys of a node beside that of its kind.
struct Rest {
    /// Where the node stands.
    at: Position,
    prompt: Option<Located<String>>,
    arguments: Option<Located<Value>>,
    into: Option<Located<String>>,
    ask: Option<Located<AskSection>>,
    then: Option<Located<String>>,
    otherwise: Option<Located<String>>,
}

impl NodeSection {
    pub(super) fn read(
        self,
        name: Located<String>,
        graph: &str,
        tools: &mut Vec<Tool>,
        reader: &mut Reader<'_>,
    ) -> Result<Node, Complained> {
        let Self { agent, tool, approval, http, set, branch, graph: sub, message, .. } = self;
        let Self { prompt, arguments, into, ask, then, otherwise, .. } = self;
        let rest = Rest { at: name.at, prompt, arguments, into, ask, then, otherwise };
        let kinds = [
            agent.is_some(),
            tool.is_some(),
            approval.is_some(),
            http.is_some(),
            set.is_some(),
            branch.is_some(),
            sub.is_some(),
            message.is_some(),
        ];
        if kinds.into_iter().filter(|is| *is).count() != 1 {
            let text = format!("the node `{}` must be of exactly one kind", name.value);
            return Err(reader.complain(name.at, text, KINDS));
        }
        let step = if let Some(agent) = agent {
            rest.agent(agent, reader)
        } else if let Some(tool) = tool {
            rest.tool("tool", tool, reader)
        } else if let Some(http) = http {
            let tool = Located { value: format!("{graph}.{}", name.value), at: http.at };
            let reads = reads(&tool, http, rest.arguments.as_ref(), reader);
            let step = rest.tool("http", tool, reader);
            reads.and_then(|reads| {
                tools.push(reads);
                step
            })
        } else if let Some(of) = approval {
            rest.approval(of, reader)
        } else if let Some(values) = set {
            rest.set(values, reader)
        } else if let Some(cases) = branch {
            rest.branch(cases, reader)
        } else if let Some(graph) = sub {
            rest.only("graph", &["then"], reader);
            rest.then(reader).map(|then| Step::Graph { graph, then })
        } else if let Some(text) = message {
            rest.only("message", &["then"], reader);
            rest.then(reader).map(|then| Step::Message { text, then })
        } else {
            Err(reader.complain(name.at, "the node has no kind", KINDS))
        };
        Ok(Node { step: step?, name })
    }
}

impl Rest {
    fn agent(self, agent: Located<String>, reader: &mut Reader<'_>) -> Result<Step, Complained> {
        self.only("agent", &["prompt", "into", "then"], reader);
        let then = self.then(reader)?;
        let prompt = self.prompt.unwrap_or_else(|| Located::unwritten(DEFAULT_PROMPT));
        Ok(Step::Agent { agent, prompt, into: self.into, then })
    }

    fn tool(
        self,
        kind: &str,
        tool: Located<String>,
        reader: &mut Reader<'_>,
    ) -> Result<Step, Complained> {
        self.only(kind, &["arguments", "into", "then", "otherwise"], reader);
        let (then, otherwise) = (self.then(reader), self.otherwise(reader));
        let nothing = || Located { value: Value::Object(serde_json::Map::new()), at: tool.at };
        let arguments = self.arguments.unwrap_or_else(nothing);
        if !arguments.is_object() {
            let text = "the arguments are no object";
            return Err(reader.complain(arguments.at, text, "write `name: value` for each"));
        }
        let (then, otherwise) = (then?, otherwise?);
        Ok(Step::Tool { tool, arguments, into: self.into, then, otherwise })
    }

    fn approval(self, of: Located<String>, reader: &mut Reader<'_>) -> Result<Step, Complained> {
        self.only("approval", &["ask", "into", "otherwise"], reader);
        let otherwise = self.otherwise(reader);
        let ask = self.ask.map(|ask| ask.read(reader)).transpose();
        Ok(Step::Approval { of, ask: ask?, into: self.into, otherwise: otherwise? })
    }

    fn set(
        self,
        values: Located<Named<Located<Value>>>,
        reader: &mut Reader<'_>,
    ) -> Result<Step, Complained> {
        self.only("set", &["then"], reader);
        let then = self.then(reader);
        if values.is_empty() {
            reader.complain(values.at, "nothing is set", "write `key: expression`");
        }
        let mut read = Vec::new();
        for (key, value) in values.value {
            read.push((key, assigned(&value, reader)?));
        }
        Ok(Step::Set { values: read, then: then? })
    }

    fn branch(
        self,
        cases: Located<Vec<CaseSection>>,
        reader: &mut Reader<'_>,
    ) -> Result<Step, Complained> {
        self.only("branch", &["otherwise"], reader);
        let otherwise = self.otherwise(reader);
        if cases.is_empty() {
            let mend = "write `- { when: expression, then: node }`";
            reader.complain(cases.at, "the branch has no case", mend);
        }
        let mut read = Vec::new();
        for CaseSection { when, then } in cases.value {
            read.push(Case { when: expression(&when, reader)?, then });
        }
        Ok(Step::Branch { cases: read, otherwise: otherwise? })
    }

    fn then(&self, reader: &mut Reader<'_>) -> Result<Located<String>, Complained> {
        self.then.clone().ok_or_else(|| {
            let mend = "add `then:` with the next node, or `then: end`";
            reader.complain(self.at, "the node does not say what comes after it", mend)
        })
    }

    fn otherwise(&self, reader: &mut Reader<'_>) -> Result<Located<String>, Complained> {
        self.otherwise.clone().ok_or_else(|| {
            let mend = "add `otherwise:` with a node, or `otherwise: end`";
            reader.complain(self.at, "the node does not say what happens if it fails", mend)
        })
    }

    /// Complains about keys that mean nothing to a kind of node.
    fn only(&self, kind: &str, known: &[&str], reader: &mut Reader<'_>) {
        let written = [
            ("prompt", self.prompt.as_ref().map(|it| it.at)),
            ("arguments", self.arguments.as_ref().map(|it| it.at)),
            ("into", self.into.as_ref().map(|it| it.at)),
            ("ask", self.ask.as_ref().map(|it| it.at)),
            ("then", self.then.as_ref().map(|it| it.at)),
            ("otherwise", self.otherwise.as_ref().map(|it| it.at)),
        ];
        for (key, at) in written {
            if let Some(at) = at.filter(|_| !known.contains(&key)) {
                let text = format!("`{key}` means nothing to a node of the kind `{kind}`");
                reader.complain(at, text, "remove it");
            }
        }
    }
}

/// The tool that an `http` node is. It only reads, and passes the gate like every other.
fn reads(
    name: &Located<String>,
    http: Located<HttpSection>,
    arguments: Option<&Located<Value>>,
    reader: &mut Reader<'_>,
) -> Result<Tool, Complained> {
    let at = http.at;
    let target = http.value.read(at, reader)?;
    if target.method != Method::Get {
        let mend = "write `method: GET`, or make it a tool and use a `tool` node";
        return Err(reader.complain(at, "an `http` node only reads", mend));
    }
    let names = arguments.and_then(|arguments| arguments.as_object());
    let names = names.into_iter().flat_map(|arguments| arguments.keys().cloned());
    Ok(Tool::reading(name.clone(), names.collect(), target))
}

/// A value to set: CEL, or a number or a yes or no as it stands.
fn assigned(
    value: &Located<Value>,
    reader: &mut Reader<'_>,
) -> Result<Located<Expression>, Complained> {
    let source = match &value.value {
        Value::String(source) => source.clone(),
        Value::Number(_) | Value::Bool(_) | Value::Null => value.value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let text = "a list or an object cannot be set like this";
            return Err(reader.complain(
                value.at,
                text,
                "write it as CEL in quotes, like `\"[1]\"`",
            ));
        }
    };
    expression(&Located { value: source, at: value.at }, reader)
}

fn expression(
    written: &Located<String>,
    reader: &mut Reader<'_>,
) -> Result<Located<Expression>, Complained> {
    let mend = "write CEL over `input` and `state`, like `state.rounds < 3`";
    match Expression::compile(written) {
        Ok(value) => Ok(Located { value, at: written.at }),
        Err(error) => Err(refuse_cel("the expression", written, &error, mend, reader)),
    }
}
