//! `limits:` how much one run may use.

use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

use crate::agent::{Budget, Money};
use crate::config::reading::{Complained, Located, Reader};

/// An upper bound for the runs of every agent that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many supersteps one run may take before it is stopped.
    pub recursion: NonZeroU32,
    pub budget: Budget,
}

const RECURSION: NonZeroU32 = NonZeroU32::new(50).expect("50 is not zero");

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Section {
    recursion: Option<NonZeroU32>,
    steps: Option<NonZeroU32>,
    tokens: Option<NonZeroU64>,
    cost: Option<Located<f64>>,
    approvals: Option<u32>,
}

/// What is left out is as the section above it has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BudgetSection {
    steps: Option<NonZeroU32>,
    tokens: Option<NonZeroU64>,
    cost: Option<Located<f64>>,
    approvals: Option<u32>,
}

impl Section {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<Limits, Complained> {
        let Self { recursion, steps, tokens, cost, approvals } = self;
        let budget = BudgetSection { steps, tokens, cost, approvals };
        let budget = budget.read(Budget::default(), reader)?;
        Ok(Limits { recursion: recursion.unwrap_or(RECURSION), budget })
    }
}

impl BudgetSection {
    pub(super) fn read(
        self,
        general: Budget,
        reader: &mut Reader<'_>,
    ) -> Result<Budget, Complained> {
        let cost = self.cost.map(|cost| match Money::from_units(cost.value) {
            Some(amount) if amount > Money::default() => Ok(amount),
            Some(_) | None => Err(reader.complain(
                cost.at,
                "the cost is no amount of money",
                "write it in the currency of your prices, like `0.50`",
            )),
        });
        Ok(Budget {
            steps: self.steps.unwrap_or(general.steps),
            tokens: self.tokens.map(NonZeroU64::get).or(general.tokens),
            cost: cost.transpose()?.or(general.cost),
            approvals: self.approvals.or(general.approvals),
        })
    }
}
