//! What people see of a card in each state, and the promises every card keeps.

mod attacks;
mod dialogs;
mod every_state;
mod limits;
mod promises;
mod snapshots;
mod status_lines;

use super::samples::Story;

/// The digest changes with every change of the envelope's form; what is around it should not.
fn without_digest(story: &Story, text: &str) -> String {
    let digest = story.sealed.digest();
    text.replace(&super::facts::short(digest), "<fingerprint>")
        .replace(&digest.to_string(), "<digest>")
}
