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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::sample::{NOON, approved, person, sealed_under, stage, terms, user};
    use crate::approval::{Choice, Vote, open};
    use crate::base::PersonId;

    /// Mia's refund, through an automation that Noor answers for: finance first, then managers.
    fn refund() -> Request {
        let terms = terms(vec![stage("finance", 2), stage("managers", 1)]);
        let (mut request, _) = open(&sealed_under(&terms), terms).unwrap();
        request.requester.owner = Some(PersonId::existing("noor"));
        request
    }

    fn asked(request: &Request, who: PersonFacts, member: &[bool]) -> Result<Vec<usize>, Refusal> {
        let authority = authorize(request, who, &Membership(member.to_vec()))?;
        assert_eq!((authority.request(), authority.version()), (&request.id, request.version));
        Ok(authority.stages().to_vec())
    }

    #[test]
    fn only_a_full_member_in_good_standing_decides() {
        let table = [
            (Standing::Member, Ok(vec![0])),
            (Standing::Guest, Err(Refusal::Guest)),
            (Standing::Deactivated, Err(Refusal::Deactivated)),
            (Standing::Bot, Err(Refusal::Bot)),
            (Standing::Outsider, Err(Refusal::Outsider)),
            (Standing::Unknown, Err(Refusal::UnknownPerson)),
            (Standing::Unreachable, Err(Refusal::DirectoryUnreachable)),
        ];
        for (standing, expected) in table {
            let who = PersonFacts { standing, ..person("jonas") };
            assert_eq!(asked(&refund(), who, &[true, true]), expected);
        }
    }

    /// What the directory did not say is a no, and so is a stage that nobody has reached yet.
    #[test]
    fn only_members_of_a_reached_stage_decide() {
        type MayDecide<'a> = Option<&'a [usize]>;
        let table: [(usize, &[bool], MayDecide<'_>); 9] = [
            (0, &[], None),
            (0, &[false], None),
            (0, &[false, true], None),
            (0, &[true, true], Some(&[0])),
            (1, &[], None),
            (1, &[true], Some(&[0])),
            (1, &[false, true], Some(&[1])),
            (1, &[true, true], Some(&[0, 1])),
            (1, &[false, false, true], None),
        ];
        for (stage, member, expected) in table {
            let request = Request { stage, ..refund() };
            let expected = expected.map(<[usize]>::to_vec).ok_or(Refusal::NotAnApprover);
            assert_eq!(asked(&request, person("jonas"), member), expected, "{stage} {member:?}");
        }
        // However the row came to say so, there is no third stage.
        let beyond = Request { stage: 7, ..refund() };
        let third = asked(&beyond, person("jonas"), &[false, false, true]);
        assert_eq!(third, Err(Refusal::NotAnApprover));
    }

    #[test]
    fn nobody_decides_on_what_they_asked_for_by_whatever_account() {
        let second_account = PersonFacts { user: user("mia-private"), ..person("mia") };
        for who in [person("mia"), second_account, person("noor")] {
            for stage in [0, 1] {
                let required = Request { stage, ..refund() };
                let refused = asked(&required, who.clone(), &[true, true]);
                assert_eq!(refused, Err(Refusal::OwnRequest), "{who:?}");
                let mut waived = required;
                waived.terms.separation = Separation::Waived;
                assert!(asked(&waived, who.clone(), &[true, true]).is_ok(), "{who:?}");
            }
        }
    }

    #[test]
    fn a_human_votes_once_by_whatever_account() {
        let mut request = refund();
        request.votes.push(Vote {
            by: person("jonas"),
            choice: Choice::Approve,
            reason: None,
            at: NOON,
            stages: vec![0],
        });
        let second_account = PersonFacts { user: user("jonas-private"), ..person("jonas") };
        for who in [person("jonas"), second_account] {
            let refused = asked(&request, who, &[true]);
            assert_eq!(refused, Err(Refusal::AlreadyVoted { choice: Choice::Approve }));
        }
        assert_eq!(asked(&request, person("lena"), &[true]), Ok(vec![0]));
    }

    #[test]
    fn whoever_comes_late_hears_how_it_ended() {
        let decision = approved(NOON, NOON);
        let ended = Request { decision: Some(decision.clone()), ..refund() };
        let over = Err(Refusal::AlreadyDecided { decision: Box::new(decision) });
        for who in [person("jonas"), person("mia"), person("eve")] {
            assert_eq!(asked(&ended, who, &[]), over);
        }
    }
}
