//! Walks through a graph, as pure questions about its edges.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One way from a node to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// From an approval to the call that was approved.
    Granted,
    Plain,
}

/// Everything that a walk of at least one edge from `from` can come to.
pub(super) fn reached<'a>(edges: &[Edge<'a>], from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(at) = next.pop() {
        for edge in edges.iter().filter(|edge| edge.from == at) {
            if reached.insert(edge.to) {
                next.push(edge.to);
            }
        }
    }
    reached
}

/// The shortest walk of at least one edge from `from` to `to` over edges that `may` allows, by the
/// names of its nodes.
pub(super) fn walk<'a>(
    edges: &[Edge<'a>],
    from: &'a str,
    to: &str,
    may: impl Fn(&Edge<'a>) -> bool,
) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &'a str> = BTreeMap::new();
    let mut next: VecDeque<&'a str> = VecDeque::from([from]);
    while let Some(at) = next.pop_front() {
        for edge in edges.iter().filter(|edge| edge.from == at && may(edge)) {
            if edge.to == to {
                let mut back = vec![edge.to, at];
                let mut at = at;
                while at != from {
                    at = came_from[at];
                    back.push(at);
                }
                back.reverse();
                return Some(back);
            }
            if edge.to != from && !came_from.contains_key(edge.to) {
                came_from.insert(edge.to, at);
                next.push_back(edge.to);
            }
        }
    }
    None
}

/// A walk to `call` on which nobody approved it: from the start, or from the call itself, since
/// an approval is used up by the call it was for.
pub(super) fn around_the_gate<'a>(
    edges: &[Edge<'a>],
    start: &'a str,
    call: &'a str,
) -> Option<Vec<&'a str>> {
    if !reached(edges, start).contains(call) {
        return None;
    }
    let ungranted = |edge: &Edge<'_>| !(edge.is == Is::Granted && edge.to == call);
    walk(edges, start, call, ungranted).or_else(|| walk(edges, call, call, ungranted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 6] = ["start", "a", "b", "c", "call", "gate"];

    /// Plain edges among the nodes, of which `gate` is an approval of `call`.
    fn graphs() -> impl Strategy<Value = Vec<Edge<'static>>> {
        let edge = (0..NAMES.len(), 1..NAMES.len());
        let edge =
            edge.prop_map(|(from, to)| Edge { from: NAMES[from], to: NAMES[to], is: Is::Plain });
        proptest::collection::vec(edge, 0..12).prop_map(|mut edges| {
            edges.push(Edge { from: "gate", to: "call", is: Is::Granted });
            edges
        })
    }

    /// Walks every way there is, carrying the approval as a token that a call uses up.
    fn brute_force(edges: &[Edge<'_>]) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![("start", false)];
        while let Some((at, approved)) = next.pop() {
            for edge in edges.iter().filter(|edge| edge.from == at) {
                let approved = approved && at != "call";
                // Any other step between the approval and its call would be after the call.
                let approved = (approved && edge.to != "call") || edge.is == Is::Granted;
                if edge.to == "call" && !approved {
                    return true;
                }
                if seen.insert((edge.to, approved)) {
                    next.push((edge.to, approved));
                }
            }
        }
        false
    }

    proptest! {
        #[test]
        fn the_way_around_a_gate_is_found_exactly_when_there_is_one(edges in graphs()) {
            let found = around_the_gate(&edges, "start", "call");
            prop_assert_eq!(found.is_some(), brute_force(&edges), "{:?} in {:?}", found, edges);
            if let Some(path) = found {
                prop_assert!(["start", "call"].contains(&path[0]));
                prop_assert_eq!(path.last(), Some(&"call"));
                for step in path.windows(2) {
                    let is_there = |edge: &Edge<'_>| edge.from == step[0] && edge.to == step[1];
                    prop_assert!(edges.iter().any(|e| is_there(e) && e.is == Is::Plain), "{step:?}");
                }
            }
        }

        #[test]
        fn what_is_reached_is_what_there_is_a_walk_to(edges in graphs()) {
            let reached = reached(&edges, "start");
            for name in NAMES {
                let walk = walk(&edges, "start", name, |_| true);
                prop_assert_eq!(reached.contains(name), walk.is_some(), "{}", name);
            }
        }
    }

    #[test]
    fn an_approval_is_used_up_by_its_call() {
        let plain = |from, to| Edge { from, to, is: Is::Plain };
        let granted = Edge { from: "gate", to: "call", is: Is::Granted };
        let table = [
            (vec![plain("start", "gate"), granted], None),
            (
                vec![plain("start", "gate"), granted, plain("start", "a"), plain("a", "call")],
                Some(vec!["start", "a", "call"]),
            ),
            (
                vec![plain("start", "gate"), granted, plain("call", "a"), plain("a", "call")],
                Some(vec!["call", "a", "call"]),
            ),
            // Not approved is not approved, even if it leads to the same call.
            (
                vec![plain("start", "gate"), granted, plain("gate", "call")],
                Some(vec!["start", "gate", "call"]),
            ),
            (vec![plain("start", "gate"), granted, plain("call", "gate")], None),
            // Nothing leads to where one could go around.
            (vec![plain("start", "gate"), granted, plain("a", "call")], None),
        ];
        for (edges, path) in table {
            assert_eq!(around_the_gate(&edges, "start", "call"), path, "{edges:?}");
        }
    }
}
