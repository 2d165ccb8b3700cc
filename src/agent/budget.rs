//! What one run may use, what it has used, and why it was stopped.
//!
//! What was used is a state key of the agent's graph, so that a restart does not give a run a new
//! purse. The approvals are counted where they are rows: by the store.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{ModelError, Reply};
use crate::graph::RunError;

/// How much one run may use. What is absent has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Answers of the model.
    pub steps: NonZeroU32,
    /// Tokens in and out together, as the providers count them.
    pub tokens: Option<u64>,
    pub cost: Option<Money>,
    /// Times that people are asked.
    pub approvals: Option<u32>,
}

impl Budget {
    pub const STEPS: NonZeroU32 = NonZeroU32::new(24).expect("24 is not zero");
    pub const APPROVALS: u32 = 12;
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: Self::STEPS, tokens: None, cost: None, approvals: Some(Self::APPROVALS) }
    }
}

/// An amount in millionths of the currency that the configured prices are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(u64);

impl Money {
    /// Rounded to a millionth. `None` for what is no amount: negative, infinite, too large.
    pub fn from_units(units: f64) -> Option<Self> {
        let is_amount = units.is_finite() && (0.0..=1e9).contains(&units);
        // At most 1e15, so it fits.
        is_amount.then(|| Self((units * 1e6).round() as u64))
    }

    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// At least two decimals, and no more than there are: `0.25`, `1.00`, `0.0132`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.0 % 1_000_000);
        let (shown, rest) = decimals.split_at(2);
        write!(f, "{}.{shown}{}", self.0 / 1_000_000, rest.trim_end_matches('0'))
    }
}

/// What a model's tokens cost, per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub input: Money,
    pub output: Money,
}

impl Price {
    /// Rounded up to a millionth: no answer is free because it was short.
    pub fn of(self, usage: Usage) -> Money {
        let of = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.0);
        let sum = of(usage.input_tokens, self.input) + of(usage.output_tokens, self.output);
        Money(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// Tokens as the provider counted them; zero where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

impl Usage {
    /// In and out together.
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// What a run has used so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The run that used it: a later run of the conversation starts at nothing.
    pub run: String,
    pub steps: u32,
    pub usage: Usage,
    pub cost: Money,
}

impl Spent {
    /// What `run` has used, from what the conversation remembers.
    pub fn of_run(run: &str, remembered: Option<Self>) -> Self {
        let fresh = || Self { run: run.to_owned(), ..Self::default() };
        remembered.filter(|spent| spent.run == run).unwrap_or_else(fresh)
    }

    #[must_use]
    pub fn with(mut self, reply: &Reply) -> Self {
        self.steps = self.steps.saturating_add(1);
        self.usage.input_tokens = self.usage.input_tokens.saturating_add(reply.usage.input_tokens);
        self.usage.output_tokens =
            self.usage.output_tokens.saturating_add(reply.usage.output_tokens);
        self.cost = self.cost.plus(reply.cost);
        self
    }

    /// Whether the model may be asked once more. The last answer may go beyond tokens and cost:
    /// how much it takes is known only afterwards.
    pub fn within(&self, budget: &Budget) -> Result<(), Stopped> {
        if self.steps >= budget.steps.get() {
            return Err(Stopped::Steps { limit: budget.steps });
        }
        if let Some(limit) = budget.tokens.filter(|&limit| self.usage.total() >= limit) {
            return Err(Stopped::Tokens { limit });
        }
        if let Some(limit) = budget.cost.filter(|&limit| self.cost >= limit) {
            return Err(Stopped::Cost { limit });
        }
        Ok(())
    }
}

/// Why a run was stopped for good. Trying again would not help; the requester is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("the run has used its {limit} steps")]
    Steps { limit: NonZeroU32 },
    #[error("the run has used its {limit} tokens")]
    Tokens { limit: u64 },
    #[error("the run has used its {limit} of money")]
    Cost { limit: Money },
    #[error("the run has asked people as often as it may")]
    Approvals,
    /// The answer was cut off by the model's limit, or is longer than we take.
    #[error("the model's answer is too long: {why}")]
    TooLong { why: String },
    /// The provider's filter, or the model itself.
    #[error("the model will not answer this: {why}")]
    Declined { why: String },
    /// The provider refuses us: a wrong key, an unknown model.
    #[error("the model's provider refuses: {why}")]
    Refused { why: String },
    /// Asked once to mend it, the model still did not give the answer its agent must give.
    #[error("the answer does not have the form it must have: {why}")]
    Shape { why: String },
}

impl Stopped {
    /// Why a run failed, if it is for good.
    pub fn of(error: &RunError) -> Option<Self> {
        let RunError::Node { source, .. } = error else { return None };
        if let Some(stopped) = source.downcast_ref::<Self>() {
            return Some(stopped.clone());
        }
        match source.downcast_ref::<ModelError>()?.clone() {
            ModelError::Refused { why } => Some(Self::Refused { why }),
            ModelError::Declined { why } => Some(Self::Declined { why }),
            ModelError::TooLong { why } => Some(Self::TooLong { why }),
            ModelError::Unavailable { .. } | ModelError::Malformed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Stop;

    fn units(units: f64) -> Money {
        Money::from_units(units).expect("an amount")
    }

    fn reply(input_tokens: u64, output_tokens: u64, cost: f64) -> Reply {
        let usage = Usage { input_tokens, output_tokens };
        let model = "main".to_owned();
        let cost = units(cost);
        Reply { model, text: String::new(), calls: Vec::new(), usage, cost, stop: Stop::Done }
    }

    #[test]
    fn a_price_is_per_million_and_rounded_up() {
        let price = Price { input: units(1.25), output: units(10.0) };
        let usage = Usage { input_tokens: 1000, output_tokens: 500 };
        assert_eq!(price.of(usage), units(0.00625));
        let one = Usage { input_tokens: 1, output_tokens: 0 };
        assert_eq!(price.of(one).to_string(), "0.000002");
        assert_eq!(price.of(Usage::default()), Money::default());
    }

    #[test]
    fn money_reads_as_people_write_it_and_what_is_none_is_refused() {
        for (amount, text) in [(0.25, "0.25"), (1.0, "1.00"), (0.0132, "0.0132"), (12.5, "12.50")] {
            assert_eq!(units(amount).to_string(), text);
        }
        for amount in [-0.01, f64::NAN, f64::INFINITY, 1e10] {
            assert_eq!(Money::from_units(amount), None, "{amount}");
        }
    }

    #[test]
    fn each_limit_stops_at_its_own_number_and_not_before() {
        let limits = Budget {
            steps: NonZeroU32::new(2).expect("2"),
            tokens: Some(100),
            cost: Some(units(0.5)),
            approvals: None,
        };
        let spent = Spent::of_run("run_1", None);
        assert_eq!(spent.within(&limits), Ok(()));
        assert_eq!(spent.clone().with(&reply(60, 39, 0.49)).within(&limits), Ok(()));
        for (replies, stopped) in [
            (vec![reply(1, 1, 0.0); 2], Stopped::Steps { limit: limits.steps }),
            (vec![reply(60, 40, 0.0)], Stopped::Tokens { limit: 100 }),
            (vec![reply(1, 1, 0.5)], Stopped::Cost { limit: units(0.5) }),
        ] {
            let spent = replies.iter().fold(spent.clone(), |spent, reply| spent.with(reply));
            assert_eq!(spent.within(&limits), Err(stopped));
        }
    }

    #[test]
    fn a_later_run_starts_at_nothing() {
        let spent = Spent::of_run("run_1", None).with(&reply(1, 1, 0.1));
        assert_eq!(Spent::of_run("run_1", Some(spent.clone())), spent);
        assert_eq!(Spent::of_run("run_2", Some(spent)).steps, 0);
    }
}
