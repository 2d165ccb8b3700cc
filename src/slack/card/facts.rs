//! Who asks, by which rule, who may decide, until when, and what happens then.

use serde_json::Value;

use super::CardView;
use super::block::{Prose, context};
use super::lines::Detail;
use super::people::{approvers, channel, person, requester};
use crate::approval::{Choice, Digest, ReasonRule, Risk, Separation};
use crate::slack::escape;
use crate::slack::texts::{self, Escalation};

/// Names from the configuration that are longer than this are cut on an abridged card.
const NAME: usize = 100;

/// Who asked, on whose behalf and by which rule.
pub fn origin(view: &CardView<'_>, missing: &[&str], detail: Detail) -> Value {
    let envelope = view.sealed.envelope();
    let mut prose = requester(Prose::default().line("Asked by"), &view.request.requester, detail);
    prose = prose.text(" on ").date(view.request.asked_at);
    if let Some(agent) = &envelope.agent {
        prose = prose.line("Agent:").text(&name(agent, detail));
        if let Some(node) = &envelope.node {
            prose = prose.text(", step ").text(&name(node, detail));
        }
    }
    prose = prose.line("Rule:").text(&name(&envelope.policy.rule, detail));
    prose = prose.line("Risk:").text(risk(envelope.risk));
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|path| name(path, detail)).collect();
        prose = prose.line("Not given:").text(&missing.join(", "));
    }
    if let Some(because) = view.because {
        prose = prose.line("Note:").text(&texts::condition_failed(because));
    }
    prose.block()
}

/// While it is open: who may decide, how far they are, and what time will bring.
pub fn waiting(view: &CardView<'_>, stage: usize, detail: Detail) -> Value {
    let request = view.request;
    let mut prose = Prose::default();
    if stage > 0 {
        prose = escalation(prose.line("Why it is here:"), view, stage, detail);
    }
    for reached in 0..=request.stage.min(request.terms.path.len().saturating_sub(1)) {
        let quorum = request.terms.path.get(reached).map_or(1, |stage| stage.quorum);
        let approved = request
            .votes
            .iter()
            .filter(|vote| vote.choice == Choice::Approve && vote.stages.contains(&reached))
            .count();
        prose = prose.line(if reached == 0 { "Who may decide:" } else { "Also:" }).text(
            &texts::who_may_decide(
                &approvers(view, reached, detail),
                &channel(view, reached, detail),
                quorum,
                approved,
            ),
        );
    }
    prose = match request.terms.separation {
        Separation::Required => prose.text(texts::not_the_requester()),
        Separation::Waived => prose.line("Attention:").text(texts::separation_waived()),
    };
    if request.terms.reason == ReasonRule::Required {
        prose = prose.text(texts::reason_needed());
    }
    for vote in &request.votes {
        let said = match vote.choice {
            Choice::Approve => "Approved by",
            Choice::Reject => "Rejected by",
        };
        prose = person(prose.line(said), &vote.by, detail).text(" on ").date(vote.at);
    }
    let next = request.stage + 1;
    if next < request.terms.path.len() {
        prose = prose.line("If nobody decides").text("by ").date(request.stage_ends(request.stage));
        prose = prose.text(&texts::then_escalates(
            &approvers(view, next, detail),
            &channel(view, next, detail),
        ));
    } else {
        prose = prose.line("If nobody decides").text("the time is over on ");
    }
    prose = prose.date(request.decide_by()).text(texts::then_expires());
    prose = prose.line("Once approved").text(&texts::must_start_within(request.terms.valid_for));
    if let Some(why) = view.undeliverable {
        prose = prose.line("Attention:").text(&texts::not_shown(why));
    }
    prose.block()
}

/// Why a stage from one on was asked: adds who had it before, and since when.
pub fn escalation(prose: Prose, view: &CardView<'_>, stage: usize, detail: Detail) -> Prose {
    let request = view.request;
    let before = stage - 1;
    let early = stage == request.stage && request.stage_since < request.stage_ends(before);
    let why = if early { Escalation::NotShown } else { Escalation::NotDecided };
    let (who, place) = (approvers(view, before, detail), channel(view, before, detail));
    let asked_at = if before == 0 { request.asked_at } else { request.stage_ends(before - 1) };
    prose.text(&texts::escalated_from(why, &who, &place)).date(asked_at).text(".")
}

/// The small print: what ties this card to the bytes that will run.
pub fn fingerprint(view: &CardView<'_>) -> Value {
    let envelope = view.sealed.envelope();
    let version = |hash: &str| name(hash.get(..12).unwrap_or(hash), Detail::Abridged);
    context(&format!(
        "Fingerprint {}\nSHA-256 {}\n{} · {} · tool version {} · schema {} · policy {} · {}",
        short(view.sealed.digest()),
        view.sealed.digest(),
        name(view.request.id.as_str(), Detail::Abridged),
        name(envelope.action.as_str(), Detail::Abridged),
        version(&envelope.tool.version),
        version(&envelope.tool.schema_hash),
        version(&envelope.policy.digest),
        texts::retry_class(envelope.tool.retry),
    ))
}

/// Four groups of hex digits that two people can compare by reading them out.
pub fn short(digest: Digest) -> String {
    let hex = digest.to_string();
    let groups: Vec<&str> =
        hex.as_bytes()[..16].chunks(4).filter_map(|g| str::from_utf8(g).ok()).collect();
    groups.join("-")
}

pub fn name(text: &str, detail: Detail) -> String {
    match detail {
        Detail::Whole => escape::name(text),
        Detail::Abridged if escape::length(&escape::name(text)) <= NAME => escape::name(text),
        Detail::Abridged => escape::clipped(text, NAME),
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Normal => "normal",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}
