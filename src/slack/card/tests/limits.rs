//! E8: sizes swept over every limit; what Slack would refuse is never sent.

use serde_json::{Value, json};

use crate::slack::card::samples::Story;
use crate::slack::card::{Completeness, limits, stage_card};
use crate::slack::modal;

/// Where the card, and then the dialog, stops being able to show all of it.
fn edges(arguments: impl Fn(usize) -> Value, most: usize) -> (usize, usize) {
    let complete = |size| stage_card(&Story::of(arguments(size)).view(), 0).complete;
    let first = |wanted: fn(Completeness) -> bool| {
        let (mut low, mut high) = (1, most);
        while low < high {
            let middle = usize::midpoint(low, high);
            if wanted(complete(middle)) { high = middle } else { low = middle + 1 }
        }
        low
    };
    (first(|c| c != Completeness::Whole), first(|c| c == Completeness::TooBig))
}

fn keeps_every_limit(arguments: Value, claim: &str) {
    let story = Story::of(arguments).claiming(claim);
    let view = story.view();
    let card = stage_card(&view, 0);
    assert_eq!(limits::message(&card.text, &card.blocks), Vec::<String>::new());
    for dialog in [modal::approve(&view, "t"), modal::reject(&view, "t"), modal::show_all(&view, Some("t"))] {
        assert_eq!(limits::view(&dialog), Vec::<String>::new());
    }
}

#[test]
fn every_edge_is_kept_from_both_sides() {
    let shapes: [(&str, fn(usize) -> Value); 5] = [
        ("one long text", |n| json!({ "note": "ab".repeat(n) })),
        ("one long line of words", |n| json!({ "note": "word and ".repeat(n) })),
        ("many arguments", |n| json!(vec!["x"; n])),
        ("wide characters", |n| json!({ "note": "退款".repeat(n) })),
        ("hidden characters", |n| json!({ "note": "a\u{200B}".repeat(n) })),
    ];
    for (shape, arguments) in shapes {
        let (card, dialog) = edges(arguments, 150_000);
        assert!(100 < card && card < dialog && dialog < 150_000, "{shape}: {card} {dialog}");
        for edge in [card, dialog] {
            for size in edge - 1..=edge + 1 {
                keeps_every_limit(arguments(size), &"claim ".repeat(500));
            }
        }
    }
}

#[test]
fn block_edges_are_kept() {
    for size in [2899, 2900, 2901, 2999, 3000, 3001, 5799, 5800, 5801].map(|size| size / 2) {
        for off in 0..5 {
            keeps_every_limit(json!({ "note": "ab".repeat(size + off) }), "");
            keeps_every_limit(json!({ "k".repeat(size + off): "x" }), "");
            keeps_every_limit(json!({ "ab".repeat(size + off): { "cd".repeat(size): 1 } }), "");
        }
    }
}
