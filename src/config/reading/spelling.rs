//! Guesses which word was meant.

/// Below this, a guess confuses more than it helps.
const ALIKE: f64 = 0.85;

/// The candidate most like what was written, if any is alike at all.
pub(in crate::config) fn meant<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let alike = |word: &'a str| (strsim::jaro_winkler(written, word), word);
    let nearest = candidates.into_iter().map(alike).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (nearest.0 >= ALIKE).then_some(nearest.1)
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn near_words_are_guessed_and_far_ones_are_not() {
        let words = ["policies", "approvers", "agents", "slack"];
        for (written, guess) in [
            ("policy", Some("policies")),
            ("aprovers", Some("approvers")),
            ("agent", Some("agents")),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(meant(written, words), guess, "{written}");
        }
    }
}
