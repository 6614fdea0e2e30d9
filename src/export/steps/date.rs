//! Dates: read in one form, written in another.

use crate::domain::failure::RowReason;
use crate::domain::menu::DateForm;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use std::fmt::Write as _;

/// A date's reading and writing, its formats taken apart once.
#[derive(Debug, Clone)]
pub(super) struct Date {
    from: Vec<Item<'static>>,
    from_written: String,
    to: Vec<Item<'static>>,
}

impl Date {
    /// A pattern that is none is the error.
    pub(super) fn new(form: &DateForm) -> Result<Self, String> {
        let items = |pattern: &String| StrftimeItems::new(pattern).parse_to_owned().map_err(|_| pattern.clone());
        Ok(Self { from: items(&form.from)?, from_written: form.from.clone(), to: items(&form.to)? })
    }

    pub(super) fn rewrite(&self, text: &str) -> Result<String, RowReason> {
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
