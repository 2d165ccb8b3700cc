//! Somebody who is to be forgotten: how they stand in what is stored, and what stands there instead.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::PersonId;

/// Under these names stands what models, tools, callers and people have written. An id in it says nothing
/// of who had a part, or anybody could have somebody else forgotten together with themselves.
const WRITTEN: [&str; 13] = [
    "answer",
    "arguments",
    "because",
    "call",
    "claim",
    "content",
    "cwd",
    "error",
    "name",
    "note",
    "reason",
    "target",
    "text",
];

/// What stands inside a value and was written by the desk.
fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(fields) => {
            let ours = fields.iter().filter(|(key, _)| !WRITTEN.contains(&key.as_str()));
            ours.map(|(_, value)| value).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// One human, by every id that the log has of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// `per_…`; several when the configuration has changed what it calls them.
    pub persons: BTreeSet<String>,
    /// `U…` or `W…`.
    pub accounts: BTreeSet<String>,
}

impl Who {
    /// Are they in a JSON text?
    pub(crate) fn is_in(&self, text: &str) -> bool {
        // Most have no word of them, and need not be read.
        let perhaps = self.persons.iter().chain(&self.accounts).any(|id| text.contains(id));
        perhaps && serde_json::from_str(text).is_ok_and(|value| self.are_in(&value))
    }

    fn are_in(&self, value: &Value) -> bool {
        let theirs = |text: &str| {
            let whole = self.persons.contains(text) || self.accounts.contains(text);
            whole || self.accounts.iter().any(|id| text.contains(&format!(":{id}:")))
        };
        value.as_str().is_some_and(theirs) || inside(value).into_iter().any(|one| self.are_in(one))
    }

    /// The name of a delivery without them: that of a click says who clicked.
    pub(crate) fn leave_key(&self, key: &str, pseudonym: &PersonId) -> String {
        let mut key = key.to_owned();
        for id in &self.accounts {
            let instead = self.instead_of(id, pseudonym).unwrap_or_default();
            key = key.replace(&format!(":{id}:"), &format!(":{instead}:"));
        }
        key
    }

    /// All of their ids.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.persons.union(&self.accounts).cloned().collect()
    }

    /// What stands in the place of one of their ids; nothing for anybody else's. Of several ids each has
    /// one of its own: two of them may have voted on the same request, or one of them asked for it.
    pub(crate) fn instead_of(&self, id: &str, pseudonym: &PersonId) -> Option<String> {
        [&self.persons, &self.accounts].into_iter().find_map(|ids| {
            let nth = ids.iter().position(|known| known == id)? + 1;
            Some(if ids.len() == 1 { pseudonym.to_string() } else { format!("{pseudonym}_{nth}") })
        })
    }

    pub(crate) fn is(&self, person: &str) -> bool {
        self.persons.contains(person)
    }

    /// The names that they are called by.
    pub(crate) fn names_in(&self, value: &Value) -> BTreeSet<String> {
        let theirs = value["person"].as_str().is_some_and(|person| self.is(person));
        let name = value["name"].as_str().filter(|name| theirs && !name.is_empty());
        let names = inside(value).into_iter().flat_map(|value| self.names_in(value));
        names.chain(name.map(str::to_owned)).collect()
    }

    /// Puts a pseudonym in the place of each id, and takes away their names and the reasons they gave.
    pub(crate) fn leave(&self, value: &mut Value, pseudonym: &PersonId) {
        match value {
            Value::Array(values) => {
                values.iter_mut().for_each(|value| self.leave(value, pseudonym))
            }
            Value::Object(fields) => {
                let named = |value: Option<&Value>, ids: &BTreeSet<String>| {
                    value.and_then(Value::as_str).is_some_and(|id| ids.contains(id))
                };
                if named(fields.get("person"), &self.persons) && fields.contains_key("name") {
                    fields.insert("name".to_owned(), Value::from(""));
                }
                if self.said(fields.get("by")) && fields.contains_key("reason") {
                    fields.insert("reason".to_owned(), Value::Null);
                }
                for (key, ids) in
                    [("person", &self.persons), ("owner", &self.persons), ("user", &self.accounts)]
                {
                    let id = fields.get(key).and_then(Value::as_str).filter(|id| ids.contains(*id));
                    if let Some(instead) = id.and_then(|id| self.instead_of(id, pseudonym)) {
                        fields.insert(key.to_owned(), instead.into());
                    }
                }
                if let Some(Value::String(key)) = fields.get_mut("delivery") {
                    *key = self.leave_key(key, pseudonym);
                }
                let ours = fields.iter_mut().filter(|(key, _)| !WRITTEN.contains(&key.as_str()));
                ours.for_each(|(_, value)| self.leave(value, pseudonym));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Is it they whose word a vote or a decision is?
    fn said(&self, by: Option<&Value>) -> bool {
        let person = |by: &Value| by.get("person").and_then(Value::as_str).map(str::to_owned);
        let by = by.map(|by| by.get("person").filter(|inner| inner.is_object()).unwrap_or(by));
        by.and_then(person).is_some_and(|person| self.is(&person))
    }
}

/// Which accounts the log knows each person by.
#[derive(Debug, Default)]
pub(crate) struct People(BTreeMap<String, BTreeSet<String>>);

impl People {
    pub(crate) fn take_in(&mut self, value: &Value) {
        if let (Some(person), Some(user)) =
            (value["person"].as_str(), value["user"]["user"].as_str())
        {
            self.0.entry(person.to_owned()).or_default().insert(user.to_owned());
        }
        inside(value).into_iter().for_each(|value| self.take_in(value));
    }

    /// The human that an id belongs to. An account that never had a part in a request is known by
    /// itself alone.
    pub(crate) fn who(&self, id: &str) -> Who {
        let mut who = Who::default();
        match id.starts_with("per_") {
            true => who.persons.insert(id.to_owned()),
            false => who.accounts.insert(id.to_owned()),
        };
        loop {
            let before = who.clone();
            for (person, accounts) in &self.0 {
                if who.persons.contains(person) || !who.accounts.is_disjoint(accounts) {
                    who.persons.insert(person.clone());
                    who.accounts.extend(accounts.iter().cloned());
                }
            }
            if who == before {
                return who;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(person: &str, user: &str, name: &str) -> Value {
        json!({
            "person": person, "name": name, "standing": "member",
            "user": { "team": "T1", "user": user, "enterprise": null },
        })
    }

    #[test]
    fn a_human_is_known_by_every_account_and_every_name_of_the_configuration() {
        let mut people = People::default();
        people.take_in(&json!({ "vote": { "by": facts("per_T1_U1", "U1", "Jo") } }));
        people.take_in(&json!([facts("per_jo", "U1", "Jo"), facts("per_jo", "U2", "Jo")]));
        people.take_in(&facts("per_T1_U3", "U3", "Mia"));
        for id in ["U1", "U2", "per_jo", "per_T1_U1"] {
            let who = people.who(id);
            assert_eq!(who.persons.len(), 2, "{id}: {who:?}");
            assert_eq!(who.accounts, ["U1", "U2"].map(str::to_owned).into(), "{id}");
        }
        assert_eq!(people.who("U9").persons.len(), 0);
    }

    #[test]
    fn what_others_have_written_says_nothing_of_who_they_are() {
        let mut people = People::default();
        people.take_in(&facts("per_mia", "U3", "Mia"));
        let eve = facts("per_mia", "U9", "Eve");
        for written in WRITTEN {
            people.take_in(&json!({ "envelope": { written: { "to": [eve] } } }));
        }
        let mia = people.who("per_mia");
        assert_eq!(mia.accounts, ["U3".to_owned()].into());
        for written in WRITTEN {
            for said in [json!("U3"), json!("to :U3:"), json!({ "user": "U3", "name": "Eve" })] {
                let mut said = json!([{ written: said, "person": "per_eve" }]);
                assert!(!mia.is_in(&said.to_string()), "{said}");
                let before = said.clone();
                mia.leave(&mut said, &PersonId::existing("per_gone"));
                assert_eq!(said, before);
            }
        }
    }

    #[test]
    fn their_ids_names_and_reasons_go_and_those_of_others_stay() {
        let (jo, mia) = (facts("per_jo", "U1", "Jo"), facts("per_mia", "U3", "Mia"));
        let who = Who { persons: ["per_jo".to_owned()].into(), accounts: ["U1".to_owned()].into() };
        let mut stored = json!({
            "votes": [{ "by": jo, "reason": "hm" }, { "by": mia, "reason": "fine" }],
            "decision": { "by": { "person": jo }, "reason": "hm" },
            "requester": { "person": "per_mia", "name": "Mia", "owner": "per_jo" },
            "user": { "team": "T1", "user": "U1" }, "text": "per_jo said so",
            "evidence": { "delivery": "click:T1:U1:C1:2.2:approve:3.3" },
        });
        assert_eq!(who.names_in(&stored), ["Jo".to_owned()].into());
        let gone = facts("per_gone", "per_gone", "");
        who.leave(&mut stored, &PersonId::existing("per_gone"));
        assert_eq!(
            stored,
            json!({
                "votes": [{ "by": gone, "reason": null }, { "by": mia, "reason": "fine" }],
                "decision": { "by": { "person": gone }, "reason": null },
                "requester": { "person": "per_mia", "name": "Mia", "owner": "per_gone" },
                "user": { "team": "T1", "user": "per_gone" }, "text": "per_jo said so",
                "evidence": { "delivery": "click:T1:per_gone:C1:2.2:approve:3.3" },
            })
        );
        assert!(!who.is_in(&stored.to_string()));
        assert!(who.names_in(&stored).is_empty());
    }

    #[test]
    fn each_of_several_ids_has_a_pseudonym_of_its_own() {
        let who = Who {
            persons: ["per_a", "per_b"].map(str::to_owned).into(),
            accounts: ["U1".to_owned()].into(),
        };
        let mut stored = json!([facts("per_a", "U1", "Jo"), facts("per_b", "U1", "Jo")]);
        who.leave(&mut stored, &PersonId::existing("per_gone"));
        let gone = ["per_gone_1", "per_gone_2"].map(|person| facts(person, "per_gone", ""));
        assert_eq!(stored, json!(gone));
    }
}
