//! Full width and half width, katakana and hiragana: the foldings that a column can ask for.
//!
//! Each is a function from text to text that changes exactly what its sentence says and passes everything else through.
//! They refuse to be clever: no long vowel mark becomes a hyphen, no ￥ a backslash, no ～ a tilde. Whatever they write,
//! they write with letters that Shift_JIS has, wherever what they read was in Shift_JIS.

use std::borrow::Cow;

/// Full-width ASCII → ASCII: ！ to ｝ (U+FF01–U+FF5D) → `!` to `}`, the full-width space (U+3000) → a space, and the other
/// full-width minus (− U+2212) → `-`.
///
/// ＼ becomes `\`. Left as they are: ～ (it means "from … to" here, `~` does not), ￥ ￠ ￡ (no ASCII has them), ー ‐ ― (not
/// hyphens), kana.
#[must_use]
pub fn to_half_width_ascii(text: &str) -> Cow<'_, str> {
    map_letters(text, |letter| match letter {
        '！'..='｝' => moved(letter, -0xFEE0),
        '\u{3000}' => ' ',
        '\u{2212}' => '-',
        other => other,
    })
}

/// ASCII → full-width ASCII: `!` to `}` → ！ to ｝, a space → the full-width space (U+3000).
///
/// `\` becomes ＼. Left as they are: `~` (see [`to_half_width_ascii`]), ¥ (U+00A5), control characters, half-width kana.
#[must_use]
pub fn to_full_width_ascii(text: &str) -> Cow<'_, str> {
    map_letters(text, |letter| match letter {
        '!'..='}' => moved(letter, 0xFEE0),
        ' ' => '\u{3000}',
        other => other,
    })
}

/// Hiragana → katakana: ぁ to ゖ, ゝ and ゞ → ァ to ヶ, ヽ and ヾ. Left as it is: ゟ; half-width kana stays half width.
#[must_use]
pub fn to_katakana(text: &str) -> Cow<'_, str> {
    map_letters(text, |letter| match letter {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => moved(letter, 0x60),
        other => other,
    })
}

/// Full-width katakana → hiragana: ァ to ン, ヽ and ヾ → ぁ to ん, ゝ and ゞ.
///
/// Left as they are: ヴ ヵ ヶ, whose hiragana (ゔ ゕ ゖ) Shift_JIS lacks, ヷ to ヺ, the long vowel mark ー, and half-width
/// kana (call [`kana_to_full`] first).
#[must_use]
pub fn to_hiragana(text: &str) -> Cow<'_, str> {
    map_letters(text, |letter| match letter {
        'ァ'..='ン' | 'ヽ' | 'ヾ' => moved(letter, -0x60),
        other => other,
    })
}

/// Half-width kana and its punctuation (｡ to ﾟ, U+FF61–U+FF9F) → full width, joined with the voicing mark that follows:
/// ｶﾞ → ガ, ﾊﾟ → パ, ｳﾞ → ヴ. The mark may also be U+3099 or U+309A.
///
/// A mark that joins with nothing becomes ゛ or ゜. ﾜﾞ and ｦﾞ become ワ゛ and ヲ゛, since Shift_JIS lacks ヷ and ヺ.
#[must_use]
pub fn kana_to_full(text: &str) -> Cow<'_, str> {
    if !text.contains(is_half_width_kana) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(full) = full_width_kana(letter) else {
            written.push(letter);
            continue;
        };
        let voiced = match letters.peek() {
            Some('ﾞ' | '\u{3099}') => with_voicing(full),
            Some('ﾟ' | '\u{309A}') => with_semi_voicing(full),
            _ => None,
        };
        if voiced.is_some() {
            letters.next();
        }
        written.push(voiced.unwrap_or(full));
    }
    Cow::Owned(written)
}

/// Full-width katakana and the punctuation 。「」、・ー゛゜ → half width, the voicing mark apart: ガ → ｶﾞ, ヴ → ｳﾞ, ヷ → ﾜﾞ.
///
/// Left as they are: ヮ ヰ ヱ ヵ ヶ ヸ ヹ ヽ ヾ, which have no half width, and hiragana (call [`to_katakana`] first). A full-width
/// kana followed by U+3099 or U+309A is written with ﾞ or ﾟ, if it can have that mark.
#[must_use]
pub fn kana_to_half(text: &str) -> Cow<'_, str> {
    if !text.contains(|letter| half_width_kana(letter).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some((half, mark)) = half_width_kana(letter) else {
            written.push(letter);
            continue;
        };
        written.push(half);
        let mark = mark.or_else(|| match letters.peek() {
            Some('\u{3099}') if with_voicing(letter).is_some() => letters.next().map(|_| 'ﾞ'),
            Some('\u{309A}') if with_semi_voicing(letter).is_some() => letters.next().map(|_| 'ﾟ'),
            _ => None,
        });
        written.extend(mark);
    }
    Cow::Owned(written)
}

/// The full-width forms of U+FF61–U+FF9F, in their order.
const FULL_WIDTH: [char; 63] = [
    '。', '「', '」', '、', '・', 'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア', 'イ', 'ウ',
    'エ', 'オ', 'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ', 'テ', 'ト', 'ナ', 'ニ',
    'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ', 'ヤ', 'ユ', 'ヨ', 'ラ', 'リ', 'ル',
    'レ', 'ロ', 'ワ', 'ン', '゛', '゜',
];

fn is_half_width_kana(letter: char) -> bool {
    matches!(letter, '｡'..='ﾟ')
}

fn full_width_kana(half: char) -> Option<char> {
    let place = u32::from(half).checked_sub(u32::from('｡'))?;
    FULL_WIDTH.get(usize::try_from(place).ok()?).copied()
}

/// A full-width kana as half width, and the voicing mark that it carries.
fn half_width_kana(full: char) -> Option<(char, Option<char>)> {
    let plain = |full: char| {
        let place = FULL_WIDTH.iter().position(|&letter| letter == full)?;
        char::from_u32(u32::from('｡') + u32::try_from(place).ok()?)
    };
    if !matches!(full, '\u{3001}'..='\u{300D}' | '\u{309B}'..='\u{30FF}') {
        return None;
    }
    if let Some(half) = plain(full) {
        return Some((half, None));
    }
    match full {
        'ヴ' => Some(('ｳ', Some('ﾞ'))),
        'ヷ' => Some(('ﾜ', Some('ﾞ'))),
        'ヺ' => Some(('ｦ', Some('ﾞ'))),
        'ガ'..='ポ' => {
            let one_back = moved(full, -1);
            if with_voicing(one_back) == Some(full) {
                return plain(one_back).map(|half| (half, Some('ﾞ')));
            }
            let two_back = moved(full, -2);
            let semi_voiced = with_semi_voicing(two_back) == Some(full);
            plain(two_back).filter(|_| semi_voiced).map(|half| (half, Some('ﾟ')))
        }
        _ => None,
    }
}

/// カ → ガ, for the full-width katakana whose voiced form Shift_JIS has.
fn with_voicing(full: char) -> Option<char> {
    match full {
        'ウ' => Some('ヴ'),
        'カ' | 'キ' | 'ク' | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ' | 'チ' | 'ツ' | 'テ' | 'ト'
        | 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ' => Some(moved(full, 1)),
        _ => None,
    }
}

/// ハ → パ.
fn with_semi_voicing(full: char) -> Option<char> {
    matches!(full, 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ').then(|| moved(full, 2))
}

/// The letter so many code points away; itself, if there is none.
fn moved(letter: char, by: i32) -> char {
    u32::from(letter).checked_add_signed(by).and_then(char::from_u32).unwrap_or(letter)
}

/// Maps letter by letter; borrows where nothing changes.
fn map_letters(text: &str, map: impl Fn(char) -> char) -> Cow<'_, str> {
    match text.char_indices().find(|&(_, letter)| map(letter) != letter) {
        None => Cow::Borrowed(text),
        Some((same, _)) => {
            let mut written = String::with_capacity(text.len());
            written.push_str(&text[..same]);
            written.extend(text[same..].chars().map(map));
            Cow::Owned(written)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::characters::encode_plainly;

    const FOLDINGS: [fn(&str) -> Cow<'_, str>; 6] =
        [to_half_width_ascii, to_full_width_ascii, to_katakana, to_hiragana, kana_to_full, kana_to_half];

    #[test]
    fn ascii_changes_its_width_and_signs_keep_their_meaning() {
        assert_eq!(to_half_width_ascii("Ａ１（株）　０３−１２３４－５"), "A1(株) 03-1234-5");
        assert_eq!(to_half_width_ascii("＼￥￠～ーｱア"), "\\￥￠～ーｱア");
        assert_eq!(to_full_width_ascii("A1 (\\)~¥\r\n"), "Ａ１　（＼）~¥\r\n");
    }

    #[test]
    fn half_width_kana_joins_its_marks() {
        assert_eq!(kana_to_full("ﾊﾝｶｸ｡｢ｶﾞｷﾞ｣､･ｳﾞｧｰﾊﾟ"), "ハンカク。「ガギ」、・ヴァーパ");
        assert_eq!(kana_to_full("ﾜﾞｱﾞﾟｶﾟカﾞ"), "ワ゛ア゛゜カ゜カ゛");
        assert_eq!(kana_to_full("ｶ\u{3099}ﾊ\u{309A}"), "ガパ");
    }

    #[test]
    fn full_width_kana_parts_with_its_marks() {
        assert_eq!(kana_to_half("ハンカク。「ガギ」、・ヴァーパ"), "ﾊﾝｶｸ｡｢ｶﾞｷﾞ｣､･ｳﾞｧｰﾊﾟ");
        assert_eq!(kana_to_half("ヷヺヮヰヵヶひらカ\u{3099}ア\u{3099}"), "ﾜﾞｦﾞヮヰヵヶひらｶﾞｱ\u{3099}");
        let voiced = "ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴ";
        assert_eq!(kana_to_full(&kana_to_half(voiced)), voiced);
        assert_eq!(kana_to_half("ッナノマァンヤョ"), "ｯﾅﾉﾏｧﾝﾔｮ");
    }

    #[test]
    fn hiragana_and_katakana_change_places() {
        assert_eq!(to_katakana("ひらがなゔゖゝゞーｱ"), "ヒラガナヴヶヽヾーｱ");
        assert_eq!(to_hiragana("ヒラガナヴヵヶヽヾーｱ"), "ひらがなヴヵヶゝゞーｱ");
    }

    #[test]
    fn what_was_in_shift_jis_stays_in_shift_jis() {
        let writable = |text: &str| encode_plainly(text, &mut Vec::new()).is_ok();
        for letter in ('\0'..=char::MAX).map(String::from).filter(|letter| writable(letter)) {
            for folding in FOLDINGS {
                assert!(writable(&folding(&letter)), "{letter} → {}", folding(&letter));
            }
        }
    }

    #[test]
    fn a_text_without_such_letters_is_borrowed() {
        for folding in FOLDINGS {
            assert!(matches!(folding("漢字"), Cow::Borrowed(_)));
        }
    }

    proptest! {
        #[test]
        fn each_folding_is_done_after_once(text in "[ -~！-～　ぁ-ヿ｡-ﾟ−￥漢\u{3099}\u{309A}]{0,16}") {
            for folding in FOLDINGS {
                let once = folding(&text);
                prop_assert_eq!(&folding(&once), &once, "{}", text);
            }
        }

        #[test]
        fn ascii_survives_the_round_trip(text in "[ -~漢字ｱア]{0,16}") {
            prop_assert_eq!(to_half_width_ascii(&to_full_width_ascii(&text)).into_owned(), text);
        }

        #[test]
        fn katakana_survives_the_round_trip(text in "[ァ-ヶー。「」、・ぁ-んa-c漢]{0,16}") {
            prop_assert_eq!(kana_to_full(&kana_to_half(&text)).into_owned(), text);
        }

        #[test]
        fn half_width_kana_survives_the_round_trip(text in "[｡-ﾟぁ-んa-c漢]{0,16}") {
            prop_assert_eq!(kana_to_half(&kana_to_full(&text)).into_owned(), text);
        }

        #[test]
        fn hiragana_survives_the_round_trip(text in "[ぁ-んゝゞーｱa-c漢]{0,16}") {
            prop_assert_eq!(to_hiragana(&to_katakana(&text)).into_owned(), text);
        }
    }
}
