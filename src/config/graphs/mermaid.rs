//! A graph as a Mermaid flowchart.

use std::collections::VecDeque;
use std::fmt::Write;

use super::{END, Graph, Node, Pass, START, Step};

/// How much of an expression stands on an edge, in characters.
const LONGEST_LABEL: usize = 60;

impl Graph {
    /// The flowchart's text. The same graph gives the same text.
    pub fn mermaid(&self) -> String {
        let order = self.drawing_order();
        // Names of nodes may be words of Mermaid's own, so they stand in labels only.
        let id = |name: &str| match order.iter().position(|node| node.name.value == name) {
            Some(place) => format!("n{place}"),
            None => "finish".to_owned(),
        };
        let mut text = format!("flowchart TD\n    begin([{START}]) --> {}\n", id(&self.start));
        for node in &order {
            let _ = writeln!(text, "    {}{}", id(&node.name), node.shape());
        }
        let _ = writeln!(text, "    finish([{END}])");
        for node in &order {
            for exit in node.exits() {
                let _ =
                    writeln!(text, "    {} {} {}", id(&node.name), arrow(&exit.pass), id(exit.to));
            }
        }
        text
    }

    /// Nodes as they are met from the start, and then those that never are.
    fn drawing_order(&self) -> Vec<&Node> {
        let mut order: Vec<&Node> = Vec::new();
        let mut next = VecDeque::from([&self.start.value]);
        while let Some(node) = next.pop_front().and_then(|name| self.nodes.get(name)) {
            if order.iter().all(|known| known.name != node.name) {
                next.extend(node.exits().iter().map(|exit| &exit.to.value));
                order.push(node);
            }
            // What leads to the end or to nowhere is no node.
            while next.front().is_some_and(|name| !self.nodes.contains_key(*name)) {
                next.pop_front();
            }
        }
        for node in self.nodes.values() {
            if order.iter().all(|known| known.name != node.name) {
                order.push(node);
            }
        }
        order
    }
}

impl Node {
    /// Its box, which shows its kind.
    fn shape(&self) -> String {
        let name = quoted(&self.name);
        match &self.step {
            Step::Agent { agent, .. } => format!("[\"{name}<br/>agent {}\"]", quoted(agent)),
            Step::Tool { tool, .. } => format!("[[\"{name}<br/>tool {}\"]]", quoted(tool)),
            Step::Approval { of, .. } => {
                format!("{{{{\"{name}<br/>people approve {}\"}}}}", quoted(of))
            }
            Step::Set { values, .. } => {
                let keys: Vec<_> = values.iter().map(|(key, _)| quoted(key)).collect();
                format!("[/\"{name}<br/>sets {}\"/]", keys.join(", "))
            }
            Step::Branch { .. } => format!("{{\"{name}\"}}"),
            Step::Graph { graph, .. } => format!("[[\"{name}<br/>graph {}\"]]", quoted(graph)),
            Step::Message { .. } => format!(">\"{name}<br/>tells the requester\"]"),
        }
    }
}

fn arrow(pass: &Pass<'_>) -> String {
    match pass {
        Pass::Always => "-->".to_owned(),
        Pass::Approved => "-->|approved|".to_owned(),
        Pass::Succeeded => "-->|succeeded|".to_owned(),
        Pass::Otherwise => "-.->|otherwise|".to_owned(),
        Pass::When(source) => {
            let short: String = source.chars().take(LONGEST_LABEL).collect();
            let dots = if short.len() < source.len() { "…" } else { "" };
            format!("-->|\"{}{dots}\"|", quoted(&short))
        }
    }
}

/// A text inside Mermaid's quotes, in which nothing is markup.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' | ';' => {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted
}
