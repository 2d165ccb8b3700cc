//! Agents whose limits or answers could not be kept.

use super::Findings;
use crate::agent::check_answer_schema;
use crate::config::{Agent, Mind};

pub(super) fn check(findings: &mut Findings<'_>) {
    for agent in findings.config.agents.values() {
        let Mind::Model { model, answer, .. } = &agent.mind else { continue };
        if let Some(answer) = answer
            && let Err(why) = check_answer_schema(answer)
        {
            findings.error(answer.at, why, "mend the schema; references must stay inside it");
        }
        cost(agent, model, findings);
    }
}

/// A limit in money means nothing to a model that has no price.
fn cost(agent: &Agent, model: &str, findings: &mut Findings<'_>) {
    let models = &findings.config.models;
    let Some(first) = models.get(model).filter(|_| agent.budget.cost.is_some()) else {
        return;
    };
    let others = first.fallback.iter().filter_map(|name| models.get(&name.value));
    let free: Vec<_> = std::iter::once(first).chain(others).filter(|m| !m.has_price()).collect();
    for model in free {
        let text = format!(
            "`{}` has a limit on its cost, but its model `{}` has no price",
            agent.name.value, model.name.value
        );
        let mend = "add `price: { input: …, output: … }` per million tokens, or remove the limit";
        findings.error(model.name.at, text, mend);
    }
}
