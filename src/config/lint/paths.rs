//! Paths on which nobody can approve, or on which waiting makes approving easier.

use std::collections::BTreeSet;

use super::Findings;
use crate::approval::Separation;
use crate::config::{Ask, Config, Member, Members, Stage};

pub(super) fn check(findings: &mut Findings<'_>) {
    for ask in findings.config.asks() {
        for stage in &ask.path {
            approvers(stage, findings);
            reminders(stage, findings);
        }
        weaker_stages(ask, findings);
        single_approver(ask, findings);
    }
}

/// Those who could approve at a stage, when that can be told from the file alone: somebody behind
/// a user group cannot, nor can an unknown group, which is a finding of its own.
fn people<'a>(stage: &'a Stage, config: &'a Config) -> Option<BTreeSet<&'a str>> {
    let mut people = BTreeSet::new();
    for group in &stage.approvers {
        match &config.groups.get(&group.value)?.members {
            Members::SlackUsergroup(_) => return None,
            Members::Users(users) => people.extend(users.iter().map(|user| config.human(user))),
        }
    }
    Some(people)
}

impl Config {
    /// The name under `people` of whoever owns this account, or else the account itself.
    fn human<'a>(&'a self, member: &'a Member) -> &'a str {
        let account = match member {
            Member::Email(email) => return email,
            Member::User(account) => account,
        };
        let mut people = self.people.iter();
        let owner = people.find(|(_, person)| person.slack.iter().any(|own| own.value == *account));
        owner.map_or(account, |(name, _)| name)
    }
}

fn approvers(stage: &Stage, findings: &mut Findings<'_>) {
    let quorum = stage.quorum.value;
    let Some(people) = people(stage, findings.config) else {
        return;
    };
    if people.is_empty() {
        let text = "nobody can approve at this stage";
        findings.error(stage.at, text, "name a group with at least one person in it");
    } else if people.len() < quorum as usize {
        let count = people.len();
        let text = format!("{quorum} people must approve here, but only {count} can");
        findings.error(stage.quorum.at, text, "lower the quorum, or add people to the groups");
    }
}

fn reminders(stage: &Stage, findings: &mut Findings<'_>) {
    for remind in stage.remind.iter().filter(|remind| remind.value >= stage.within.value) {
        let text = format!(
            "the reminder after {} comes when the stage has ended, after {}",
            remind.value, stage.within.value
        );
        findings.error(remind.at, text, "remind earlier, or give the stage more time");
    }
}

/// Whoever can wait would otherwise get a request through with fewer voices.
fn weaker_stages(ask: &Ask, findings: &mut Findings<'_>) {
    let mut strongest = 0;
    for stage in &ask.path {
        let quorum = stage.quorum.value;
        if quorum < strongest {
            let text = format!(
                "this stage needs {quorum} to approve where an earlier one needs {strongest}, so \
                 waiting makes it easier"
            );
            findings.error(stage.quorum.at, text, format!("write `quorum: {strongest}` or more"));
        }
        strongest = strongest.max(quorum);
    }
}

fn single_approver(ask: &Ask, findings: &mut Findings<'_>) {
    if ask.separation == Separation::Waived {
        return;
    }
    let config = findings.config;
    let stages = ask.path.iter().map(|stage| people(stage, config));
    let Some(stages) = stages.collect::<Option<Vec<_>>>() else {
        return;
    };
    let everybody: BTreeSet<_> = stages.into_iter().flatten().collect();
    let mut everybody = everybody.into_iter();
    if let (Some(only), None) = (everybody.next(), everybody.next()) {
        let text = format!("only `{only}` can approve, so their own requests will always expire");
        findings.warning(ask.at, text, "add a second person to one of the stages");
    }
}
