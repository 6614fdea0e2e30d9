//! The longest text: what is longer is refused, or cut between two letters.

use crate::domain::failure::RowReason;
use crate::domain::integration::Charset;
use crate::domain::menu::{Column, OnLong};
use crate::export::characters::{Encoder, Mark};

/// The longest text, measured as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Longest {
    chars: Option<usize>,
    bytes: Option<usize>,
    on_long: OnLong,
    /// Whether か and its voicing mark are sent as one letter.
    folds: bool,
}

impl Longest {
    /// The limits of a column; `None` if it has none.
    pub(super) fn of(column: &Column, charset: Charset) -> Option<Self> {
        (column.max_chars.is_some() || column.max_bytes.is_some()).then(|| Self {
            chars: column.max_chars.map(|most| most as usize),
            bytes: column.max_bytes.map(|most| most as usize),
            on_long: column.on_long,
            folds: charset == Charset::Sjis,
        })
    }

    /// The text, or as much of it as fits.
    pub(super) fn fit<'t>(&self, text: &'t str, mark: &Mark) -> Result<&'t str, RowReason> {
        let most = self.chars.unwrap_or(usize::MAX).min(self.bytes.unwrap_or(usize::MAX));
        // No letter has more bytes in Shift_JIS than in UTF-8, nor has a short mark.
        if text.len() <= most && (mark.length() <= 2 || text.is_ascii()) {
            return Ok(text);
        }
        let measure = Measure { folds: self.folds, mark };
        let (chars, bytes) = measure.of(text);
        let (most_chars, most_bytes) = (self.chars.unwrap_or(usize::MAX), self.bytes.unwrap_or(usize::MAX));
        if chars <= most_chars && bytes <= most_bytes {
            return Ok(text);
        }
        if self.on_long == OnLong::Reject {
            return Err(if chars > most_chars {
                RowReason::TooManyChars { has: chars as u64, most: most_chars as u64 }
            } else {
                RowReason::TooManyBytes { has: bytes as u64, most: most_bytes as u64 }
            });
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let fits = |end: &usize| {
            let (chars, bytes) = measure.of(&text[..*end]);
            chars <= most_chars && bytes <= most_bytes
        };
        let fitting = ends.partition_point(fits).saturating_sub(1);
        let mut end = ends.get(fitting).copied().unwrap_or(0);
        // ｶﾞ is one letter to the eye: its mark does not stay behind alone, nor it without the mark.
        if text[end..].starts_with(['ﾞ', 'ﾟ']) {
            end = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        }
        Ok(&text[..end])
    }
}

struct Measure<'m> {
    folds: bool,
    mark: &'m Mark,
}

impl Measure<'_> {
    /// Characters and Shift_JIS bytes of a text that has been through the replacement table. A letter that Shift_JIS
    /// lacks counts as the mark that would stand in its place.
    fn of(&self, text: &str) -> (usize, usize) {
        let mut bytes = Vec::with_capacity(text.len());
        let _listed_when_encoded = Encoder::default().encode_substituting(text, self.mark, &mut bytes);
        let chars = if self.folds { letters(&bytes) } else { text.chars().count() };
        (chars, bytes.len())
    }
}

/// How many letters there are in Shift_JIS bytes.
fn letters(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += if matches!(byte, 0x81..=0x9F | 0xE0..=0xFC) { 2 } else { 1 };
        count += 1;
    }
    count
}
