//! Where a node can lead to.

use super::{Graph, Node, Step};
use crate::config::reading::Located;

/// Where a graph begins, in the words of people.
pub(in crate::config) const START: &str = "start";
/// Where it ends. No node may be called so.
pub(in crate::config) const END: &str = "end";

/// One way out of a node.
#[derive(Clone, Debug)]
pub(in crate::config) struct Exit<'a> {
    pub(in crate::config) to: &'a Located<String>,
    pub(in crate::config) pass: Pass<'a>,
}

/// When a way is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Pass<'a> {
    Always,
    /// People approved the call of the node it leads to.
    Approved,
    Succeeded,
    /// The condition of a branch.
    When(&'a str),
    Otherwise,
}

impl Node {
    /// Its ways out, in the order in which they are tried.
    pub(in crate::config) fn exits(&self) -> Vec<Exit<'_>> {
        let exit = |to, pass| Exit { to, pass };
        match &self.step {
            Step::Agent { then, .. }
            | Step::Set { then, .. }
            | Step::Graph { then, .. }
            | Step::Message { then, .. } => vec![exit(then, Pass::Always)],
            Step::Tool { then, otherwise, .. } => {
                vec![exit(then, Pass::Succeeded), exit(otherwise, Pass::Otherwise)]
            }
            Step::Approval { of, otherwise, .. } => {
                vec![exit(of, Pass::Approved), exit(otherwise, Pass::Otherwise)]
            }
            Step::Branch { cases, otherwise } => {
                let cases =
                    cases.iter().map(|case| exit(&case.then, Pass::When(case.when.source())));
                cases.chain([exit(otherwise, Pass::Otherwise)]).collect()
            }
        }
    }
}

impl Graph {
    /// Every way there is: the node it starts at, none for the start, and the way itself.
    pub(in crate::config) fn ways(&self) -> impl Iterator<Item = (Option<&Node>, Exit<'_>)> {
        let start = (None, Exit { to: &self.start, pass: Pass::Always });
        let of_nodes = self.nodes.values();
        let of_nodes =
            of_nodes.flat_map(|n| n.exits().into_iter().map(move |exit| (Some(n), exit)));
        std::iter::once(start).chain(of_nodes)
    }
}
