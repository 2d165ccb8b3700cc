//! Cards and status lines as people read them.

use crate::approval::{DecidedBy, ExecutionState, Outcome};
use crate::slack::card::samples::{Story, jonas, person};
use crate::slack::card::{as_text, stage_card, status_line};

fn card(story: &Story) -> String {
    as_text(&stage_card(&story.view(), 0))
}

fn line(story: &Story) -> String {
    as_text(&status_line(&story.view()))
}

#[test]
fn a_fresh_refund() {
    insta::assert_snapshot!(card(&Story::refund()), @"");
}
