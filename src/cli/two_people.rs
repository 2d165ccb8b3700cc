//! Two people stand for an erasure. They are two words on one command line: whoever types them is
//! believed, but what they plainly are not is refused.

use std::collections::BTreeSet;

use anyhow::ensure;

use crate::store::Traces;

/// Refuses one person who is written twice.
pub(super) fn are_two(by: &str, with: Option<&str>) -> anyhow::Result<()> {
    let two = with.is_none_or(|with| !with.is_empty() && ways(by).is_disjoint(&ways(with)));
    ensure!(two, "an erasure needs two people: --with names somebody else than --by");
    Ok(())
}

/// Refuses the person who is to be erased, by whatever they are known as here.
pub(super) fn are_others(
    by: &str,
    with: Option<&str>,
    person: &str,
    traces: &Traces,
) -> anyhow::Result<()> {
    let ids = traces.who.persons.iter().chain(&traces.who.accounts);
    let named = ids.clone().filter_map(|id| id.strip_prefix("per_"));
    let known = ids.chain(&traces.names).map(String::as_str).chain(named).chain([person]);
    let known: BTreeSet<String> = known.flat_map(ways).collect();
    for name in [Some(by), with].into_iter().flatten() {
        ensure!(
            ways(name).is_disjoint(&known),
            "{name} is the person to be erased: --by and --with name two others"
        );
    }
    Ok(())
}

/// A name as it may be written again: without case and spaces, and of an address also what stands before
/// its `@`.
fn ways(name: &str) -> BTreeSet<String> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || "@._-".contains(*c))
        .collect();
    let plain = plain.trim_start_matches('@');
    let local = plain.split('@').next().unwrap_or_default();
    [plain, local].into_iter().filter(|way| !way.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Who;

    fn jonas() -> Traces {
        let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        Traces {
            who: Who { persons: set(&["per_jo", "per_T1_U0JONAS"]), accounts: set(&["U0JONAS"]) },
            names: set(&["Jonas Weber"]),
            ..Traces::default()
        }
    }

    #[test]
    fn nobody_stands_for_it_twice() {
        for with in ["olga", "OLGA", " ol ga ", "@olga", "olga@example.com", ""] {
            assert!(are_two("olga", Some(with)).is_err(), "{with}");
        }
        assert!(are_two("olga", Some("gus")).is_ok());
        assert!(are_two("olga", None).is_ok());
    }

    #[test]
    fn nobody_stands_for_their_own() {
        for name in
            ["U0JONAS", "<@u0jonas>", "per_jo", "jo", "Jo", "jonas  weber", "jo@example.com"]
        {
            assert!(are_others(name, Some("gus"), "U0JONAS", &jonas()).is_err(), "{name}");
            assert!(are_others("gus", Some(name), "U0JONAS", &jonas()).is_err(), "{name}");
        }
        assert!(are_others("olga", Some("gus"), "U0JONAS", &jonas()).is_ok());
    }
}
