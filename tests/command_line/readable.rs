//! Takes out of a text what differs from run to run.

use regex::Regex;

/// Patterns, and what is written instead. `$1` is the pattern's first group.
const VARYING: [(&str, &str); 9] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[time]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[time]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
    (r"/?(?:[\w.-]+/)+([\w.-]+\.(?:db|yaml|jsonl))", "$1"),
    (r"\b[0-9a-f]{64}\b", "[hash]"),
    (r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", "[fingerprint]"),
    (r"(version|schema|policy) [0-9a-f]{12}\b", "$1 [hash]"),
    (r#""(at|asked_at|decide_by)":\d{13}"#, r#""$1":[ms]"#),
    (r"is \d+ s from", "is [n] s from"),
];

/// Ids are numbered in the order in which they appear, so that it can be seen which are the same.
pub fn readable(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, instead) in VARYING {
        text = regex(pattern).replace_all(&text, instead).into_owned();
    }
    let mut seen: Vec<String> = Vec::new();
    regex(r"\b(req|run|act|exe|thr|per|tmr|crd)_[0-9a-f]{32}\b")
        .replace_all(&text, |found: &regex::Captures<'_>| {
            let (id, kind) = (found[0].to_owned(), &found[1]);
            if !seen.contains(&id) {
                seen.push(id.clone());
            }
            let same_kind = seen.iter().filter(|one| one.starts_with(kind));
            let nth = same_kind.take_while(|one| **one != id).count() + 1;
            format!("{kind}_[{nth}]")
        })
        .into_owned()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a good pattern")
}
