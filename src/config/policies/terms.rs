//! From the file's words to the pure core's.

use super::{Ask, Otherwise, Rule, Stage, Then};
use crate::approval::{self, Approvers, Place, Policy};
use crate::config::Config;
use crate::config::reading::values;

impl Config {
    /// The rules as the pure core takes them.
    pub fn policy(&self) -> Policy {
        let otherwise = match &self.otherwise {
            Otherwise::Deny => None,
            Otherwise::Ask(ask) => Some(ask.terms()),
        };
        Policy::new(self.rules.iter().map(Rule::terms).collect(), otherwise)
    }
}

impl Rule {
    fn terms(&self) -> approval::Rule {
        approval::Rule {
            name: self.name.value.clone(),
            tools: values(&self.tools),
            agents: values(&self.agents),
            when: self.when.as_ref().map(|when| when.value.clone()),
            then: match &self.then {
                Then::Allow => approval::Then::Allow,
                Then::Deny { reason } => approval::Then::Deny { reason: reason.clone() },
                Then::Ask(ask) => approval::Then::Ask(ask.terms()),
            },
        }
    }
}

impl Ask {
    /// As the pure core takes it.
    pub fn terms(&self) -> approval::Ask {
        approval::Ask {
            path: self.path.iter().map(Stage::terms).collect(),
            reason: self.reason,
            separation: self.separation,
            valid_for: self.valid_for,
            risk: self.risk,
        }
    }
}

impl Stage {
    fn terms(&self) -> approval::Stage {
        let mut remind: Vec<_> = self.remind.iter().map(|after| after.value).collect();
        remind.sort_unstable();
        approval::Stage {
            approvers: Approvers(values(&self.approvers)),
            place: Place(self.place.value.clone()),
            quorum: self.quorum.value,
            within: self.within.value,
            remind,
        }
    }
}
