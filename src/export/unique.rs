//! Columns in which no two rows may have one value. It is asked with the means of [`super::duplicates`], in the source's
//! order and before anything is sorted; the keys by which people know the rows pass through the folder.

use super::duplicates::Keys;
use super::line::Liner;
use super::plan::Plan;
use super::spill::Spill;
use crate::domain::failure::{Code, Failure, RowFault, RowReason};
use crate::domain::record::Row;
use std::io::Read as _;
use std::path::Path;

/// How many bytes of keys are collected before they are passed through the folder.
const KEY_BYTES: usize = 64 << 10;

/// The values of the rows that are sent.
#[derive(Debug)]
pub(super) struct Uniques {
    /// A column's place, and its values.
    columns: Vec<(usize, Keys)>,
    names: Names,
    records: u64,
}

impl Uniques {
    pub(super) fn new(plan: &Plan, folder: &Path) -> Self {
        let most = plan.tuning().key_entries / plan.unique.len().max(1);
        let columns = plan.unique.iter().map(|&at| (at, Keys::new(folder, most))).collect();
        Self { columns, names: Names::new(folder), records: 0 }
    }

    /// Notes the values of the row that was looked at last.
    pub(super) fn note(&mut self, liner: &mut Liner<'_>, row: Row<'_>) -> Result<(), Failure> {
        for (at, values) in &mut self.columns {
            match liner.hash_of(row, *at) {
                Some(hash) => values.note(hash, self.records, row.line())?,
                None => values.pass(row.line())?,
            }
        }
        self.records += 1;
        self.names.push(liner.key_told(row))
    }

    /// The failure that names the first rows with a value that an earlier row has, if there are any.
    pub(super) fn failure(mut self, plan: &Plan) -> Result<Option<Failure>, Failure> {
        let mut rows = Vec::new();
        let mut total = 0;
        for (at, values) in &mut self.columns {
            let repeats = values.repeats()?;
            total += repeats.total;
            for repeat in repeats.first.iter().take(Failure::MOST_ROWS - rows.len()) {
                rows.push(RowFault {
                    key: self.names.get(repeat.record)?,
                    line: repeat.line,
                    column: plan.columns[*at].header.clone(),
                    reason: RowReason::Repeated { first: repeat.first_line },
                });
            }
        }
        let Some(first) = rows.first() else { return Ok(None) };
        let mut message = format!("{}: {} {}.", plan.row_name(first), first.column, first.reason);
        if total > 1 {
            message.push_str(&format!(" In all, {total} values stand in an earlier row, where they must be unique."));
        }
        message
            .push_str(" Correct the records in the source, or take unique: away from the column; then retry the run");
        Ok(Some(Failure::new(Code::RowRule, message).with_rows(rows, total)))
    }
}

/// The keys of records as people read them, one after another.
#[derive(Debug)]
struct Names {
    texts: Spill,
    fresh_texts: Vec<u8>,
    /// Where each text ends, eight bytes a record.
    ends: Spill,
    fresh_ends: Vec<u8>,
}

impl Names {
    fn new(folder: &Path) -> Self {
        Self { texts: Spill::new(folder), fresh_texts: Vec::new(), ends: Spill::new(folder), fresh_ends: Vec::new() }
    }

    fn push(&mut self, name: &str) -> Result<(), Failure> {
        self.fresh_texts.extend_from_slice(name.as_bytes());
        let end = self.texts.length() + self.fresh_texts.len() as u64;
        self.fresh_ends.extend_from_slice(&end.to_le_bytes());
        if self.fresh_texts.len() + self.fresh_ends.len() >= KEY_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.texts.append(&self.fresh_texts)?;
        self.ends.append(&self.fresh_ends)?;
        self.fresh_texts.clear();
        self.fresh_ends.clear();
        Ok(())
    }

    fn get(&mut self, record: u64) -> Result<String, Failure> {
        self.flush()?;
        let start = match record.checked_sub(1) {
            None => 0,
            Some(before) => self.end(before)?,
        };
        let mut text = Vec::new();
        let read = self.texts.reader(start..self.end(record)?, 1 << 10).read_to_end(&mut text);
        read.map_err(|error| self.texts.unreadable(&error))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn end(&self, record: u64) -> Result<u64, Failure> {
        let mut bytes = [0; 8];
        let piece = record * 8..record * 8 + 8;
        self.ends.reader(piece, 8).read_exact(&mut bytes).map_err(|error| self.ends.unreadable(&error))?;
        Ok(u64::from_le_bytes(bytes))
    }
}
