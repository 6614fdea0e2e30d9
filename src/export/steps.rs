//! A column's steps: trim, width, kana, date, required, the longest text. Each takes a text and gives a text or the
//! reason why the row breaks a rule. A reason never holds the value.

use super::characters::{Encoder, Mark};
use super::width;
use crate::domain::failure::{Code, Failure, RowReason};
use crate::domain::integration::Charset;
use crate::domain::menu::{Column, DateForm, OnLong, Width};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The steps of one column.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    trim: bool,
    width: Option<Width>,
    kana: Option<Width>,
    date: Option<Date>,
    required: bool,
    longest: Option<Longest>,
}

impl Steps {
    /// The steps that a column asks for; `None` if it is sent as the source has it.
    pub(super) fn of(column: &Column, charset: Charset) -> Result<Option<Self>, Failure> {
        if column.constant.is_none()
            && *column == (Column { field: column.field.clone(), ..Column::plain(&column.header) })
        {
            return Ok(None);
        }
        let date = column.date.as_ref().map(Date::new).transpose().map_err(|pattern| {
            let message = format!("column {}: {pattern:?} is no date format. Write %Y/%m/%d, say", column.header);
            Failure::new(Code::SettingsInvalid, message)
        })?;
        let longest = (column.max_chars.is_some() || column.max_bytes.is_some()).then(|| Longest {
            chars: column.max_chars.map(|most| most as usize),
            bytes: column.max_bytes.map(|most| most as usize),
            on_long: column.on_long,
            folds: charset == Charset::Sjis,
        });
        Ok(Some(Self {
            trim: column.trim,
            width: column.width,
            kana: column.kana,
            date,
            required: column.required,
            longest,
        }))
    }

    /// Whether what they give has been through the replacement table, as a length is that of the value as it is sent.
    pub(super) fn replace(&self) -> bool {
        self.longest.is_some()
    }

    /// Writes `value`, step by step, to the empty `out`.
    ///
    /// # Errors
    ///
    /// The reason why the row breaks a rule; `out` then holds the value as far as it came.
    pub(super) fn apply(&self, value: &str, encoder: &Encoder, mark: &Mark, out: &mut String) -> Result<(), RowReason> {
        let mut text = Cow::Borrowed(if self.trim { value.trim() } else { value });
        match self.width {
            None => {}
            Some(Width::Full) => change(&mut text, width::to_full_width_ascii),
            Some(Width::Half) => change(&mut text, width::to_half_width_ascii),
        }
        match self.kana {
            None => {}
            Some(Width::Full) => change(&mut text, width::kana_to_full),
            Some(Width::Half) => change(&mut text, width::kana_to_half),
        }
        let mut result = Ok(());
        if let Some(date) = &self.date
            && !text.is_empty()
        {
            match date.rewrite(&text) {
                Ok(rewritten) => text = Cow::Owned(rewritten),
                Err(reason) => result = Err(reason),
            }
        }
        if self.required && text.is_empty() {
            result = Err(RowReason::Required);
        }
        if let Some(longest) = &self.longest {
            change(&mut text, |text| encoder.replace(text));
            match longest.fit(&text, mark) {
                Ok(kept) => {
                    out.push_str(kept);
                    return result;
                }
                Err(reason) => result = result.and(Err(reason)),
            }
        }
        out.push_str(&text);
        result
    }
}

fn change<'t>(text: &mut Cow<'t, str>, with: impl for<'a> Fn(&'a str) -> Cow<'a, str>) {
    *text = match text {
        Cow::Borrowed(borrowed) => with(borrowed),
        Cow::Owned(owned) => match with(owned) {
            Cow::Borrowed(same) if same.len() == owned.len() => return,
            changed => Cow::Owned(changed.into_owned()),
        },
    };
}

/// A date's reading and writing, its formats taken apart once.
#[derive(Debug, Clone)]
struct Date {
    from: Vec<Item<'static>>,
    from_written: String,
    to: Vec<Item<'static>>,
}

impl Date {
    fn new(form: &DateForm) -> Result<Self, String> {
        let items = |pattern: &String| StrftimeItems::new(pattern).parse_to_owned().map_err(|_| pattern.clone());
        Ok(Self { from: items(&form.from)?, from_written: form.from.clone(), to: items(&form.to)? })
    }

    fn rewrite(&self, text: &str) -> Result<String, RowReason> {
        let mut parsed = Parsed::new();
        let unreadable = || RowReason::NotADate { form: self.from_written.clone() };
        parse(&mut parsed, text.trim(), self.from.iter()).map_err(|_| unreadable())?;
        let at = match parsed.to_naive_datetime_with_offset(0) {
            Ok(at) => at,
            Err(_) => parsed.to_naive_date().map_err(|_| unreadable())?.and_time(chrono::NaiveTime::MIN),
        };
        let mut written = String::new();
        // A format that asks for what a date does not have (%z) is an error here, where to_string would panic.
        write!(written, "{}", at.format_with_items(self.to.iter())).map_err(|_| RowReason::DateNotWritable)?;
        Ok(written)
    }
}

/// The longest text, measured as it is sent.
#[derive(Debug, Clone)]
struct Longest {
    chars: Option<usize>,
    bytes: Option<usize>,
    on_long: OnLong,
    /// Whether か and its voicing mark are sent as one letter.
    folds: bool,
}

impl Longest {
    /// The text, or as much of it as fits.
    fn fit<'t>(&self, text: &'t str, mark: &Mark) -> Result<&'t str, RowReason> {
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
