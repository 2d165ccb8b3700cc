//! People and groups on a card: a mention by id, and the directory's name beside it.

use super::CardView;
use super::block::Prose;
use super::facts::name;
use super::lines::Detail;
use crate::approval::{PersonFacts, Requester};

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

/// Who may decide at a stage: the given words, or the group names of the terms.
pub fn approvers(view: &CardView<'_>, stage: usize, detail: Detail) -> String {
    if let Some(names) = view.stages.get(stage).filter(|names| !names.approvers.is_empty()) {
        return name(&names.approvers, detail);
    }
    let groups = view.request.terms.path.get(stage).map_or(&[][..], |stage| &stage.approvers.0);
    if groups.is_empty() {
        return "nobody".to_owned();
    }
    groups.iter().map(|group| name(group, detail)).collect::<Vec<_>>().join(", ")
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
