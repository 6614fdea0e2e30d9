//! The character rules: text → the bytes that 楽楽精算 takes as Shift_JIS.
//!
//! Shift_JIS means Windows-31J (CP932) here, and what is written equals glibc's `iconv -t CP932` on every Unicode
//! scalar value outside the private use areas. The order is fixed: first the company's [`Replacements`], then the
//! foldings (one letter that Unicode has twice is one letter: `letters` lists them), then the check, then the bytes.
//! The room refuses to guess: what cannot be written is reported as [`Unmappable`], with a suggestion for a human,
//! and is replaced only by [`Encoder::encode_substituting`], where the caller says by what and gets the list.
//!
//! Decisions, each held by a test:
//!
//! - ¢ £ ¬ — ‖ 〜 − are written as the letters ￠ ￡ ￢ ― ∥ ～ － beside them; ¥ (U+00A5) and ‾ (U+203E) as the bytes
//!   5C and 7E; all of that is what iconv does.
//! - U+0080 is not mappable, as in iconv (the WHATWG encoder underneath would write the byte 80).
//! - Language tags (U+E0000–U+E007F) are invisible and write nothing, as in iconv.
//! - 外字 (private use: U+E000–U+F8FF, planes 15 and 16) are refused by that name. iconv writes U+E000–U+E757 as the
//!   bytes F040–F9FC, but only the machine with that font knows what the letter is. The replacement table can give it a
//!   meaning.
//! - Control characters are mappable, as in iconv ([`encode_plainly`]), but not welcome in a field ([`Encoder`]): all
//!   but tab, LF and CR are refused there, DEL and U+0080–U+009F included.
//! - This is not NFC or NFKC over everything: Windows-31J has a 塚 of its own at U+FA10 and Å at U+212B, and they stay
//!   what they are.

mod findings;
mod letters;
mod replacements;
mod suggestions;
mod table;

use std::borrow::Cow;

use encoding_rs::{EncoderResult, SHIFT_JIS};
use thiserror::Error;

pub use findings::{Reason, Unmappable};
pub use replacements::{ReplacementError, Replacements};

use findings::Findings;
use letters::{Letter, Letters};

/// Writes fields as Shift_JIS: the company's replacements, the foldings, the check, the bytes.
///
/// The bytes of a field never hold `"`, `,`, CR or LF unless the letter itself is there: no second byte of a Shift_JIS
/// letter is below 0x40. So quoting may be decided on the bytes written; on the field it would miss what a replacement
/// brings in.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    replacements: Replacements,
}

impl Encoder {
    /// An encoder that applies this company's replacements first; `Replacements::default()` has none.
    #[must_use]
    pub fn new(replacements: Replacements) -> Self {
        Self { replacements }
    }

    /// Appends `field` to `out` in Shift_JIS.
    ///
    /// # Errors
    ///
    /// Every distinct character that cannot be written, in the order of appearance; `out` is then as it was.
    pub fn encode_field(&self, field: &str, out: &mut Vec<u8>) -> Result<(), Vec<Unmappable>> {
        if self.encode_quickly(field, out) {
            return Ok(());
        }
        let before = out.len();
        let found = self.encode_by_letter(field, None, out);
        if found.is_empty() {
            return Ok(());
        }
        out.truncate(before);
        Err(found)
    }

    /// Appends `field` to `out` in Shift_JIS with `mark` in the place of each letter that cannot be written. Returns
    /// those letters, each distinct one once, in the order of appearance: what was substituted must be listed.
    #[must_use = "what was substituted has to be told to people"]
    pub fn encode_substituting(&self, field: &str, mark: &Mark, out: &mut Vec<u8>) -> Vec<Unmappable> {
        if self.encode_quickly(field, out) {
            return Vec::new();
        }
        self.encode_by_letter(field, Some(mark), out)
    }

    /// The length of `field` in Shift_JIS bytes, after replacements and foldings: what a maximum in bytes is about.
    ///
    /// # Errors
    ///
    /// As [`Encoder::encode_field`].
    pub fn sjis_len(&self, field: &str) -> Result<usize, Vec<Unmappable>> {
        if !self.replacements.concern_ascii() && is_plain_ascii(field.as_bytes()) {
            return Ok(field.len());
        }
        let mut bytes = Vec::new();
        self.encode_field(field, &mut bytes)?;
        Ok(bytes.len())
    }

    /// The longest beginning of `field` that is at most `most` bytes long in Shift_JIS. It never cuts into a letter, nor
    /// between a letter and its voicing mark (か and U+3099, ｶ and ﾞ) or variation selector.
    ///
    /// # Errors
    ///
    /// As [`Encoder::encode_field`], for the part that is kept.
    pub fn beginning_within<'a>(&self, field: &'a str, most: usize) -> Result<&'a str, Vec<Unmappable>> {
        let mut length = 0;
        let mut scratch = Vec::with_capacity(4);
        let mut cut = None;
        for letter in self.letters(field) {
            scratch.clear();
            if encode_letter(letter.character, &mut scratch).is_ok() {
                length += scratch.len();
            }
            if length > most {
                cut = Some(letter.index);
                break;
            }
        }
        let kept = match cut {
            None => field,
            Some(index) => letters::cut_before(field, index),
        };
        self.sjis_len(kept).map(|_| kept)
    }

    /// `field` after the company's replacements alone: what goes into a UTF-8 file, where every letter has a place and
    /// nothing is folded. The check that remains there is [`forbidden_controls`].
    #[must_use]
    pub fn replace<'a>(&self, field: &'a str) -> Cow<'a, str> {
        self.replacements.apply(field)
    }

    /// Appends `text` in Shift_JIS if not a letter of it is replaced, folded or refused; `false`, and `out` as it was, if
    /// there is more to do. For such a text a whole CSV line is written in one go as its fields would be one by one.
    pub(super) fn encode_as_it_is(&self, text: &str, out: &mut Vec<u8>) -> bool {
        let bytes = text.as_bytes();
        let survey = survey(bytes);
        if survey.plain && !survey.wide && !self.replacements.concern_ascii() {
            out.extend_from_slice(bytes);
            return true;
        }
        survey.plain && !self.replacements.concern(text) && table::encode(text, out)
    }

    /// The quick ways, without positions: the field as it is, or replaced and folded as a whole. `false`, and `out` as
    /// it was, if there is something to tell.
    fn encode_quickly(&self, field: &str, out: &mut Vec<u8>) -> bool {
        if self.encode_as_it_is(field, out) {
            return true;
        }
        let mut text = String::with_capacity(field.len());
        for letter in self.letters(field) {
            if refusal_by_policy(letter.character).is_some() {
                return false;
            }
            text.push(letter.character);
        }
        encode_whole(&text, out)
    }

    /// The thorough way: letter by letter, with positions. Without a mark nothing is written for a refused letter.
    fn encode_by_letter(&self, field: &str, mark: Option<&Mark>, out: &mut Vec<u8>) -> Vec<Unmappable> {
        let mut findings = Findings::default();
        for letter in self.letters(field) {
            let refused = refusal_by_policy(letter.character).or_else(|| encode_letter(letter.character, out).err());
            if let Some(reason) = refused {
                findings.note(letter, reason);
                out.extend_from_slice(mark.map_or(&[], |mark| &mark.bytes));
            }
        }
        findings.into_list()
    }

    fn letters<'a>(&'a self, field: &'a str) -> Letters<'a> {
        Letters::new(&self.replacements, field)
    }
}

/// What stands in the place of a letter that cannot be written, where the settings ask for that: 〓, ?, ＊, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    bytes: Vec<u8>,
}

/// Why a text cannot be a [`Mark`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MarkError {
    /// An empty mark would drop letters without a trace.
    #[error(
        "the mark for letters that cannot be written is empty: letters would vanish without a trace; write 〓, for example"
    )]
    Empty,
    /// A tab or a line break would change the shape of the file.
    #[error("the mark for letters that cannot be written holds a tab or a line break; write 〓, for example")]
    Whitespace,
    /// The mark itself cannot be written.
    #[error("the mark for letters that cannot be written cannot be written itself: {0}; write 〓, for example")]
    Unmappable(Unmappable),
}

impl Mark {
    /// 〓, the mark that printers set where a letter is wanting.
    #[must_use]
    pub fn geta() -> Self {
        Self { bytes: vec![0x81, 0xAC] }
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// A mark of one or more letters that Shift_JIS has.
    ///
    /// # Errors
    ///
    /// An empty mark, one with a tab or a line break, or one that cannot be written itself.
    pub fn new(text: &str) -> Result<Self, MarkError> {
        if text.contains(['\t', '\n', '\r']) {
            return Err(MarkError::Whitespace);
        }
        let mut bytes = Vec::new();
        if let Err(found) = Encoder::default().encode_field(text, &mut bytes) {
            return Err(found.into_iter().next().map_or(MarkError::Empty, MarkError::Unmappable));
        }
        if bytes.is_empty() { Err(MarkError::Empty) } else { Ok(Self { bytes }) }
    }
}

/// Appends `text` to `out` exactly as `iconv -t CP932` would, with the foldings of this room and without a company's
/// replacements; control characters are letters like others here.
///
/// # Errors
///
/// Every distinct character that cannot be written, 外字 among them; `out` is then as it was.
pub fn encode_plainly(text: &str, out: &mut Vec<u8>) -> Result<(), Vec<Unmappable>> {
    let before = out.len();
    let mut findings = Findings::default();
    for letter in Letters::new(&Replacements::default(), text) {
        if let Err(reason) = encode_letter(letter.character, out) {
            findings.note(letter, reason);
        }
    }
    let found = findings.into_list();
    if found.is_empty() {
        return Ok(());
    }
    out.truncate(before);
    Err(found)
}

/// The control characters that no field of a CSV file should hold, whatever its charset: all but tab, LF and CR.
#[must_use]
pub fn forbidden_controls(field: &str) -> Vec<Unmappable> {
    if survey(field.as_bytes()).plain {
        return Vec::new();
    }
    let mut findings = Findings::default();
    for (index, character) in (1..).zip(field.chars()) {
        if let Some(reason) = refusal_by_policy(character) {
            findings.note(Letter { character, index }, reason);
        }
    }
    findings.into_list()
}

/// What one pass over the bytes tells.
struct Survey {
    /// No control character but tab, LF and CR, and none of U+0080–U+00BF, where the C1 controls are.
    plain: bool,
    /// A byte that is not ASCII.
    wide: bool,
}

/// Looks at every byte without a branch, so that the compiler can look at many at once.
fn survey(bytes: &[u8]) -> Survey {
    let mut odd = false;
    let mut wide = false;
    for &byte in bytes {
        odd |= (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
        odd |= (byte == 0x7F) | (byte == 0xC2);
        wide |= byte >= 0x80;
    }
    Survey { plain: !odd, wide }
}

fn is_plain_ascii(bytes: &[u8]) -> bool {
    let survey = survey(bytes);
    survey.plain && !survey.wide
}

/// What a field refuses although the encoding has a place for it.
fn refusal_by_policy(character: char) -> Option<Reason> {
    (character.is_control() && !matches!(character, '\t' | '\n' | '\r')).then_some(Reason::Control)
}

/// Appends `text`, if all of it can be written with no more than the foldings of single letters (〜 is common in texts,
/// so it is not worth a detour). Knows no U+0080: callers keep that away.
fn encode_whole(text: &str, out: &mut Vec<u8>) -> bool {
    let mut encoder = SHIFT_JIS.new_encoder();
    let Some(room) = encoder.max_buffer_length_from_utf8_without_replacement(text.len()) else {
        return false;
    };
    let start = out.len();
    out.resize(start + room, 0);
    let (mut rest, mut end) = (text, start);
    loop {
        let (result, read, written) = encoder.encode_from_utf8_without_replacement(rest, &mut out[end..], true);
        rest = &rest[read..];
        end += written;
        match result {
            EncoderResult::InputEmpty => {
                out.truncate(end);
                return true;
            }
            EncoderResult::Unmappable(letter) if letters::fold(letter) != letter => {
                let mut utf8 = [0; 4];
                let folded = letters::fold(letter).encode_utf8(&mut utf8);
                end += encoder.encode_from_utf8_without_replacement(folded, &mut out[end..], false).2;
            }
            EncoderResult::Unmappable(_) | EncoderResult::OutputFull => {
                out.truncate(start);
                return false;
            }
        }
    }
}

/// Appends one folded letter, or says why it has no place.
fn encode_letter(character: char, out: &mut Vec<u8>) -> Result<(), Reason> {
    match character {
        '\u{80}' => Err(Reason::Control),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => Err(Reason::PrivateUse),
        _ if encode_whole(character.encode_utf8(&mut [0; 4]), out) => Ok(()),
        _ if character.is_control() => Err(Reason::Control),
        _ => Err(Reason::NotInShiftJis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(field: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Encoder::default().encode_field(field, &mut out).unwrap();
        out
    }

    #[test]
    fn the_letters_of_japanese_names_are_written_as_windows_writes_them() {
        assert_eq!(written("髙﨑①"), b"\xFB\xFC\xFA\xB1\x87\x40");
        assert_eq!(written("ﾊﾝｶｸ, \"ok\"\r\n"), b"\xCA\xDD\xB6\xB8, \"ok\"\r\n");
    }

    #[test]
    fn one_letter_in_two_code_points_is_one_letter() {
        assert_eq!(written("〜−‖—¢£¬"), written("～－∥―￠￡￢"));
        assert_eq!(written("か\u{3099}き\u{3099}は\u{309A}ウ\u{3099}"), written("がぎぱヴ"));
        assert_eq!(written("ｶ\u{3099}ﾊ\u{309A}"), written("ｶﾞﾊﾟ"));
        assert_eq!(written("辻\u{E0100}さん\u{FE00}"), written("辻さん"));
    }

    #[test]
    fn letters_that_windows_keeps_apart_stay_apart() {
        assert_eq!(written("塚\u{FA10}"), b"\x92\xCB\xFA\x9C");
    }

    #[test]
    fn a_mark_without_its_letter_is_reported_with_a_suggestion() {
        let mut out = b"kept".to_vec();
        let found = Encoder::default().encode_field("あ\u{3099}\u{309A}", &mut out).unwrap_err();
        assert_eq!(out, b"kept");
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["U+3099 ◌\u{3099} (suggestion: ゛)", "U+309A ◌\u{309A} (suggestion: ゜)"]);
        let found = Encoder::default().encode_field("\u{FE00}あ", &mut out).unwrap_err();
        assert_eq!((found[0].character, found[0].index), ('\u{FE00}', 1));
    }

    #[test]
    fn every_distinct_letter_is_reported_once_with_its_first_place() {
        let found = Encoder::default().encode_field("一𠮷か\u{3099}𠮷😀𠮷", &mut Vec::new()).unwrap_err();
        let told: Vec<_> = found.iter().map(|u| (u.character, u.index, u.times, u.suggestion())).collect();
        assert_eq!(told, [('𠮷', 2, 3, Some("吉".to_owned())), ('😀', 6, 1, None)]);
    }

    #[test]
    fn control_characters_are_refused_in_a_field_and_known_to_the_encoding() {
        for control in ['\0', '\u{1B}', '\u{7F}'] {
            let field = format!("a{control}");
            let found = Encoder::default().encode_field(&field, &mut Vec::new()).unwrap_err();
            assert_eq!((found[0].index, found[0].reason), (2, Reason::Control));
            assert_eq!(forbidden_controls(&field), found);
            let mut out = Vec::new();
            encode_plainly(&field, &mut out).unwrap();
            assert_eq!(out, field.as_bytes());
        }
        let found = Encoder::default().encode_field("\u{80}", &mut Vec::new()).unwrap_err();
        assert_eq!(found[0].reason, Reason::Control);
        assert!(forbidden_controls("tab\t, line\r\n, ¢ and 漢字").is_empty());
    }

    #[test]
    fn a_mark_must_be_something_that_can_be_written_and_seen() {
        assert_eq!(Mark::new(""), Err(MarkError::Empty));
        assert_eq!(Mark::new("\u{E0001}"), Err(MarkError::Empty));
        assert_eq!(Mark::new("\n"), Err(MarkError::Whitespace));
        assert!(matches!(Mark::new("😀"), Err(MarkError::Unmappable(_))));
        let mut out = Vec::new();
        let found = Encoder::default().encode_substituting("𠮷田\u{E000}\0", &Mark::new("〓").unwrap(), &mut out);
        assert_eq!(out, written("〓田〓〓"));
        assert_eq!(found.iter().map(|u| u.index).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn lengths_are_in_bytes_after_the_rules() {
        let encoder = Encoder::new(Replacements::new([("㈱".to_owned(), "(株)".to_owned())]).unwrap());
        assert_eq!(encoder.sjis_len("abc"), Ok(3));
        assert_eq!(encoder.sjis_len("ｶﾅか\u{3099}漢"), Ok(6));
        assert_eq!(encoder.sjis_len("㈱"), Ok(4));
        assert!(encoder.sjis_len("𠮷").is_err());
    }

    #[test]
    fn a_beginning_never_cuts_into_a_letter() {
        let encoder = Encoder::new(Replacements::new([("㈱".to_owned(), "(株)".to_owned())]).unwrap());
        let cut = |field: &'static str, most| encoder.beginning_within(field, most).unwrap();
        assert_eq!(cut("漢字", 4), "漢字");
        assert_eq!(cut("漢字", 3), "漢");
        assert_eq!(cut("a㈱b", 4), "a");
        assert_eq!(cut("aか\u{3099}", 2), "a");
        assert_eq!(cut("aｶﾞ", 2), "a");
        assert_eq!(cut("aｶ\u{3099}", 2), "a");
        assert_eq!(cut("辻\u{E0100}b", 2), "辻\u{E0100}");
        assert_eq!(cut("", 0), "");
        assert!(encoder.beginning_within("𠮷漢", 2).is_err());
    }
}
