//! A field as the letters that will be written: replacements applied, foldings done, each with its place.
//!
//! Foldings join code points that are one letter to a reader and one letter in Windows-31J; nothing else is folded.
//!
//! | read | written | why it comes up |
//! |---|---|---|
//! | 〜 U+301C, − U+2212, ‖ U+2016, — U+2014 | ～ U+FF5E, － U+FF0D, ∥ U+2225, ― U+2015 | macOS writes the first, Windows the second |
//! | ¢ U+00A2, £ U+00A3, ¬ U+00AC | ￠ ￡ ￢ U+FFE0–U+FFE2 | the same |
//! | kana and U+3099 or U+309A | the voiced kana (half-width kana: ﾞ, ﾟ) | file names and text from macOS |
//! | a letter and a variation selector | the letter | fonts: 辻 with one dot or two |
//! | language tags U+E0000–U+E007F | nothing | invisible; iconv leaves them out too |
//!
//! A mark or selector without a letter to stand on stays, and is refused later.

use std::str::Chars;

use unicode_normalization::char::{compose, is_combining_mark};

use super::Replacements;

/// A letter to write and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) character: char,
    /// The place in the field as it was given, in characters, from 1.
    pub(super) index: usize,
}

/// The iterator over a field's [`Letter`]s.
pub(super) struct Letters<'a> {
    replacements: &'a Replacements,
    rest: &'a str,
    /// The place of the first character of `rest`.
    index: usize,
    /// What is left of a replacement's target, and the place of its source.
    target: Chars<'a>,
    target_index: usize,
    /// A letter read ahead and not yet used.
    ahead: Option<Letter>,
    /// A half-width voicing mark that follows the letter given out last.
    voicing: Option<Letter>,
    /// There is a letter before for a variation selector to stand on.
    on_letter: bool,
}

impl<'a> Letters<'a> {
    pub(super) fn new(replacements: &'a Replacements, field: &'a str) -> Self {
        Self {
            replacements,
            rest: field,
            index: 1,
            target: "".chars(),
            target_index: 0,
            ahead: None,
            voicing: None,
            on_letter: false,
        }
    }

    /// The next letter after the replacements, before the foldings.
    fn replaced(&mut self) -> Option<Letter> {
        if let Some(letter) = self.ahead.take() {
            return Some(letter);
        }
        loop {
            if let Some(character) = self.target.next() {
                return Some(Letter { character, index: self.target_index });
            }
            if let Some((source, target)) = self.replacements.at(self.rest) {
                self.target = target.chars();
                self.target_index = self.index;
                self.index += source.chars().count();
                self.rest = &self.rest[source.len()..];
                self.on_letter |= target.is_empty();
                continue;
            }
            let character = self.rest.chars().next()?;
            let index = self.index;
            self.index += 1;
            self.rest = &self.rest[character.len_utf8()..];
            return Some(Letter { character, index });
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        if let Some(voicing) = self.voicing.take() {
            return Some(voicing);
        }
        loop {
            let mut letter = self.replaced()?;
            if is_tag(letter.character) || (self.on_letter && is_variation_selector(letter.character)) {
                continue;
            }
            letter.character = fold(letter.character);
            if may_be_voiced(letter.character)
                && let Some(next) = self.replaced()
            {
                if let Some(voiced) = voiced(letter.character, next.character) {
                    letter.character = voiced;
                } else if let Some(character) = half_width_voicing(letter.character, next.character) {
                    self.voicing = Some(Letter { character, index: next.index });
                } else {
                    self.ahead = Some(next);
                }
            }
            self.on_letter = !letter.character.is_whitespace()
                && !letter.character.is_control()
                && !is_variation_selector(letter.character);
            return Some(letter);
        }
    }
}

/// The beginning of `field` before its character number `index`, moved to the left where that would leave a letter
/// without the mark behind it.
pub(super) fn cut_before(field: &str, index: usize) -> &str {
    let mut cut = field.char_indices().nth(index.saturating_sub(1)).map_or(field.len(), |(at, _)| at);
    while field[cut..].starts_with(belongs_to_the_letter_before)
        && let Some((before, _)) = field[..cut].char_indices().next_back()
    {
        cut = before;
    }
    &field[..cut]
}

fn belongs_to_the_letter_before(character: char) -> bool {
    matches!(character, 'ﾞ' | 'ﾟ') || is_variation_selector(character) || is_combining_mark(character)
}

fn is_tag(character: char) -> bool {
    matches!(character, '\u{E0000}'..='\u{E007F}')
}

fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// One letter that Unicode has twice, as Windows-31J has it.
pub(super) fn fold(character: char) -> char {
    match character {
        '\u{301C}' => '\u{FF5E}',
        '\u{2212}' => '\u{FF0D}',
        '\u{2016}' => '\u{2225}',
        '\u{2014}' => '\u{2015}',
        '\u{A2}' => '\u{FFE0}',
        '\u{A3}' => '\u{FFE1}',
        '\u{AC}' => '\u{FFE2}',
        other => other,
    }
}

/// Kana, so that other letters need no look ahead.
fn may_be_voiced(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{30FF}' | '\u{FF66}'..='\u{FF9D}')
}

/// か and U+3099 → が.
fn voiced(kana: char, mark: char) -> Option<char> {
    matches!(mark, '\u{3099}' | '\u{309A}').then(|| compose(kana, mark)).flatten()
}

/// ｶ and U+3099 → ｶ and ﾞ, for the kana that can have it.
fn half_width_voicing(kana: char, mark: char) -> Option<char> {
    match (kana, mark) {
        ('ｳ' | 'ｶ'..='ﾄ' | 'ﾊ'..='ﾎ' | 'ﾜ' | 'ｦ', '\u{3099}') => Some('ﾞ'),
        ('ﾊ'..='ﾎ', '\u{309A}') => Some('ﾟ'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(rules: &[(&str, &str)], field: &str) -> Vec<(char, usize)> {
        let rules = rules.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        let replacements = Replacements::new(rules).unwrap();
        Letters::new(&replacements, field).map(|letter| (letter.character, letter.index)).collect()
    }

    #[test]
    fn a_place_is_that_in_the_field_as_given() {
        assert_eq!(letters(&[], "aか\u{3099}b"), [('a', 1), ('が', 2), ('b', 4)]);
        assert_eq!(letters(&[("株式", "(株)")], "x株式y"), [('x', 1), ('(', 2), ('株', 2), (')', 2), ('y', 4)]);
        assert_eq!(letters(&[], "辻\u{E0100}\u{E0001}b"), [('辻', 1), ('b', 4)]);
    }

    #[test]
    fn a_voicing_mark_follows_what_a_replacement_wrote() {
        assert_eq!(letters(&[("ヵ", "カ")], "ヵ\u{3099}"), [('ガ', 1)]);
        assert_eq!(letters(&[], "ｶ\u{3099}ｱ\u{3099}"), [('ｶ', 1), ('ﾞ', 2), ('ｱ', 3), ('\u{3099}', 4)]);
    }

    #[test]
    fn a_selector_needs_a_letter_to_stand_on() {
        assert_eq!(letters(&[], "\u{FE0F}"), [('\u{FE0F}', 1)]);
        assert_eq!(letters(&[], " \u{FE0F}"), [(' ', 1), ('\u{FE0F}', 2)]);
        assert_eq!(letters(&[("❤", "")], "❤\u{FE0F}"), []);
    }
}
