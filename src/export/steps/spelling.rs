//! How a text is spelled: blanks in a row, large and small letters, a code's leading zeros.

use crate::domain::menu::{Pad, Side};
use std::borrow::Cow;

/// Several blanks in a row → the first of them. Line breaks are no blanks here: an address keeps its lines.
pub(super) fn collapse_spaces(text: &str) -> Cow<'_, str> {
    let is_blank = |letter: char| letter.is_whitespace() && !matches!(letter, '\n' | '\r');
    let mut after_blank = false;
    let repeats = |letter: char| {
        let before = std::mem::replace(&mut after_blank, is_blank(letter));
        before && is_blank(letter)
    };
    if !text.chars().any(repeats) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut after_blank = false;
    for letter in text.chars() {
        if !(after_blank && is_blank(letter)) {
            written.push(letter);
        }
        after_blank = is_blank(letter);
    }
    Cow::Owned(written)
}

/// Small letters → large ones, full-width, Greek and Cyrillic ones too. A letter that would become two (ß) stays.
pub(super) fn to_upper(text: &str) -> Cow<'_, str> {
    changed(text, |letter| alone(letter, letter.to_uppercase()))
}

/// Large letters → small ones, as [`to_upper`].
pub(super) fn to_lower(text: &str) -> Cow<'_, str> {
    changed(text, |letter| alone(letter, letter.to_lowercase()))
}

fn alone(letter: char, mut letters: impl Iterator<Item = char>) -> char {
    match (letters.next(), letters.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

fn changed(text: &str, change: impl Fn(char) -> char) -> Cow<'_, str> {
    if text.chars().all(|letter| change(letter) == letter) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(change).collect())
    }
}

/// Fills up to that many characters. A longer text stays as it is, and so does an empty one: no code is no code of zeros.
pub(super) fn pad<'t>(text: &'t str, pad: &Pad) -> Cow<'t, str> {
    let missing = (pad.to as usize).saturating_sub(text.chars().count());
    if missing == 0 || text.is_empty() {
        return Cow::Borrowed(text);
    }
    let filling = pad.with.repeat(missing);
    Cow::Owned(match pad.side {
        Side::Left => filling + text,
        Side::Right => format!("{text}{filling}"),
    })
}
