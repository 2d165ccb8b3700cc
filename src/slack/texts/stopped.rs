//! To the requester: why an agent stopped for good.

use crate::agent::Stopped;
use crate::slack::escape;

/// What was done before a stop is no secret and no failure.
const KEPT: &str = "What was approved and done before stays done and is in the record.";
const GO_ON: &str = "Write again if it should go on.";

/// A run was stopped: by its budget, or because its model will not or may not answer.
pub fn run_stopped(agent: &str, stopped: &Stopped) -> String {
    let (why, then) = match stopped {
        Stopped::Steps { limit } => {
            (format!("it took {limit} steps without coming to an end"), GO_ON)
        }
        Stopped::Tokens { limit } => {
            (format!("it used the {limit} tokens that one request may use"), GO_ON)
        }
        Stopped::Cost { limit } => {
            (format!("it cost the {limit} that one request may cost"), GO_ON)
        }
        Stopped::Approvals => {
            ("it asked people for approval as often as one request may".to_owned(), GO_ON)
        }
        Stopped::TooLong { .. } => (
            "the answer of its model is too long and was cut off".to_owned(),
            "Nothing of that answer was used. Please ask for less at once.",
        ),
        Stopped::Declined { .. } => (
            "its model declines to answer this".to_owned(),
            "Nothing of that answer was used. You can put it in other words.",
        ),
        Stopped::Refused { .. } => (
            "the provider of its model refuses us".to_owned(),
            "That is for the person who runs Countersign to mend; the log says more.",
        ),
        Stopped::Shape { .. } => (
            "its answer did not have the form that it must have, even when asked again".to_owned(),
            "Nothing of that answer was used. You can write again.",
        ),
    };
    format!("The agent {} stopped: {why}. {KEPT} {then}", escape::name(agent))
}

/// The model of a run could not be reached for too long.
pub fn model_away(agent: &str) -> String {
    format!(
        "The agent {} stopped: its model cannot be reached. {KEPT} Please try again later.",
        escape::name(agent)
    )
}

/// For most of an hour Slack could not say who wrote.
pub fn requester_unknown(agent: &str) -> String {
    format!(
        "The agent {} did not begin: Slack could not tell me who you are. Nothing was done. Please \
         write again.",
        escape::name(agent)
    )
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::agent::Money;

    #[test]
    fn each_end_says_why_and_what_the_requester_can_do() {
        let why = || "internals".to_owned();
        let cost = Money::from_units(0.5).expect("an amount");
        let said = [
            Stopped::Steps { limit: NonZeroU32::new(7).expect("7") },
            Stopped::Tokens { limit: 900 },
            Stopped::Cost { limit: cost },
            Stopped::Approvals,
            Stopped::TooLong { why: why() },
            Stopped::Declined { why: why() },
            Stopped::Refused { why: why() },
            Stopped::Shape { why: why() },
        ]
        .map(|stopped| run_stopped("ops", &stopped).replace(KEPT, "…"));
        insta::assert_snapshot!(said.join("\n"), @r"
        The agent ops stopped: it took 7 steps without coming to an end. … Write again if it should go on.
        The agent ops stopped: it used the 900 tokens that one request may use. … Write again if it should go on.
        The agent ops stopped: it cost the 0.50 that one request may cost. … Write again if it should go on.
        The agent ops stopped: it asked people for approval as often as one request may. … Write again if it should go on.
        The agent ops stopped: the answer of its model is too long and was cut off. … Nothing of that answer was used. Please ask for less at once.
        The agent ops stopped: its model declines to answer this. … Nothing of that answer was used. You can put it in other words.
        The agent ops stopped: the provider of its model refuses us. … That is for the person who runs Countersign to mend; the log says more.
        The agent ops stopped: its answer did not have the form that it must have, even when asked again. … Nothing of that answer was used. You can write again.
        ");
    }
}
