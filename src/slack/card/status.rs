//! The live line in the requester's thread.

use super::block::{Prose, actions, button, confirming, styled};
use super::facts::{escalation, name};
use super::lines::Detail;
use super::people::{approvers, channel};
use super::{CardView, Completeness, Rendered, outcome};
use crate::approval::Unseen;
use crate::slack::{modal, texts};

/// Who has it, since when, what comes next, when it lapses and what happens then; in the end who
/// decided and what ran. Needs no arguments: the requester knows what they asked for.
pub fn status_line(view: &CardView<'_>, unseen: Option<&Unseen>) -> Rendered {
    let text = texts::status_fallback(view);
    let tool = name(&view.sealed.envelope().tool.name, Detail::Abridged);
    let mut blocks = Vec::new();
    match outcome::block(view, Detail::Abridged) {
        Some(ended) => {
            blocks.push(Prose::default().line(&tool).text(texts::status_word(view)).block());
            blocks.push(ended);
        }
        None => {
            let mut waits = waiting(view, &tool);
            // While nothing has failed it only waits for its turn; what was given up is said above.
            let failed = unseen.filter(|unseen| !unseen.given_up);
            if let Some(why) = failed.and_then(|unseen| unseen.why.as_deref()) {
                waits = waits.line("Attention:").text(&texts::not_shown_yet(why));
            }
            blocks.push(waits.block());
            if let Some(token) = view.buttons.withdraw.filter(|_| view.is_open()) {
                let withdraw = styled(button(modal::WITHDRAW, "Withdraw", token), "danger");
                let (title, question) = texts::confirm_withdraw();
                blocks.push(actions(vec![confirming(withdraw, title, question, "Withdraw")]));
            }
        }
    }
    Rendered::new(text, blocks, Completeness::Whole)
}

fn waiting(view: &CardView<'_>, tool: &str) -> Prose {
    let request = view.request;
    let detail = Detail::Abridged;
    let at = |stage| (approvers(view, stage, detail), channel(view, stage, detail));
    let (who, place) = at(request.stage);
    let mut prose = Prose::default().line(tool).text(&texts::waits_for(&who, &place));
    prose = prose.text(" since ").date(request.stage_since).text(".");
    if request.stage > 0 {
        prose = escalation(prose.line("Before:"), view, request.stage, detail);
    }
    let next = request.stage + 1;
    if next < request.terms.path.len() {
        let (who, place) = at(next);
        prose = prose.line("Next: on").date(request.stage_ends(request.stage));
        prose = prose.text(&texts::goes_to(&who, &place));
    }
    prose = prose.line("It ends on").date(request.decide_by()).text(texts::then_expires());
    if let Some(why) = view.undeliverable {
        prose = prose.line("Attention:").text(&texts::not_shown(why));
    }
    prose
}
