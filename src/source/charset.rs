//! In which charset is a file written? Detection looks at the whole file if it must (the one name that is not ASCII
//! may stand in the last row) and answers only when the answer is certain: names sent as 文字化け are worse than a run
//! that asks for `charset:` to be set. It reads bytes and decides; decoding is `text.rs`.
//!
//! In this order: a byte order mark; a workbook or another binary; pure ASCII, with the escapes of ISO-2022-JP or
//! without; valid UTF-8; then whichever of Shift_JIS and EUC-JP can be read to the end, and where both can, the one on
//! which chardetng and the letters themselves agree. Text that is mostly valid UTF-8 is damaged UTF-8, never Shift_JIS.

mod rivals;

use self::rivals::{Rivals, choose};
use super::error::{Place, SourceError};
use super::text::{PIECE, Watched, unfinished};
use crate::domain::menu::SourceCharset;
use encoding_rs::{Decoder, Encoding};
use std::fmt;

/// The charset in which a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 without a byte order mark; also pure ASCII.
    Utf8,
    /// UTF-8 with one.
    Utf8Bom,
    /// Windows-31J.
    Sjis,
    /// EUC-JP.
    EucJp,
    /// ISO-2022-JP.
    Iso2022Jp,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
}

impl Charset {
    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 | Self::Utf8Bom => encoding_rs::UTF_8,
            Self::Sjis => encoding_rs::SHIFT_JIS,
            Self::EucJp => encoding_rs::EUC_JP,
            Self::Iso2022Jp => encoding_rs::ISO_2022_JP,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
        }
    }

    /// `None` for UTF-8, which needs none.
    pub(super) fn decoder(self) -> Option<Decoder> {
        let plain = matches!(self, Self::Utf8 | Self::Utf8Bom);
        (!plain).then(|| self.encoding().new_decoder_without_bom_handling())
    }

    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8Bom => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            _ => b"",
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 (BOM)",
            Self::Sjis => "Shift_JIS",
            Self::EucJp => "EUC-JP",
            Self::Iso2022Jp => "ISO-2022-JP",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        })
    }
}

/// What a file should hold, for the words of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Delimited text.
    Csv,
    /// An object a line.
    JsonLines,
}

impl Expected {
    fn first_line(self) -> &'static str {
        match self {
            Self::Csv => "a header line",
            Self::JsonLines => "one object",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON lines",
        })
    }
}

const SET_IT: &str = "set charset: in the menu's source (utf8, sjis, euc-jp, iso-2022-jp, utf16)";

/// Settles the charset of an open file. The file is left at any position.
pub(super) fn settle(file: &mut Watched, wanted: SourceCharset, expected: Expected) -> Result<Charset, SourceError> {
    let mut first = Vec::with_capacity(PIECE);
    file.rewind()?;
    let over = file.read(&mut first)?;
    if first.is_empty() {
        let mend = "the program that writes it has failed, or its disk is full";
        let what = format!("the file is empty, not even {}", expected.first_line());
        return Err(SourceError::malformed(file.path(), Place::WHOLE, what, mend));
    }
    if let Some(kind) = binary(&first) {
        let what = format!("it is {kind}, no {expected}");
        return Err(SourceError::malformed(file.path(), Place::WHOLE, what, format!("save the table as {expected}")));
    }
    let marked = [Charset::Utf8Bom, Charset::Utf16Le, Charset::Utf16Be]
        .into_iter()
        .find(|charset| first.starts_with(charset.mark()));
    match (wanted, marked) {
        (SourceCharset::Auto, None) => detect(file, first, over),
        (SourceCharset::Auto, Some(charset))
        | (SourceCharset::Utf8, Some(charset @ Charset::Utf8Bom))
        | (SourceCharset::Utf16, Some(charset @ (Charset::Utf16Le | Charset::Utf16Be))) => Ok(charset),
        (SourceCharset::Utf8, None) => Ok(Charset::Utf8),
        (SourceCharset::Sjis, None) => Ok(Charset::Sjis),
        (SourceCharset::EucJp, None) => Ok(Charset::EucJp),
        (SourceCharset::Iso2022Jp, None) => Ok(Charset::Iso2022Jp),
        (SourceCharset::Utf16, None) => Ok(Charset::Utf16Le),
        (_, Some(charset)) => {
            let what = format!("the file begins with the byte order mark of {charset}, which is not the charset set");
            Err(SourceError::charset(file.path(), Place::WHOLE, what, "correct charset:, or set it to auto"))
        }
    }
}

/// Files that are chosen by mistake, by their first bytes.
fn binary(first: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 5] = [
        (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"%PDF-", "a PDF"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"SQLite format 3", "an SQLite database"),
    ];
    kinds.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, kind)| *kind)
}

/// What the first pass saw: everything that can be said without decoding anything but UTF-8.
#[derive(Debug, Default)]
struct Seen {
    non_ascii: bool,
    japanese_escape: bool,
    /// Characters of two bytes that do not stand beside an ASCII letter, as they would in Müller; and whether any
    /// character is longer. A few such pairs may as well be half-width katakana in Shift_JIS.
    doubtful: u64,
    long: bool,
}

fn detect(file: &mut Watched, mut piece: Vec<u8>, mut over: bool) -> Result<Charset, SourceError> {
    let mut seen = Seen::default();
    let mut offset = 0_u64;
    loop {
        if let Some(nul) = memchr::memchr(0, &piece) {
            let at = offset + nul as u64;
            return Err(nul_at(file, at)?);
        }
        let whole = piece.len() - if over { 0 } else { unfinished(&piece) };
        let text = match std::str::from_utf8(&piece[..whole]) {
            Ok(text) => text,
            Err(error) => return legacy(file, offset + error.valid_up_to() as u64),
        };
        look_at(text, &mut seen);
        offset += whole as u64;
        piece.drain(..whole);
        if over {
            break;
        }
        over = file.read(&mut piece)?;
    }
    if !seen.non_ascii {
        return Ok(if seen.japanese_escape { Charset::Iso2022Jp } else { Charset::Utf8 });
    }
    if seen.long || seen.doubtful == 0 || seen.doubtful >= 16 {
        return Ok(Charset::Utf8);
    }
    let mut rivals = Rivals::new();
    rivals.read_all(file)?;
    if rivals.sjis.fits() || rivals.euc.fits() {
        let what = "the few characters that are not ASCII can be read as UTF-8 and as Shift_JIS or EUC-JP alike";
        return Err(SourceError::charset(file.path(), Place::WHOLE, what, SET_IT));
    }
    Ok(Charset::Utf8)
}

fn look_at(text: &str, seen: &mut Seen) {
    if text.is_ascii() {
        seen.japanese_escape |= memchr::memmem::find(text.as_bytes(), b"\x1b$").is_some()
            || memchr::memmem::find(text.as_bytes(), b"\x1b(I").is_some();
        return;
    }
    seen.non_ascii = true;
    if seen.long || seen.doubtful >= 16 {
        return;
    }
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        match letter.len_utf8() {
            1 => {}
            2 => {
                let beside = before.is_ascii_alphabetic() || letters.peek().is_some_and(char::is_ascii_alphabetic);
                seen.doubtful += u64::from(!(beside && letter.is_alphabetic()));
            }
            _ => {
                seen.long = true;
                return;
            }
        }
        before = letter;
    }
}

/// The line in which a byte stands, for charsets in which a line feed is one byte.
fn line_of(file: &mut Watched, offset: u64) -> Result<u64, SourceError> {
    file.rewind()?;
    let mut piece = Vec::with_capacity(PIECE);
    let (mut line, mut left) = (1, offset);
    loop {
        piece.clear();
        let over = file.read(&mut piece)?;
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        line += memchr::memchr_iter(b'\n', &piece[..here]).count() as u64;
        left -= here as u64;
        if over || left == 0 {
            return Ok(line);
        }
    }
}

fn nul_at(file: &mut Watched, offset: u64) -> Result<SourceError, SourceError> {
    let place = Place::byte(line_of(file, offset)?, offset);
    let mend = "the file is damaged or no text; if it is UTF-16 without a byte order mark, set charset: utf16";
    Ok(SourceError::malformed(file.path(), place, "a NUL byte", mend))
}

/// The file is no UTF-8, as its byte at `invalid` shows: which of the others?
fn legacy(file: &mut Watched, invalid: u64) -> Result<Charset, SourceError> {
    let mut rivals = Rivals::new();
    rivals.read_all(file)?;
    if rivals.mostly_utf8() {
        let place = Place::byte(line_of(file, invalid)?, invalid);
        let what = "bytes that are no UTF-8 in a text that otherwise is";
        let mend = "the file is cut or damaged, or joined from files in different charsets: write it anew in one";
        return Err(SourceError::charset(file.path(), place, what, mend));
    }
    match (rivals.sjis.broken_at, rivals.euc.broken_at) {
        (None, Some(_)) => Ok(Charset::Sjis),
        (Some(_), None) => Ok(Charset::EucJp),
        (None, None) => choose(&rivals).ok_or_else(|| {
            let what = "it can be read as Shift_JIS and as EUC-JP alike, and what is right is not certain";
            SourceError::charset(file.path(), Place::WHOLE, what, SET_IT)
        }),
        (Some(sjis), Some(euc)) => {
            // Whichever reads further is the likelier charset, and its fault the one to be mended.
            let (charset, at) = if euc > sjis { (Charset::EucJp, euc) } else { (Charset::Sjis, sjis) };
            let place = Place::byte(line_of(file, at)?, at);
            let what = format!(
                "bytes that are no text in UTF-8, Shift_JIS, EUC-JP or ISO-2022-JP (as {charset} it can be read up to here)"
            );
            let mend = format!("write the file in one charset throughout, or {SET_IT}");
            Err(SourceError::charset(file.path(), place, what, mend))
        }
    }
}
