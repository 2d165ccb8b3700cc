//! The card in the approvers' channel.

use serde_json::Value;

use super::action::{Arguments, is_whole, setting_blocks};
use super::block::{actions, button, confirming, context, header, styled};
use super::lines::Detail;
use super::{CardView, Completeness, Rendered, claim, facts, outcome};
use crate::approval::ReasonRule;
use crate::slack::{escape, modal, texts};

/// The card of one stage (from zero): facts, arguments, buttons, and the agent's claim last.
pub fn stage_card(view: &CardView<'_>, stage: usize) -> Rendered {
    let text = texts::card_fallback(view, stage);
    let body = body(view, stage, Detail::Whole);
    let whole = with_controls(view, body, Completeness::Whole);
    let (mut blocks, complete) =
        if claim::leaves_room(&text, &whole) && is_whole(&whole, view.sealed.envelope()) {
            (whole, Completeness::Whole)
        } else {
            let complete = modal::reach(view);
            (with_controls(view, self::body(view, stage, Detail::Abridged), complete), complete)
        };
    if let Some(words) = view.claim {
        blocks.extend(claim::blocks(words));
    }
    Rendered::new(text, blocks, complete)
}

/// Everything authoritative: the same with and without a claim.
pub fn body(view: &CardView<'_>, stage: usize, detail: Detail) -> Vec<Value> {
    let arguments = Arguments::of(view);
    let mut blocks = vec![header(&texts::headline(view, stage))];
    blocks.extend(outcome::block(view, detail));
    blocks.extend(arguments.pinned_blocks(detail));
    blocks.extend(setting_blocks(view.sealed.envelope(), detail));
    blocks.push(facts::origin(view, &arguments.missing, detail));
    if view.request.is_pending() {
        blocks.push(facts::waiting(view, stage, detail));
    }
    blocks.extend(arguments.other_blocks(detail));
    blocks.push(facts::fingerprint(view));
    blocks
}

fn with_controls(
    view: &CardView<'_>,
    mut blocks: Vec<Value>,
    complete: Completeness,
) -> Vec<Value> {
    let mut buttons = Vec::new();
    if view.is_open() {
        if complete == Completeness::Whole {
            buttons.extend(view.buttons.approve.map(|token| approve_button(view, token)));
        }
        buttons.extend(view.buttons.reject.map(reject_button));
    }
    match complete {
        Completeness::Whole => {}
        Completeness::BehindShowAll => {
            blocks.push(context(texts::behind_show_all(view)));
            buttons.extend(view.buttons.show_all.map(show_all_button));
        }
        Completeness::TooBig => blocks.push(context(texts::too_big(view))),
    }
    if !buttons.is_empty() {
        blocks.push(actions(buttons));
    }
    blocks
}

/// Where a reason is needed the dialog for it is the second look; else Slack asks once more.
fn approve_button(view: &CardView<'_>, token: &str) -> Value {
    let button = styled(button(modal::APPROVE, "Approve", token), "primary");
    match view.request.terms.reason {
        ReasonRule::Required => button,
        ReasonRule::Optional => {
            let tool = texts::tool_name(view);
            confirming(button, &texts::confirm_title(&tool), &confirm_text(view, &tool), "Approve")
        }
    }
}

fn reject_button(token: &str) -> Value {
    styled(button(modal::REJECT, "Reject…", token), "danger")
}

fn show_all_button(token: &str) -> Value {
    button(modal::SHOW_ALL, "Show all", token)
}

/// The verb and as many whole pinned arguments as fit, and how many did not.
fn confirm_text(view: &CardView<'_>, tool: &str) -> String {
    let arguments = Arguments::of(view);
    let mut shown: Vec<String> = Vec::new();
    for brief in arguments.pinned.iter().map_while(|leaf| leaf.brief()) {
        shown.push(brief);
        let left_out = arguments.pinned.len() - shown.len();
        if escape::length(&texts::confirm(tool, &shown, left_out)) > super::limits::CONFIRM_TEXT {
            shown.pop();
            break;
        }
    }
    let text = texts::confirm(tool, &shown, arguments.pinned.len() - shown.len());
    if escape::length(&text) <= super::limits::CONFIRM_TEXT {
        text
    } else {
        texts::confirm("this action", &[], arguments.pinned.len())
    }
}
