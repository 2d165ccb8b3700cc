//! Covers what could be a secret in a line before anybody is shown it.

/// What the names of keys that hold secrets end in.
const SECRET_KEYS: [&str; 8] =
    ["secret", "secrets", "token", "tokens", "key", "password", "authorization", "cookie"];

/// Prefixes of well-known credentials, wherever they stand.
const SECRET_VALUES: [&str; 6] = ["xox", "xapp-", "sk-", "ghp_", "github_pat_", "Bearer "];

const COVER: &str = "••••••••";

/// The line with the values of secret-looking keys and secret-looking words covered. References
/// like `${NAME}` stay readable. What follows a covered value on the line is covered with it.
pub(in crate::config) fn masked(line: &str) -> String {
    match line.char_indices().map(|(at, _)| at).find(|&at| is_secret_at(line, at)) {
        Some(at) => format!("{}{COVER}", &line[..at]),
        None => line.to_owned(),
    }
}

/// The first `shown` characters of the line; the rest is covered.
pub(in crate::config) fn covered(line: &str, shown: usize) -> String {
    line.chars().take(shown).chain(COVER.chars()).collect()
}

/// Does what stands under this name have to be kept secret?
pub(in crate::config) fn is_secret_key(name: &str) -> bool {
    let word = name.rsplit(|c: char| !c.is_alphanumeric()).find(|part| !part.is_empty());
    let word = word.unwrap_or_default().to_ascii_lowercase();
    SECRET_KEYS.contains(&word.as_str())
}

/// Does a secret start at this byte?
fn is_secret_at(line: &str, at: usize) -> bool {
    let (before, rest) = line.split_at(at);
    if SECRET_VALUES.iter().any(|prefix| rest.starts_with(prefix)) {
        let starts_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
        return starts_word;
    }
    if before.ends_with("://") {
        let authority = rest.split(['/', '?', '"', ' ']).next().unwrap_or_default();
        return authority.contains('@');
    }
    let starts_value = !rest.starts_with(char::is_whitespace);
    let key = before.trim_end().strip_suffix(':');
    starts_value && key.is_some_and(is_secret_key) && !is_reference(rest)
}

/// `${NAME}`, quoted or not, or a list of such.
fn is_reference(value: &str) -> bool {
    let list = value.strip_prefix('[').map(|rest| rest.split(']').next().unwrap_or_default());
    let mut items = list.unwrap_or(value).split(',');
    let items_are = |item: &str| item.trim().trim_start_matches(['"', '\'']).starts_with("${");
    if list.is_some() { items.all(items_are) } else { items.next().is_some_and(items_are) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_and_references_stay() {
        let table = [
            ("  bot_token: xoxb-1-2", "  bot_token: ••••••••"),
            ("  bot_token: ${TOKEN}", "  bot_token: ${TOKEN}"),
            ("main: { api_key: abc, model: x }", "main: { api_key: ••••••••"),
            ("  bot_tokn: xoxb-1-2", "  bot_tokn: ••••••••"),
            ("  X-Api-Key: 12345", "  X-Api-Key: ••••••••"),
            ("  \"Authorization\": \"Basic abc\"", "  \"Authorization\": ••••••••"),
            ("  token: [\"${A}\", ${B}]", "  token: [\"${A}\", ${B}]"),
            ("  token: [\"${A}\", abc]", "  token: ••••••••"),
            ("  url: https://me:pw@db.example/x", "  url: https://••••••••"),
            ("  url: https://db.example/@x", "  url: https://db.example/@x"),
            ("  retry: keyed", "  retry: keyed"),
            ("  token_file: /run/token", "  token_file: /run/token"),
            ("  description: asks-risky things", "  description: asks-risky things"),
        ];
        for (line, shown) in table {
            assert_eq!(masked(line), shown, "{line}");
        }
    }
}
