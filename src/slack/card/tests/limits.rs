//! E8: sizes swept over every limit; what Slack would refuse is never sent.

use std::ops::Range;

use serde_json::{Value, json};

use crate::slack::card::samples::Story;
use crate::slack::card::{Completeness, limits, stage_card};
use crate::slack::modal;

/// Arguments of some size, and between which sizes their edge lies.
type Shape = (fn(usize) -> Value, Range<usize>);

/// The first size in the range from which on something no longer fits.
fn edge(sizes: Range<usize>, fits: impl Fn(usize) -> bool) -> usize {
    assert!(fits(sizes.start) && !fits(sizes.end), "the edge is not within {sizes:?}");
    let Range { start: mut low, end: mut high } = sizes;
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    high
}

fn keeps_every_limit(arguments: Value, claim: &str) {
    let story = Story::of(arguments).claiming(claim);
    let view = story.view();
    let card = stage_card(&view, 0);
    assert_eq!(limits::message(&card.text, &card.blocks), Vec::<String>::new());
    for dialog in
        [modal::approve(&view, "t"), modal::reject(&view, "t"), modal::show_all(&view, Some("t"))]
    {
        assert_eq!(limits::view(&dialog), Vec::<String>::new());
    }
}

#[test]
fn the_edge_of_a_card_is_kept_from_both_sides() {
    let shapes: [fn(usize) -> Value; 5] = [
        |n| json!({ "note": "ab".repeat(n) }),
        |n| json!({ "note": "word and ".repeat(n) }),
        |n| json!(vec!["x"; n]),
        |n| json!({ "note": "退款".repeat(n) }),
        |n| json!({ "note": "a\u{200B}".repeat(n) }),
    ];
    for arguments in shapes {
        let edge = edge(100..8000, |size| {
            stage_card(&Story::of(arguments(size)).view(), 0).complete == Completeness::Whole
        });
        for size in edge - 1..=edge + 1 {
            keeps_every_limit(arguments(size), &"claim ".repeat(500));
        }
    }
}

#[test]
fn the_edge_of_the_dialog_is_kept_from_both_sides() {
    // The ranges only save time: in debug builds a dialog at its limit takes a second.
    let shapes: [Shape; 2] = [
        (|n| json!({ "note": "ab".repeat(n) }), 105_000..110_000),
        (|n| json!(vec!["x"; n]), 13_500..14_500),
    ];
    for (arguments, sizes) in shapes {
        let edge = edge(sizes, |size| {
            modal::reach(&Story::of(arguments(size)).view()) == Completeness::BehindShowAll
        });
        for size in edge - 1..=edge {
            let story = Story::of(arguments(size));
            let dialog = modal::show_all(&story.view(), Some("t"));
            assert_eq!(limits::view(&dialog), Vec::<String>::new());
            assert_eq!(dialog.get("submit").is_some(), size < edge, "{size}");
        }
    }
}

#[test]
fn the_edges_of_blocks_are_kept() {
    for size in [2899, 2900, 2901, 2999, 3000, 3001, 5799, 5800, 5801].map(|size| size / 2) {
        for off in 0..5 {
            keeps_every_limit(json!({ "note": "ab".repeat(size + off) }), "");
            keeps_every_limit(json!({ "k".repeat(size + off): "x" }), "");
            keeps_every_limit(json!({ "ab".repeat(size + off): { "cd".repeat(size): 1 } }), "");
        }
    }
}
