//! From Slack's wire text back to what a person typed.

/// What the person typed, for an agent to read: the mention of ourselves is gone, `&amp;`, `&lt;`
/// and `&gt;` are characters again, links and mentions stand without their angle brackets.
///
/// The result is untrusted text like any other; it is escaped again before it is shown.
pub fn as_typed(wire: &str, our_user: &str) -> String {
    let mut typed = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((reference, following)) = after.split_once('>') else {
            break;
        };
        typed.push_str(&unescaped(before));
        typed.push_str(&spoken(reference, our_user));
        rest = following;
    }
    typed.push_str(&unescaped(rest));
    typed.trim().to_owned()
}

/// `&amp;` goes last, so that a typed `&lt;` (sent as `&amp;lt;`) stays what it was.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What stood between angle brackets: a mention, a channel, a special word or a link.
fn spoken(reference: &str, our_user: &str) -> String {
    let (target, label) = match reference.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
        None => (reference, None),
    };
    let text = if let Some(user) = target.strip_prefix('@') {
        if user == our_user { String::new() } else { format!("@{user}") }
    } else if let Some(channel) = target.strip_prefix('#') {
        format!("#{}", label.unwrap_or(channel))
    } else if let Some(special) = target.strip_prefix('!') {
        label.map_or_else(|| format!("@{special}"), str::to_owned)
    } else {
        match label {
            // Slack turned a bare address or host into a link; they typed the label.
            Some(label) if target.ends_with(label) => label.to_owned(),
            Some(label) => format!("{label} ({target})"),
            None => target.to_owned(),
        }
    };
    unescaped(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_text_reads_as_it_was_typed() {
        let table = [
            ("plain", "plain"),
            ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
            ("&amp;lt;", "&lt;"),
            ("&lt;!channel&gt;", "<!channel>"),
            ("<@U0BOTUSER1> refund ch_1042", "refund ch_1042"),
            ("ask <@U0APPROVE1> in <#C0APPROVAL|approvals>", "ask @U0APPROVE1 in #approvals"),
            ("<#C0MANAGERS|>", "#C0MANAGERS"),
            ("<!here> look", "@here look"),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("see <https://acme.example/?a=1&amp;b=2>", "see https://acme.example/?a=1&b=2"),
            ("<https://acme.example/r/2|run 2>", "run 2 (https://acme.example/r/2)"),
            ("half a <bracket", "half a <bracket"),
        ];
        for (wire, typed) in table {
            assert_eq!(as_typed(wire, "U0BOTUSER1"), typed, "{wire}");
        }
    }
}
