//! Who may decide, checked at the click against fresh facts.

use super::{PersonFacts, Refusal, Request};
use crate::base::RequestId;

/// For each reached stage: is this person among its approvers, as the directory says now?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership(pub Vec<bool>);

/// The right of one person to vote on one request. Only [`authorize`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    request: RequestId,
    person: PersonFacts,
    stages: Vec<usize>,
}

impl Authority {
    pub fn request(&self) -> &RequestId {
        &self.request
    }

    pub fn person(&self) -> &PersonFacts {
        &self.person
    }

    /// The reached stages this person belongs to, from zero; never empty.
    pub fn stages(&self) -> &[usize] {
        &self.stages
    }
}

/// Checks standing, separation and membership. Every doubt is a refusal.
pub fn authorize(
    request: &Request,
    person: PersonFacts,
    membership: &Membership,
) -> Result<Authority, Refusal> {
    todo!("{request:?} {person:?} {membership:?}")
}
