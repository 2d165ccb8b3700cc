//! The action itself: what it is called with, where and as whom it runs.

use serde_json::{Value, json};

use super::block::{heading, preformatted};
use super::lines::{Detail, Leaf, leaves};
use super::{CardView, limits, read_back};
use crate::approval::Envelope;
use crate::slack::escape;

/// `block_id`s of the blocks that hold arguments begin with one of these.
const PINNED: &str = "pinned";
const OTHERS: &str = "arguments";
const SETTING: &str = "setting";
/// How many leaves an abridged list shows: of the pinned, and at both ends of the others.
const MOST_PINNED: usize = 8;
const MOST_FIRST: usize = 10;
const MOST_LAST: usize = 4;

/// The arguments in two parts: pinned by the tool's configuration, and all others.
#[derive(Debug)]
pub struct Arguments<'a> {
    pub pinned: Vec<Leaf<'a>>,
    others: Vec<Leaf<'a>>,
    /// Paths to be pinned that the action does not have.
    pub missing: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    pub fn of(view: &CardView<'a>) -> Self {
        let mut others = leaves(&view.sealed.envelope().arguments);
        let mut pinned = Vec::new();
        let mut missing = Vec::new();
        for path in view.show {
            let (under, rest): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|leaf| leaf.is_under(path));
            others = rest;
            if under.is_empty() && !pinned.iter().any(|leaf: &Leaf<'_>| leaf.is_under(path)) {
                missing.push(path.as_str());
            }
            pinned.extend(under);
        }
        Self { pinned, others, missing }
    }

    /// What stands on top.
    pub fn pinned_blocks(&self, detail: Detail) -> Vec<Value> {
        blocks(PINNED, lines(&self.pinned, detail, MOST_PINNED, 0))
    }

    /// Everything else; nothing when all is pinned.
    pub fn other_blocks(&self, detail: Detail) -> Vec<Value> {
        if self.others.is_empty() {
            return Vec::new();
        }
        let label = if self.pinned.is_empty() { "Every argument" } else { "All other arguments" };
        let mut blocks = blocks(OTHERS, lines(&self.others, detail, MOST_FIRST, MOST_LAST));
        blocks.insert(0, heading(label));
        blocks
    }
}

/// Where and as whom it runs, in the same exact form as the arguments.
pub fn setting_blocks(envelope: &Envelope, detail: Detail) -> Vec<Value> {
    let setting = setting(envelope);
    let mut leaves = leaves(&setting);
    // Where it acts comes before as whom; reading back does not depend on the order.
    leaves.sort_by_key(|leaf| !leaf.is_under("target"));
    blocks(SETTING, lines(&leaves, detail, MOST_FIRST, MOST_LAST))
}

fn setting(envelope: &Envelope) -> Value {
    let mut setting = json!({ "target": envelope.target, "credential": envelope.credential });
    if let Some(cwd) = &envelope.cwd {
        setting["directory"] = json!(cwd);
    }
    if !envelope.environment.is_empty() {
        setting["environment"] = json!(envelope.environment);
    }
    setting
}

/// Can the arguments and the setting be read back, exactly, from these blocks?
pub fn is_whole(blocks: &[Value], envelope: &Envelope) -> bool {
    let same = |read: Option<Value>, stored: &Value| match (read, canonical(stored)) {
        (Some(read), Some(stored)) => canonical(&read) == Some(stored),
        (None, _) | (_, None) => false,
    };
    same(arguments_shown(blocks), &envelope.arguments)
        && same(read_back::value(&shown(blocks, &[SETTING])), &setting(envelope))
}

/// The arguments that these blocks show, if they show them whole.
pub fn arguments_shown(blocks: &[Value]) -> Option<Value> {
    read_back::value(&shown(blocks, &[PINNED, OTHERS]))
}

fn canonical(value: &Value) -> Option<String> {
    serde_json_canonicalizer::to_string(value).ok()
}

fn shown(blocks: &[Value], kinds: &[&str]) -> String {
    let of_kind = |block: &&Value| {
        let id = block["block_id"].as_str().and_then(|id| id.split_once('-'));
        id.is_some_and(|(kind, _)| kinds.contains(&kind))
    };
    let texts = blocks
        .iter()
        .filter(of_kind)
        .filter_map(|block| block["elements"][0]["elements"][0]["text"].as_str());
    texts.collect::<Vec<_>>().join("\n")
}

fn lines(leaves: &[Leaf<'_>], detail: Detail, first: usize, last: usize) -> Vec<String> {
    if detail == Detail::Whole || leaves.len() <= first + last {
        return leaves.iter().map(|leaf| leaf.line(detail)).collect();
    }
    let (head, rest) = leaves.split_at(first);
    let (left_out, tail) = rest.split_at(rest.len() - last);
    let mut lines: Vec<String> = head.iter().map(|leaf| leaf.line(detail)).collect();
    lines.push(format!("… {} more …", left_out.len()));
    lines.extend(tail.iter().map(|leaf| leaf.line(detail)));
    lines
}

/// Display lines in as few preformatted blocks as hold them.
fn blocks(kind: &str, lines: Vec<String>) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines.iter().flat_map(|line| line.split('\n')) {
        match texts.last_mut() {
            Some(text) if escape::length(text) + escape::length(line) < limits::PREFORMATTED => {
                text.push('\n');
                text.push_str(line);
            }
            _ => texts.push(line.to_owned()),
        }
    }
    let block = |(n, text): (usize, &String)| preformatted(&format!("{kind}-{n}"), text);
    texts.iter().enumerate().map(block).collect()
}
