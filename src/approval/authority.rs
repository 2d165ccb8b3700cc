//! Who may decide, checked at the click against fresh facts.

use super::{PersonFacts, Refusal, Request, Separation, Standing};
use crate::base::RequestId;

/// For each stage of the path: is this person among its approvers, as the directory says now?
/// A stage that is missing here is a no.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership(pub Vec<bool>);

/// The right of one person to vote on one request. Only [`authorize`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    request: RequestId,
    version: u64,
    person: PersonFacts,
    stages: Vec<usize>,
}

impl Authority {
    pub fn request(&self) -> &RequestId {
        &self.request
    }

    /// The version of the request that the check was made against.
    pub fn version(&self) -> u64 {
        self.version
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
///
/// A request that has ended refuses first and with its decision, so that whoever comes late is
/// told the truth, whatever they may or may not do.
pub fn authorize(
    request: &Request,
    person: PersonFacts,
    membership: &Membership,
) -> Result<Authority, Refusal> {
    if let Some(decision) = &request.decision {
        return Err(Refusal::AlreadyDecided { decision: Box::new(decision.clone()) });
    }
    match person.standing {
        Standing::Member => {}
        Standing::Guest => return Err(Refusal::Guest),
        Standing::Deactivated => return Err(Refusal::Deactivated),
        Standing::Bot => return Err(Refusal::Bot),
        Standing::Outsider => return Err(Refusal::Outsider),
        Standing::Unknown => return Err(Refusal::UnknownPerson),
        Standing::Unreachable => return Err(Refusal::DirectoryUnreachable),
    }
    let requester = &request.requester;
    let behind_it =
        person.person == requester.person || requester.owner.as_ref() == Some(&person.person);
    if behind_it && request.terms.separation == Separation::Required {
        return Err(Refusal::OwnRequest);
    }
    let reached = request.stage + 1;
    let stages: Vec<usize> = (0..request.terms.path.len().min(reached))
        .filter(|&stage| membership.0.get(stage) == Some(&true))
        .collect();
    if stages.is_empty() {
        return Err(Refusal::NotAnApprover);
    }
    if let Some(vote) = request.votes.iter().find(|vote| vote.by.person == person.person) {
        return Err(Refusal::AlreadyVoted { choice: vote.choice });
    }
    Ok(Authority { request: request.id.clone(), version: request.version, person, stages })
}
