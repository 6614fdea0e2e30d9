//! Dates: read in one form, written in another.

use super::wareki;
use crate::domain::failure::RowReason;
use crate::domain::menu::DateForm;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDateTime, NaiveTime};
use std::fmt::Write as _;

/// A date's reading and writing, its formats taken apart once.
#[derive(Debug, Clone)]
pub(super) struct Date {
    from: Reading,
    from_written: String,
    to: Vec<Item<'static>>,
}

#[derive(Debug, Clone)]
enum Reading {
    Wareki,
    Items(Vec<Item<'static>>),
}

impl Date {
    /// A pattern that is none is the error.
    pub(super) fn new(form: &DateForm) -> Result<Self, String> {
        let items = |pattern: &String| StrftimeItems::new(pattern).parse_to_owned().map_err(|_| pattern.clone());
        let from = if form.from == DateForm::WAREKI { Reading::Wareki } else { Reading::Items(items(&form.from)?) };
        Ok(Self { from, from_written: form.from.clone(), to: items(&form.to)? })
    }

    pub(super) fn rewrite(&self, text: &str) -> Result<String, RowReason> {
        let at = self.read(text).ok_or_else(|| RowReason::NotADate { form: self.from_written.clone() })?;
        let mut written = String::new();
        // A format that asks for what a date does not have (%z) is an error here, where to_string would panic.
        write!(written, "{}", at.format_with_items(self.to.iter())).map_err(|_| RowReason::DateNotWritable)?;
        Ok(written)
    }

    fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let items = match &self.from {
            Reading::Wareki => return wareki::read(text).map(|date| date.and_time(NaiveTime::MIN)),
            Reading::Items(items) => items,
        };
        let mut parsed = Parsed::new();
        parse(&mut parsed, text.trim(), items.iter()).ok()?;
        match parsed.to_naive_datetime_with_offset(0) {
            Ok(at) => Some(at),
            Err(_) => Some(parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN)),
        }
    }
}
