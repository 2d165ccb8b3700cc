//! Which characters may stand as they are.

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// The scripts of living languages that clients draw reliably (after UAX 31's recommended set).
/// The first two read from right to left.
const SCRIPTS: [Script; 26] = [
    Script::Hebrew,
    Script::Arabic,
    Script::Latin,
    Script::Greek,
    Script::Cyrillic,
    Script::Armenian,
    Script::Georgian,
    Script::Devanagari,
    Script::Bengali,
    Script::Gurmukhi,
    Script::Gujarati,
    Script::Tamil,
    Script::Telugu,
    Script::Kannada,
    Script::Malayalam,
    Script::Sinhala,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
    Script::Ethiopic,
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Hangul,
    Script::Bopomofo,
];

/// Punctuation and signs beyond ASCII that look like nothing in ASCII.
const SIGNS: &str = "“”„«»¡¿§¶°€£¥©®±÷—、。「」『』【】《》，！？：；（）ー々";

/// Letters of other alphabets that look like Latin ones (UTS 39, the everyday part).
const LIKE_LATIN: &str = "асеорхуіјѕԁԛԝһӏқкгптмвнАВЕКМНОРСТХУІЈЅԌԚԜҮҺӀ\
                          ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναικρυτγηχϲϳօոսհցյզգքԱՍՏՕՈԼ";

/// For each character of a text: may it stand as it is?
pub(super) fn plain(text: &str, chars: &[char]) -> Vec<bool> {
    if text.is_ascii() {
        return chars.iter().map(|&c| plain_ascii(c)).collect();
    }
    let composed = is_nfc(text);
    let mut plain: Vec<bool> =
        chars.iter().map(|&c| plain_ascii(c) || SIGNS.contains(c) || plain_letter(c)).collect();
    if composed {
        admit_marks(chars, &mut plain);
    }
    escape_imitations(chars, &mut plain);
    escape_mixed_directions(chars, &mut plain);
    plain
}

/// The same, without any letter that reads from right to left.
pub(super) fn plain_from_left(text: &str, chars: &[char]) -> Vec<bool> {
    let plain = plain(text, chars);
    chars.iter().zip(plain).map(|(&c, plain)| plain && !backwards(c)).collect()
}

/// Latin, or nothing that has a script.
pub(super) fn is_foreign(c: char) -> bool {
    !matches!(c.script(), Script::Latin | Script::Common | Script::Inherited)
}

/// Does a word mix Latin letters with those of an alphabet that looks like it?
pub(super) fn mixes_alphabets(word: &[char]) -> bool {
    word.iter().any(|&c| c.script() == Script::Latin) && word.iter().any(|&c| resembles_latin(c))
}

fn plain_ascii(c: char) -> bool {
    (c.is_ascii_graphic() && !matches!(c, '\\' | '"')) || c == ' '
}

fn plain_letter(c: char) -> bool {
    // Modifier letters imitate punctuation, and digits of other scripts imitate other digits.
    let letter = matches!(
        c.general_category(),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::OtherLetter
    );
    letter
        && SCRIPTS.contains(&c.script())
        && std::iter::once(c).nfkc().eq(std::iter::once(c))
        && match u32::from(c) {
            // Jamo compose to syllables when drawn, and their fillers draw nothing.
            0x1100..=0x11FF | 0xA960..=0xA97F | 0xD7B0..=0xD7FF | 0x3130..=0x318F => false,
            code if c.script() == Script::Latin => plain_latin(code),
            _ => true,
        }
}

/// The Latin letters of living orthographies; the rest imitates ASCII or IPA.
fn plain_latin(code: u32) -> bool {
    matches!(code,
        0xC0..=0x130 | 0x132..=0x137 | 0x139..=0x17E | 0x1A0 | 0x1A1 | 0x1AF | 0x1B0
        | 0x1CD..=0x1DC | 0x218..=0x21B | 0x1E00..=0x1EF9)
}

/// Vowel signs and the like belong to their script; at most two on one letter.
fn admit_marks(chars: &[char], plain: &mut [bool]) {
    let mut stacked = 0;
    for at in 0..chars.len() {
        let c = chars[at];
        if c.general_category_group() != GeneralCategoryGroup::Mark {
            stacked = 0;
            continue;
        }
        stacked += 1;
        let carried = at > 0 && plain[at - 1] && chars[at - 1].script() == c.script();
        let stable = std::iter::once(c).nfkc().eq(std::iter::once(c));
        // The invisible Khmer vowels are marks of their script too.
        let drawn = !matches!(u32::from(c), 0x17B4 | 0x17B5);
        plain[at] = stacked <= 2 && carried && stable && drawn && SCRIPTS.contains(&c.script());
    }
}

/// A word that mixes look-alike alphabets, or is made only of look-alikes, shows its codes.
fn escape_imitations(chars: &[char], plain: &mut [bool]) {
    let mut start = 0;
    while start < chars.len() {
        let length = chars[start..].iter().take_while(|c| c.is_alphabetic()).count();
        let word = &chars[start..start + length];
        let foreign: Vec<char> = word.iter().copied().filter(|&c| resembles_latin(c)).collect();
        let imitates = !foreign.is_empty() && foreign.iter().all(|&c| LIKE_LATIN.contains(c));
        if mixes_alphabets(word) || imitates {
            for at in start..start + length {
                plain[at] &= !resembles_latin(chars[at]);
            }
        }
        start += length.max(1);
    }
}

/// Letters that read from right to left stand as they are only among themselves: beside digits
/// or signs a client would reorder them, and two different texts could look the same.
fn escape_mixed_directions(chars: &[char], plain: &mut [bool]) {
    let alone = chars.iter().zip(&*plain).all(|(&c, &plain)| plain && (backwards(c) || c == ' '));
    if !alone {
        for (at, &c) in chars.iter().enumerate() {
            plain[at] &= !backwards(c);
        }
    }
}

fn backwards(c: char) -> bool {
    SCRIPTS[..2].contains(&c.script())
}

fn resembles_latin(c: char) -> bool {
    matches!(c.script(), Script::Cyrillic | Script::Greek | Script::Armenian)
}
