//! The chain: what a record's hash is taken over.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::base::{Timestamp, WorkspaceId};

/// Sets these hashes apart from every other SHA-256 over the same bytes.
const DOMAIN: &str = "countersign.audit.v1\n";

/// What the first record of a workspace names as its predecessor.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One line of the log. Its JSON is what [`export`](super::export) writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    pub workspace: WorkspaceId,
    /// Gapless from 1 in each workspace.
    pub seq: u64,
    pub at: Timestamp,
    pub kind: String,
    /// The request, run or execution it is about.
    pub subject: String,
    /// Canonical JSON, kept as text: its bytes are hashed.
    pub body: String,
    pub prev_hash: String,
    pub hash: String,
    /// The record that says what was left of this body, if it was reduced: its hash is still that of
    /// what it said before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduced_by: Option<u64>,
}

impl Record {
    /// The hash that belongs to the other fields: SHA-256 over the domain tag and the JSON list
    /// `[workspace, seq, at, kind, subject, body, prev_hash]` without spaces, in hex.
    pub fn computed_hash(&self) -> String {
        let fields = (
            &self.workspace,
            self.seq,
            self.at,
            &self.kind,
            &self.subject,
            &self.body,
            &self.prev_hash,
        );
        // Texts and whole numbers always have a JSON form.
        let list = serde_json::to_vec(&fields).expect("texts and numbers are JSON");
        hash([DOMAIN.as_bytes(), &list].concat())
    }

    /// The hash of what is left of it, as the record that tells of it has it: SHA-256 over the JSON
    /// list `[seq, at, kind, subject, body]` without spaces, in hex. Its own hash cannot be computed
    /// any more, so this must cover what else it says.
    pub fn hash_of_rest(&self) -> String {
        let fields = (self.seq, self.at, &self.kind, &self.subject, &self.body);
        hash(serde_json::to_vec(&fields).expect("texts and numbers are JSON"))
    }
}

/// SHA-256 in hex.
pub(crate) fn hash(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            workspace: WorkspaceId::existing("T1"),
            seq: 1,
            at: Timestamp::from_millis(1_789_380_000_000),
            kind: "request.opened".to_owned(),
            subject: "req_1".to_owned(),
            body: r#"{"version":1}"#.to_owned(),
            prev_hash: GENESIS.to_owned(),
            hash: String::new(),
            reduced_by: None,
        }
    }

    /// The form is public: whoever checks an export in another language needs it to stay.
    #[test]
    fn the_hash_has_a_fixed_form() {
        assert_eq!(
            record().computed_hash(),
            "adaa0ad87ca605ce22384f53bf200c0d07fe2510bfe2a4ebead8310fe08ec25b"
        );
    }

    /// So does whoever checks what is left in one.
    #[test]
    fn the_hash_of_a_rest_has_a_fixed_form() {
        let list = r#"[1,1789380000000,"request.opened","req_1","{\"version\":1}"]"#;
        assert_eq!(record().hash_of_rest(), hash(list));
    }

    /// What a rest is bound to in the chain otherwise: its workspace and what it follows.
    #[test]
    fn every_field_of_a_rest_counts() {
        for change in &CHANGES[1..6] {
            let mut changed = record();
            change(&mut changed);
            assert_ne!(changed.hash_of_rest(), record().hash_of_rest(), "{changed:?}");
        }
    }

    const CHANGES: [fn(&mut Record); 7] = [
        |record| record.workspace = WorkspaceId::existing("T2"),
        |record| record.seq = 2,
        |record| record.at = Timestamp::from_millis(0),
        |record| record.kind.push('x'),
        |record| record.subject.push('x'),
        |record| record.body.push(' '),
        |record| record.prev_hash = record.computed_hash(),
    ];

    #[test]
    fn every_field_counts() {
        for (index, change) in CHANGES.iter().enumerate() {
            let mut changed = record();
            change(&mut changed);
            assert_ne!(changed.computed_hash(), record().computed_hash(), "change {index}");
        }
    }
}
