//! People and groups on a card: a mention by id, and the directory's name beside it.

use super::CardView;
use super::block::Prose;
use super::facts::name;
use super::lines::Detail;
use crate::approval::{PersonFacts, Requester};

/// How many approvers are named.
const PEOPLE: usize = 8;

/// The id is what counts; a display name can be changed to anything.
pub fn person(prose: Prose, person: &PersonFacts, detail: Detail) -> Prose {
    prose.user(&person.user.user).text(&format!(" ({})", name(&person.name, detail)))
}

pub fn requester(prose: Prose, requester: &Requester, detail: Detail) -> Prose {
    let prose =
        prose.user(&requester.user.user).text(&format!(" ({})", name(&requester.name, detail)));
    match &requester.owner {
        Some(owner) => prose.text(&format!(", for {}", name(owner.as_str(), detail))),
        None => prose,
    }
}

/// Who may decide at a stage: the groups of the terms, and who is in them: `finance (Jonas, Lena)`.
pub fn approvers(view: &CardView<'_>, stage: usize, detail: Detail) -> String {
    let groups = view.request.terms.path.get(stage).map_or(&[][..], |stage| &stage.approvers.0);
    if groups.is_empty() {
        return "nobody".to_owned();
    }
    let groups: Vec<String> = groups.iter().map(|group| name(group, detail)).collect();
    let people = view.stages.get(stage).map_or(&[][..], |names| &names.people);
    groups.join(", ") + &listed(people)
}

/// Each name by itself, so that none can look like two, and no more than fit into a sentence.
fn listed(people: &[String]) -> String {
    if people.is_empty() {
        return String::new();
    }
    let shown: Vec<String> =
        people.iter().take(PEOPLE).map(|person| name(person, Detail::Abridged)).collect();
    match people.len() - shown.len() {
        0 => format!(" ({})", shown.join(", ")),
        more => format!(" ({} and {more} more)", shown.join(", ")),
    }
}

/// Where a stage is shown: the given label, or the place's name in the configuration.
pub fn channel(view: &CardView<'_>, stage: usize, detail: Detail) -> String {
    if let Some(names) = view.stages.get(stage).filter(|names| !names.channel.is_empty()) {
        return name(&names.channel, detail);
    }
    view.request
        .terms
        .path
        .get(stage)
        .map_or_else(String::new, |stage| name(&stage.place.0, detail))
}
