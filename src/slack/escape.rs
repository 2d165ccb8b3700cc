//! Text from outside, written so that what a person sees is what the bytes are.
//!
//! Whatever could hide, reorder, pad or imitate is written out as an escape that starts with a
//! backslash; a backslash of the text itself is doubled. So two different texts never come out
//! equal, and [`read_quoted`] gets the bytes back. What may stand as it is, is a list of what is
//! known to be safe ([`letters`]); everything else is escaped, also what Unicode adds tomorrow.

mod letters;
mod notes;

use std::fmt::Write as _;

pub use notes::notes;

/// A plain character that repeats this often is padding, whatever it looks like.
const PADDING: usize = 32;

/// Writes a text between double quotes, on one line.
pub fn quoted(text: &str) -> String {
    if is_ordinary(text) {
        return format!("\"{text}\"");
    }
    format!("\"{}\"", units(text).concat())
}

/// Is every character its own unit, as it stands? Most texts are like this, and cards are made of
/// them.
fn is_ordinary(text: &str) -> bool {
    let mut run = 0;
    let mut before = None;
    text.bytes().all(|c| {
        run = if before == Some(c) { run + 1 } else { 1 };
        before = Some(c);
        let most = if c == b' ' { 2 } else { PADDING };
        (c.is_ascii_graphic() || c == b' ') && !matches!(c, b'\\' | b'"') && run < most
    })
}

/// Writes a name from the configuration or the directory: bare when it is an ordinary word or
/// two, else [`quoted`].
pub fn name(text: &str) -> String {
    let ordinary = |c: char| c.is_ascii_alphanumeric() || "._-/#@".contains(c);
    let words = text.split(' ').all(|word| !word.is_empty() && word.chars().all(ordinary));
    if words { text.to_owned() } else { quoted(text) }
}

/// Escapes what Slack's mrkdwn parser takes for tokens: `&`, `<`, `>`, in this order.
pub fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The visible units of a text between quotes, in order: a character, or one whole escape. A
/// line may be broken between two units, never inside one.
pub fn units(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    collapsed(&chars, &letters::plain(text, &chars))
}

/// The same for a key. It stands before other things on its line, so letters that read from
/// right to left are always written out: a client would turn the line around.
pub fn key_units(key: &str) -> Vec<String> {
    let chars: Vec<char> = key.chars().collect();
    collapsed(&chars, &letters::plain_from_left(key, &chars))
}

/// Runs of padding as one unit that says how long they are.
fn collapsed(chars: &[char], plain: &[bool]) -> Vec<String> {
    let mut units = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let run = (at..chars.len()).take_while(|&i| chars[i] == c && plain[i] == plain[at]).count();
        let most = if plain[at] && c != ' ' { PADDING } else { 2 };
        if run >= most && !matches!(c, '\\' | '"') {
            units.push(format!("\\{{{run} {}}}", run_name(c, plain[at])));
        } else {
            let unit = if plain[at] { c.to_string() } else { escape(c) };
            units.extend(std::iter::repeat_n(unit, run));
        }
        at += run;
    }
    units
}

/// Reads what [`quoted`] wrote, from its opening quote on, also when lines were broken between
/// units (a line feed and any spaces after it are layout). Gives the text and what follows.
pub fn read_quoted(written: &str) -> Option<(String, &str)> {
    let mut rest = written.strip_prefix('"')?;
    let mut text = String::new();
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return Some((text, rest)),
            '\n' => rest = rest.trim_start_matches(' '),
            '\\' => rest = read_escape(rest, &mut text)?,
            _ => text.push(c),
        }
    }
}

fn escape(c: char) -> String {
    match c {
        '\\' | '"' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        _ => format!("\\u{{{:X}}}", u32::from(c)),
    }
}

fn run_name(c: char, plain: bool) -> String {
    match c {
        ' ' => "spaces".to_owned(),
        '\n' => "newlines".to_owned(),
        '\r' => "returns".to_owned(),
        '\t' => "tabs".to_owned(),
        _ if plain => c.to_string(),
        _ => format!("U+{:04X}", u32::from(c)),
    }
}

fn read_escape<'a>(rest: &'a str, text: &mut String) -> Option<&'a str> {
    let kind = rest.chars().next()?;
    let after = &rest[kind.len_utf8()..];
    match kind {
        '\\' | '"' => text.push(kind),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'u' => {
            let (code, after) = after.strip_prefix('{')?.split_once('}')?;
            text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            return Some(after);
        }
        '{' => {
            let (count, named) = after.split_once(' ')?;
            let (c, after) = read_run_name(named)?;
            text.extend(std::iter::repeat_n(c, count.parse().ok()?));
            return Some(after);
        }
        _ => return None,
    }
    Some(after)
}

fn read_run_name(named: &str) -> Option<(char, &str)> {
    // A run of `}` names itself, so the closing brace is looked for after the first character.
    let first = named.chars().next()?;
    let end = first.len_utf8() + named[first.len_utf8()..].find('}')?;
    let (name, after) = (&named[..end], &named[end + 1..]);
    let c = match name {
        "space" | "spaces" => ' ',
        "newlines" => '\n',
        "returns" => '\r',
        "tabs" => '\t',
        _ if name.len() == first.len_utf8() => first,
        _ => char::from_u32(u32::from_str_radix(name.strip_prefix("U+")?, 16).ok()?)?,
    };
    Some((c, after))
}

/// How many units of length Slack may count for a text; the widest reading, to be safe.
pub fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// [`quoted`], or as much of its head as fits into about `most` characters, saying how long the
/// text is: for places where a part is enough.
pub fn clipped(text: &str, most: usize) -> String {
    let whole = quoted(text);
    if length(&whole) <= most {
        return whole;
    }
    let mut kept = String::from("\"");
    for unit in units(text) {
        if length(&kept) + length(&unit) + 1 > most {
            break;
        }
        kept.push_str(&unit);
    }
    let _ = write!(kept, "\" … ({} characters in all)", text.chars().count());
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::slack::card::samples::nasty;

    #[test]
    fn what_could_deceive_is_written_out() {
        for (attack, text, shown) in [
            ("plain words", "Refund for May", r#""Refund for May""#),
            ("the escape character", r"a\u{202E}b", r#""a\\u{202E}b""#),
            ("a quote", "a\" = b", r#""a\" = b""#),
            ("E1 mrkdwn stays inert text", "*x* `y` > z", r#""*x* `y` > z""#),
            ("E4 bidi override", "1\u{202E}23", r#""1\u{202E}23""#),
            ("E4 bidi isolate", "\u{2066}a\u{2069}", r#""\u{2066}a\u{2069}""#),
            ("E5 zero width", "pay\u{200B}pal", r#""pay\u{200B}pal""#),
            ("E5 tag character", "a\u{E0041}", r#""a\u{E0041}""#),
            ("E5 variation selector", "a\u{FE0F}\u{E0100}", r#""a\u{FE0F}\u{E0100}""#),
            ("E5 hangul filler", "\u{3164}", r#""\u{3164}""#),
            ("E5 no-break space", "1\u{A0}000", r#""1\u{A0}000""#),
            ("E5 line separator", "a\u{2028}b", r#""a\u{2028}b""#),
            ("E6 one Cyrillic letter in a word", "p\u{430}ypal", r#""p\u{430}ypal""#),
            (
                "E6 a whole word that looks Latin",
                "\u{440}\u{430}\u{443}",
                r#""\u{440}\u{430}\u{443}""#,
            ),
            ("an honest Russian word", "Возврат", r#""Возврат""#),
            ("E7 spaces", "a          b", r#""a\{10 spaces}b""#),
            ("E7 newlines", "a\n\n\nb", r#""a\{3 newlines}b""#),
            ("E7 visible padding", &".".repeat(40), r#""\{40 .}""#),
            ("E7 invisible padding", &"\u{200B}".repeat(40), r#""\{40 U+200B}""#),
            ("E10 controls", "a\r\u{8}\u{1b}[2K\0", r#""a\r\u{8}\u{1B}[2K\u{0}""#),
            ("E11 emoji", "✅ approved", r#""\u{2705} approved""#),
            ("E16 digits of other scripts", "৪00", r#""\u{9EA}00""#),
            ("E16 full-width digits", "１", r#""\u{FF11}""#),
            ("E21 decomposed letters", "e\u{301}", r#""e\u{301}""#),
            ("composed letters", "é", r#""é""#),
            ("combining stack", "a\u{300}\u{300}\u{300}", r#""a\{3 U+0300}""#),
            ("E24 right to left, alone", "החזר כפול", r#""החזר כפול""#),
            ("E24 right to left beside a number", "אב 1", r#""\u{5D0}\u{5D1} 1""#),
            ("Chinese", "退款，谢谢", r#""退款，谢谢""#),
            ("Thai with vowel signs", "คืนเงิน", r#""คืนเงิน""#),
            ("Angstrom sign", "\u{212B}", r#""\u{212B}""#),
            (
                "look-alike punctuation",
                "a\u{2024}b\u{2044}c\u{2013}d",
                r#""a\u{2024}b\u{2044}c\u{2013}d""#,
            ),
            ("our own cut mark", "a…b", r#""a\u{2026}b""#),
        ] {
            assert_eq!(quoted(text), shown, "{attack}");
        }
    }

    #[test]
    fn every_default_ignorable_and_format_character_is_visible() {
        let hidden = (0..=0x10FFFF_u32).filter_map(char::from_u32).filter(|&c| {
            c.is_control()
                || (c.is_whitespace() && c != ' ')
                || matches!(u32::from(c),
                    0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
                    | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164
                    | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3
                    | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF | 0xE000..=0xF8FF | 0xF0000..=0x10FFFF)
        });
        for c in hidden {
            let shown = quoted(&format!("a{c}b"));
            assert!(
                shown.is_ascii() && shown.contains('\\'),
                "U+{:04X} shows as {shown}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn a_name_is_bare_only_when_it_is_ordinary() {
        for (text, shown) in [
            ("payments.refund", "payments.refund"),
            ("Jonas Weber", "Jonas Weber"),
            ("Jonas  Weber", "\"Jonas\\{2 spaces}Weber\""),
            ("finance, approved by Priya", "\"finance, approved by Priya\""),
            ("", "\"\""),
        ] {
            assert_eq!(name(text), shown);
        }
    }

    proptest! {
        #[test]
        fn an_ordinary_text_is_written_as_its_units(text in "[ab .\"\\\\é]{0,40}|a{30,34}| {0,3}b") {
            prop_assert_eq!(quoted(&text), format!("\"{}\"", units(&text).concat()));
        }

        #[test]
        fn what_is_written_reads_back(text in nasty(), after in "[a-z\"]{0,3}") {
            let written = format!("{}{after}", quoted(&text));
            prop_assert_eq!(read_quoted(&written), Some((text, after.as_str())));
        }

        #[test]
        fn what_is_written_holds_nothing_hidden(text in nasty()) {
            let shown = quoted(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ')));
            prop_assert!(!shown.contains("  "), "a run of spaces shows its length");
            prop_assert!(unicode_normalization::is_nfc(&shown), "{}", shown);
        }
    }
}
