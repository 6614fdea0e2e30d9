//! Shift_JIS against EUC-JP: each reads the file as long as its bytes fit, and where both come to the end, the letters
//! decide, or nobody does.

use super::{Charset, nul_at};
use crate::source::error::SourceError;
use crate::source::text::{PIECE, Watched};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult};

/// A decoder that is followed as long as the bytes fit.
pub(super) struct Rival {
    decoder: Option<Decoder>,
    scratch: String,
    /// The beginning of what it read outside ASCII, for the judgement.
    sample: String,
    pub(super) broken_at: Option<u64>,
    read: u64,
}

/// How much of the text outside ASCII is judged, in bytes.
const SAMPLE: usize = 64 * 1024;

impl Rival {
    fn new(charset: Charset) -> Self {
        Self {
            decoder: charset.decoder(),
            scratch: String::with_capacity(3 * PIECE + 64),
            sample: String::new(),
            broken_at: None,
            read: 0,
        }
    }

    pub(super) fn fits(&self) -> bool {
        self.broken_at.is_none()
    }

    fn follow(&mut self, piece: &[u8], over: bool) {
        let Some(decoder) = &mut self.decoder else { return };
        self.scratch.clear();
        let room = decoder.max_utf8_buffer_length_without_replacement(piece.len());
        self.scratch.reserve(room.unwrap_or(piece.len() * 3 + 16));
        let (result, read) = decoder.decode_to_string_without_replacement(piece, &mut self.scratch, over);
        self.read += read as u64;
        if let DecoderResult::Malformed(bad, after) = result {
            self.broken_at = Some(self.read.saturating_sub(u64::from(bad) + u64::from(after)));
            self.decoder = None;
        }
        if self.sample.len() < SAMPLE {
            self.sample.extend(self.scratch.chars().filter(|letter| !letter.is_ascii()).take(SAMPLE / 3));
        }
    }
}

pub(super) struct Rivals {
    pub(super) sjis: Rival,
    pub(super) euc: Rival,
    /// Bytes outside ASCII that belong to UTF-8 characters of three bytes or more, and those that do not.
    utf8: u64,
    other: u64,
    detector: EncodingDetector,
}

impl Rivals {
    pub(super) fn new() -> Self {
        Self {
            sjis: Rival::new(Charset::Sjis),
            euc: Rival::new(Charset::EucJp),
            utf8: 0,
            other: 0,
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
        }
    }

    /// Lets both read until one alone is left and enough was seen, or to the end.
    pub(super) fn read_all(&mut self, file: &mut Watched) -> Result<(), SourceError> {
        file.rewind()?;
        let mut piece = Vec::with_capacity(PIECE);
        let mut offset = 0_u64;
        loop {
            piece.clear();
            let over = file.read(&mut piece)?;
            if let Some(nul) = memchr::memchr(0, &piece) {
                return Err(nul_at(file, offset + nul as u64)?);
            }
            self.weigh_utf8(&piece);
            self.sjis.follow(&piece, over);
            self.euc.follow(&piece, over);
            if offset < 4 * 1024 * 1024 && !piece.is_ascii() {
                self.detector.feed(&piece, false);
            }
            offset += piece.len() as u64;
            let decided = !(self.sjis.fits() && self.euc.fits()) && self.utf8 + self.other >= 4096;
            if over || (decided && (self.sjis.fits() || self.euc.fits())) {
                return Ok(());
            }
        }
    }

    /// A character cut by the end of a piece counts on neither side's favour much: there are few of them.
    fn weigh_utf8(&mut self, piece: &[u8]) {
        for chunk in piece.utf8_chunks() {
            for letter in chunk.valid().chars().filter(|letter| !letter.is_ascii()) {
                let bytes = letter.len_utf8() as u64;
                if bytes >= 3 {
                    self.utf8 += bytes;
                } else {
                    self.other += bytes;
                }
            }
            self.other += chunk.invalid().len() as u64;
        }
    }

    /// Bytes that are mostly characters of three valid UTF-8 bytes: no text in Shift_JIS or EUC-JP looks like that.
    pub(super) fn mostly_utf8(&self) -> bool {
        self.utf8 > self.other
    }
}

/// Both read to the end: chardetng and the letters must agree.
pub(super) fn choose(rivals: &Rivals) -> Option<Charset> {
    let guess = rivals.detector.guess(Some(b"jp"), Utf8Detection::Deny);
    let charset = [Charset::Sjis, Charset::EucJp].into_iter().find(|charset| charset.encoding() == guess)?;
    let sjis = judge(&rivals.sjis.sample, 1);
    let euc = judge(&rivals.euc.sample, 3);
    let agreed = match charset {
        Charset::Sjis => sjis > euc,
        // Half-width katakana in Shift_JIS, syllable after syllable, looks like rare kanji in EUC-JP; and half-width
        // katakana alone in EUC-JP looks like 社 and its neighbours in Shift_JIS.
        _ => {
            let katakana_instead = is_half_width_text(&rivals.sjis.sample) && !has_kana(&rivals.euc.sample);
            let full_width = rivals.euc.sample.chars().any(|letter| !('\u{ff61}'..='\u{ff9f}').contains(&letter));
            euc > sjis && full_width && !katakana_instead
        }
    };
    agreed.then_some(charset)
}

/// How much a text looks like Japanese, per character: kana and common signs count more than kanji, kanji more than
/// half-width katakana in Shift_JIS, where each half of an EUC-JP character is one; in EUC-JP they need a byte of their
/// own before them, which does not come by chance.
fn judge(sample: &str, half_width: i32) -> f64 {
    let points: i32 = sample
        .chars()
        .map(|letter| match letter {
            'ぁ'..='ん' | 'ァ'..='ヶ' | 'ー' | '、' | '。' => 4,
            '\u{ff01}'..='\u{ff5e}' | '\u{3000}'..='\u{303f}' => 3,
            '\u{4e00}'..='\u{9fff}' => 2,
            '\u{ff61}'..='\u{ff9f}' => half_width,
            _ => 0,
        })
        .sum();
    let letters = sample.chars().count().max(1);
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand characters")]
    let score = f64::from(points) / letters as f64;
    score
}

/// Only half-width katakana, in an order that occurs in words.
fn is_half_width_text(sample: &str) -> bool {
    let mut before = ' ';
    sample.chars().all(|letter| {
        let fits = match letter {
            '\u{ff66}'..='\u{ff9d}' => true,
            'ﾞ' => matches!(before, 'ｶ'..='ﾄ' | 'ﾊ'..='ﾎ' | 'ｳ'),
            'ﾟ' => matches!(before, 'ﾊ'..='ﾎ'),
            _ => false,
        };
        before = letter;
        fits
    })
}

fn has_kana(sample: &str) -> bool {
    sample.chars().any(|letter| matches!(letter, 'ぁ'..='ん' | 'ァ'..='ヶ'))
}
