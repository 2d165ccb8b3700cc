//! Text from outside, written so that what a person sees is what the bytes are.

/// Writes text so that nothing in it is invisible, reorders, pads or imitates; two different texts
/// never come out equal.
pub fn inert(text: &str) -> String {
    todo!("{text}")
}

/// [`inert`], between double quotes.
pub fn quoted(text: &str) -> String {
    todo!("{text}")
}

/// Escapes what Slack's mrkdwn parser reads as tokens: `&`, `<`, `>`, in this order.
pub fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
