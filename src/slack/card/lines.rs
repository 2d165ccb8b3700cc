//! Values as lines that people can check: one line for each leaf, `customer.id = "cus_7"`.
//!
//! Texts stand in quotes and numbers are bare, so `"1"` is not `1`. Long texts are broken into
//! several lines between two visible units; remarks of ours follow an arrow outside the quotes.

use serde_json::Value;

use crate::slack::escape;

/// How a line is broken inside quotes: this and [`INDENT`] are layout, not content.
const WIDTH: usize = 120;
const INDENT: &str = "    ";
/// Abridged texts show this much of both ends.
const HEAD: usize = 60;
const TAIL: usize = 30;
const ABRIDGED_PATH: usize = 80;
/// Stands between a value and our remarks about it.
pub(super) const REMARK: &str = "  ← ";
/// The path of a value that has none: the whole.
pub(super) const ROOT: &str = "(all)";

/// How much of the action is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every byte.
    Whole,
    /// Heads, tails, lengths and hashes; never enough to approve.
    Abridged,
}

/// One value that has no parts, and where it stands.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    pub path: String,
    value: &'a Value,
}

/// The leaves of a value in the order of its canonical form.
pub fn leaves(value: &Value) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    collect(String::new(), value, &mut leaves);
    leaves
}

fn collect<'a>(path: String, value: &'a Value, leaves: &mut Vec<Leaf<'a>>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            // RFC 8785 orders keys by UTF-16 units.
            fields.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(format!("{path}{dot}{}", segment(key)), value, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect(format!("{path}[{index}]"), item, leaves);
            }
        }
        _ => {
            let path = if path.is_empty() { ROOT.to_owned() } else { path };
            leaves.push(Leaf { path, value });
        }
    }
}

/// A key as a path shows it: bare when it is a short plain word, else quoted.
fn segment(key: &str) -> String {
    if is_word(key) { key.to_owned() } else { format!("\"{}\"", escape::key_units(key).concat()) }
}

pub(super) fn is_word(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=40).contains(&key.len()) && key.bytes().all(plain)
}

impl Leaf<'_> {
    /// Is this leaf the one `path` names, or inside what it names?
    pub fn is_under(&self, path: &str) -> bool {
        self.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// The line, perhaps over several lines.
    pub fn line(&self, detail: Detail) -> String {
        let path = match detail {
            Detail::Whole => broken_path(&self.path),
            Detail::Abridged => abridged_path(&self.path),
        };
        let (value, mut notes) = match (self.value, detail) {
            (Value::String(text), Detail::Whole) => {
                (broken(&escape::units(text)), escape::notes(text))
            }
            (Value::String(text), Detail::Abridged) => (abridged(text), escape::notes(text)),
            (other, _) => (token(other), grouped(other).into_iter().collect()),
        };
        if detail == Detail::Abridged && value.contains(CUT) {
            notes.insert(0, "shortened".to_owned());
        }
        let remark =
            if notes.is_empty() { String::new() } else { format!("{REMARK}{}", notes.join("; ")) };
        format!("{path} = {value}{remark}")
    }

    /// `amount = 640`, when it needs no shortening and no warning; for one-line summaries. The only
    /// remark about a number is its digits in groups, which helps here too.
    pub fn brief(&self) -> Option<String> {
        let line = self.line(Detail::Whole);
        let plain = self.value.is_number() || !line.contains(REMARK);
        (!line.contains('\n') && plain).then_some(line)
    }
}

const CUT: &str = "\" … \"";

/// The canonical token of a number, `true`, `null`, `{}` or `[]`.
fn token(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| value.to_string())
}

/// Large whole numbers once more with their digits in groups: `1 250 000`.
fn grouped(value: &Value) -> Option<String> {
    let token = token(value);
    let digits = token.strip_prefix('-').unwrap_or(&token);
    if !value.is_number() || digits.len() < 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut groups: Vec<&str> =
        digits.as_bytes().rchunks(3).filter_map(|g| str::from_utf8(g).ok()).collect();
    groups.reverse();
    let sign = if token.starts_with('-') { "-" } else { "" };
    Some(format!("{sign}{}", groups.join(" ")))
}

/// A quoted text, broken after its own line feeds and wherever it gets too wide.
fn broken(units: &[String]) -> String {
    let mut written = String::from("\"");
    let mut column = 0;
    let mut due = false;
    for unit in units {
        let width = escape::length(unit);
        if due || column + width > WIDTH {
            end_visibly(&mut written);
            written.push('\n');
            written.push_str(INDENT);
            column = 0;
        }
        // A space at either end of a line would be invisible.
        let unit = if column == 0 && unit == " " { ONE_SPACE } else { unit };
        written.push_str(unit);
        column += width;
        due = unit == "\\n" || unit.ends_with(" newlines}");
    }
    written.push('"');
    written
}

const ONE_SPACE: &str = "\\{1 space}";

fn end_visibly(line: &mut String) {
    if line.ends_with(' ') {
        line.pop();
        line.push_str(ONE_SPACE);
    }
}

/// A path is broken only where it is so long that no block could hold it.
fn broken_path(path: &str) -> String {
    if escape::length(path) <= WIDTH * 4 {
        return path.to_owned();
    }
    let mut written = String::new();
    let mut rest = path;
    while let Some(start) = rest.find('"') {
        written.push_str(&rest[..start]);
        match escape::read_quoted(&rest[start..]) {
            Some((key, after)) => {
                written.push_str(&broken(&escape::key_units(&key)));
                rest = after;
            }
            None => break,
        }
    }
    written + rest
}

fn abridged(text: &str) -> String {
    let whole = escape::quoted(text);
    if escape::length(&whole) <= HEAD + TAIL + CUT.len() + 2 {
        return whole;
    }
    let units = escape::units(text);
    let head = fitting(units.iter(), HEAD).concat();
    let mut tail = fitting(units.iter().rev(), TAIL);
    tail.reverse();
    format!("\"{head}{CUT}{}\"", tail.concat())
}

fn fitting<'a>(units: impl Iterator<Item = &'a String>, most: usize) -> Vec<&'a str> {
    let mut length = 0;
    units
        .map(String::as_str)
        .take_while(|unit| {
            length += escape::length(unit);
            length <= most
        })
        .collect()
}

fn abridged_path(path: &str) -> String {
    if escape::length(path) <= ABRIDGED_PATH {
        return path.to_owned();
    }
    let head: String = path.chars().take(ABRIDGED_PATH / 4).collect();
    let length = path.chars().count();
    let tail: String = path.chars().skip(length - ABRIDGED_PATH / 4).collect();
    format!("{head} … {tail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole(value: &Value) -> Vec<String> {
        leaves(value).iter().map(|leaf| leaf.line(Detail::Whole)).collect()
    }

    #[test]
    fn each_leaf_has_its_line() {
        for (value, lines) in [
            (json!({ "amount": 640, "charge": "ch_1" }), vec!["amount = 640", "charge = \"ch_1\""]),
            (
                json!({ "a": "1", "b": 1, "c": null, "d": true }),
                vec!["a = \"1\"", "b = 1", "c = null", "d = true"],
            ),
            (
                json!({ "argv": ["rm", "-rf", "; true"] }),
                vec!["argv[0] = \"rm\"", "argv[1] = \"-rf\"", "argv[2] = \"; true\""],
            ),
            (json!({ "a": { "b": [{}, []] } }), vec!["a.b[0] = {}", "a.b[1] = []"]),
            (
                json!({ "a.b": 1, "a = 2": 3, "[0]": 4 }),
                vec!["\"[0]\" = 4", "\"a = 2\" = 3", "\"a.b\" = 1"],
            ),
            (
                json!({ "\u{5D0}": "\u{5D0}" }),
                vec!["\"\\u{5D0}\" = \"\u{5D0}\"  ← Hebrew letters, exact text defba94d"],
            ),
            (json!({}), vec!["(all) = {}"]),
            (json!("x"), vec!["(all) = \"x\""]),
            (
                json!({ "n": 1e21, "m": 1.0, "o": -0.5, "p": 1_250_000 }),
                vec!["m = 1", "n = 1e+21", "o = -0.5", "p = 1250000  ← 1 250 000"],
            ),
            (
                json!({ "u": "https://a.example/x" }),
                vec!["u = \"https://a.example/x\"  ← host a.example"],
            ),
            (
                json!({ "t": "one\ntwo \nthree\n" }),
                vec!["t = \"one\\n\n    two \\n\n    three\\n\""],
            ),
        ] {
            assert_eq!(whole(&value), lines);
        }
    }

    #[test]
    fn a_large_amount_is_brief_and_a_text_with_a_warning_is_not() {
        let value = json!({ "amount": 12_400, "letters": "\u{5D0}", "plain": "x" });
        let briefs: Vec<_> = leaves(&value).iter().map(Leaf::brief).collect();
        let expected = [Some("amount = 12400  ← 12 400"), None, Some("plain = \"x\"")];
        assert_eq!(briefs, expected.map(|brief| brief.map(str::to_owned)));
    }

    #[test]
    fn a_space_at_a_break_is_visible() {
        let line = |text: &str| broken(&escape::units(text));
        let text = format!("{}x yyyyy", "ab".repeat(WIDTH / 2 - 1));
        assert!(line(&text).contains("abx\\{1 space}\n    yyyyy"), "{text}");
        let text = format!("{} z", "xy".repeat(WIDTH / 2));
        assert!(line(&text).contains("xy\n    \\{1 space}z"), "{text}");
    }

    #[test]
    fn abridged_shows_both_ends_and_says_so() {
        let text = format!("{}{}{}", "start ", "middle ".repeat(100), "the end");
        let value = json!({ "note": text });
        let line = leaves(&value)[0].line(Detail::Abridged);
        assert!(line.starts_with("note = \"start middle"), "{line}");
        assert!(line.ends_with("the end\"  ← shortened; 713 characters"), "{line}");
    }
}
