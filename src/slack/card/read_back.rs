//! Reads the values back from the lines that show them.
//!
//! A card may carry an approve button only when this gives exactly the stored arguments again: then
//! every byte of them was visible, whatever a mistake elsewhere might have left out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lines::{REMARK, ROOT, is_word};
use crate::slack::escape;

/// A value that is being put together from its leaves, in any order.
enum Tree {
    Leaf(Value),
    Object(BTreeMap<String, Tree>),
    Array(BTreeMap<usize, Tree>),
}

enum Segment {
    Key(String),
    Index(usize),
}

/// The value whose leaves these lines are; nothing when they do not add up to one.
pub fn value(lines: &str) -> Option<Value> {
    let mut tree = None;
    let mut rest = lines;
    while !rest.is_empty() {
        let (path, after) = path(rest)?;
        let (leaf, after) = leaf(after.strip_prefix(" = ")?)?;
        place(&mut tree, &path, leaf)?;
        let (remark, after) = after.split_once('\n').unwrap_or((after, ""));
        if !remark.is_empty() && !remark.starts_with(REMARK) {
            return None;
        }
        rest = after;
    }
    grown(tree?)
}

fn path(text: &str) -> Option<(Vec<Segment>, &str)> {
    if let Some(rest) = text.strip_prefix(ROOT) {
        return Some((Vec::new(), rest));
    }
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            path.push(Segment::Index(index.parse().ok()?));
            rest = after;
        } else if rest.starts_with('"') {
            let (key, after) = escape::read_quoted(rest)?;
            path.push(Segment::Key(key));
            rest = after;
        } else {
            let end = rest.find(['.', '[', ' ']).unwrap_or(rest.len());
            path.push(Segment::Key(rest.get(..end).filter(|key| is_word(key))?.to_owned()));
            rest = &rest[end..];
        }
        match rest.chars().next()? {
            '.' => rest = &rest[1..],
            '[' => {}
            _ => return Some((path, rest)),
        }
    }
}

fn leaf(text: &str) -> Option<(Value, &str)> {
    if text.starts_with('"') {
        let (text, rest) = escape::read_quoted(text)?;
        return Some((Value::String(text), rest));
    }
    let end = text.find([' ', '\n']).unwrap_or(text.len());
    let (token, rest) = text.split_at(end);
    Some((serde_json::from_str(token).ok()?, rest))
}

fn place(tree: &mut Option<Tree>, path: &[Segment], leaf: Value) -> Option<()> {
    let Some((segment, path)) = path.split_first() else {
        return tree.replace(Tree::Leaf(leaf)).is_none().then_some(());
    };
    let empty = || match segment {
        Segment::Key(_) => Tree::Object(BTreeMap::new()),
        Segment::Index(_) => Tree::Array(BTreeMap::new()),
    };
    let mut slot = match (tree.get_or_insert_with(empty), segment) {
        (Tree::Object(fields), Segment::Key(key)) => fields.remove(key),
        (Tree::Array(items), Segment::Index(index)) => items.remove(index),
        (Tree::Leaf(_) | Tree::Object(_) | Tree::Array(_), _) => return None,
    };
    place(&mut slot, path, leaf)?;
    match (tree, segment, slot?) {
        (Some(Tree::Object(fields)), Segment::Key(key), part) => {
            fields.insert(key.clone(), part);
        }
        (Some(Tree::Array(items)), Segment::Index(index), part) => {
            items.insert(*index, part);
        }
        _ => return None,
    }
    Some(())
}

fn grown(tree: Tree) -> Option<Value> {
    Some(match tree {
        Tree::Leaf(value) => value,
        Tree::Object(fields) => {
            let fields = fields.into_iter().map(|(key, part)| Some((key, grown(part)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
        Tree::Array(items) => {
            let items = items.into_iter().enumerate();
            let items =
                items.map(|(at, (index, part))| if at == index { grown(part) } else { None });
            Value::Array(items.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::lines::{Detail, leaves};
    use super::*;
    use crate::slack::card::samples::arguments;

    fn shown(value: &Value) -> String {
        leaves(value).iter().map(|leaf| leaf.line(Detail::Whole)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_does_not_add_up_reads_as_nothing() {
        for lines in [
            "",
            "a = ",
            "a = 1\na = 2",
            "a[0] = 1\na.b = 2",
            "a[1] = 1",
            "a = 1 and approved",
            "a = \"x\" … \"y\"",
            "a b = 1",
            "a = 1\na.b = 1",
        ] {
            assert_eq!(value(lines), None, "{lines}");
        }
        assert_eq!(value("b[1] = 2\nb[0] = {}"), Some(json!({ "b": [{}, 2] })));
    }

    proptest! {
        /// I8: equal lines mean equal arguments, because the arguments can be read from them.
        #[test]
        fn lines_read_back_as_the_value(arguments in arguments()) {
            prop_assert_eq!(value(&shown(&arguments)), Some(arguments));
        }
    }
}
