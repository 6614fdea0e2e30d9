//! Two rows with one key, found in a bounded amount of memory: a hash of each key is kept, sorted in runs that pass
//! through the folder, and merged. 88 bits of hash make a false alarm as likely as 1 in 10⁸ among a thousand million
//! rows.

use super::Batch;
use super::plan::Plan;
use super::preview::decode;
use super::spill::Spill;
use crate::domain::failure::{Code, Failure, RowFault, RowReason};
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;

/// The bits of an entry that number the record; the hash has the others.
const RECORD_BITS: u32 = 40;
const RECORD: u128 = (1 << RECORD_BITS) - 1;
const ENTRY: usize = size_of::<u128>();
/// How many source lines are collected before they are passed through the folder.
const LINES: usize = 8 << 10;

/// The keys of the records that were written.
#[derive(Debug)]
pub(super) struct Keys {
    most: usize,
    entries: Vec<u128>,
    spill: Spill,
    runs: Vec<Range<u64>>,
    /// Each record's line in the source, eight bytes a record.
    lines: Spill,
    fresh_lines: Vec<u8>,
}

/// The records whose key an earlier one has.
#[derive(Debug)]
pub(super) struct Repeats {
    /// The first of them, in the order in which they were noted; at most [`Failure::MOST_ROWS`].
    pub(super) first: Vec<Repeat>,
    /// How many there are.
    pub(super) total: u64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) record: u64,
    /// Its line in the source.
    pub(super) line: u64,
    /// The line of the first record with that key.
    pub(super) first_line: u64,
}

/// A record whose key an earlier one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Repeated {
    record: u64,
    first: u64,
}

impl Keys {
    /// Holds `most` keys in memory.
    pub(super) fn new(folder: &Path, most: usize) -> Self {
        Self {
            most: most.max(1),
            entries: Vec::new(),
            spill: Spill::new(folder),
            runs: Vec::new(),
            lines: Spill::new(folder),
            fresh_lines: Vec::new(),
        }
    }

    /// Notes the key of a record (from 0, in the order in which they are written).
    pub(super) fn note(&mut self, key: u128, record: u64, source_line: u64) -> Result<(), Failure> {
        if self.entries.len() == self.most {
            self.spill_run()?;
        }
        self.entries.push((key & !RECORD) | (u128::from(record) & RECORD));
        self.pass(source_line)
    }

    /// Counts a record that takes no part, so that the numbers of the others stay right.
    pub(super) fn pass(&mut self, source_line: u64) -> Result<(), Failure> {
        self.fresh_lines.extend_from_slice(&source_line.to_le_bytes());
        if self.fresh_lines.len() == LINES * 8 {
            self.lines.append(&self.fresh_lines)?;
            self.fresh_lines.clear();
        }
        Ok(())
    }

    /// The failure that names the first repeated keys, if there are any. The keys are read back from the batches.
    pub(super) fn duplicates(mut self, plan: &Plan, batches: &[Batch]) -> Result<Option<Failure>, Failure> {
        let repeats = self.repeats()?;
        if repeats.total == 0 {
            return Ok(None);
        }
        let texts = read_keys(plan, batches, repeats.first.iter().map(|repeat| repeat.record))
            .map_err(|error| self.spill.unreadable(&error))?;
        let rows = repeats.first.iter().map(|repeat| RowFault {
            key: texts.get(&repeat.record).cloned().unwrap_or_default(),
            line: repeat.line,
            column: plan.key_name.clone(),
            reason: RowReason::Repeated { first: repeat.first_line },
        });
        Ok(Some(failure(plan, rows.collect(), repeats.total)))
    }

    /// The records whose key an earlier one has. It is asked once, at the end.
    pub(super) fn repeats(&mut self) -> Result<Repeats, Failure> {
        let mut found = Found::default();
        if self.runs.is_empty() {
            self.entries.sort_unstable();
            self.entries.iter().for_each(|&entry| found.see(entry));
        } else {
            self.spill_run()?;
            self.merge(&mut found).map_err(|error| self.spill.unreadable(&error))?;
        }
        if found.total == 0 {
            return Ok(Repeats { first: Vec::new(), total: 0 });
        }
        self.lines.append(&self.fresh_lines)?;
        self.fresh_lines.clear();
        let line = |record: u64| -> Result<u64, Failure> {
            let mut bytes = [0; 8];
            let piece = record * 8..record * 8 + 8;
            self.lines.reader(piece, 8).read_exact(&mut bytes).map_err(|error| self.lines.unreadable(&error))?;
            Ok(u64::from_le_bytes(bytes))
        };
        let mut first = Vec::with_capacity(found.first.len());
        for Repeated { record, first: earlier } in found.first.into_sorted_vec() {
            first.push(Repeat { record, line: line(record)?, first_line: line(earlier)? });
        }
        Ok(Repeats { first, total: found.total })
    }

    fn spill_run(&mut self) -> Result<(), Failure> {
        self.entries.sort_unstable();
        let start = self.spill.length();
        let mut bytes = Vec::with_capacity(64 << 10);
        for entries in self.entries.chunks((64 << 10) / ENTRY) {
            bytes.clear();
            entries.iter().for_each(|entry| bytes.extend_from_slice(&entry.to_le_bytes()));
            self.spill.append(&bytes)?;
        }
        self.runs.push(start..self.spill.length());
        self.entries.clear();
        Ok(())
    }

    fn merge(&self, found: &mut Found) -> io::Result<()> {
        let buffer = (self.most * ENTRY / self.runs.len()).clamp(4 << 10, 256 << 10);
        let mut readers: Vec<_> = self.runs.iter().map(|run| self.spill.reader(run.clone(), buffer)).collect();
        let mut next = |run: usize| -> io::Result<Option<u128>> {
            let mut bytes = [0; ENTRY];
            match readers[run].read_exact(&mut bytes) {
                Ok(()) => Ok(Some(u128::from_le_bytes(bytes))),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error),
            }
        };
        let mut fronts = BinaryHeap::with_capacity(self.runs.len());
        for run in 0..self.runs.len() {
            fronts.extend(next(run)?.map(|entry| std::cmp::Reverse((entry, run))));
        }
        while let Some(mut front) = fronts.peek_mut() {
            let (entry, run) = front.0;
            found.see(entry);
            match next(run)? {
                Some(entry) => front.0 = (entry, run),
                None => drop(std::collections::binary_heap::PeekMut::pop(front)),
            }
        }
        Ok(())
    }
}

/// What a walk over the sorted entries finds.
#[derive(Debug, Default)]
struct Found {
    /// The entry with which the present key began.
    begun: Option<u128>,
    total: u64,
    /// The first of them by record.
    first: BinaryHeap<Repeated>,
}

impl Found {
    fn see(&mut self, entry: u128) {
        let record = |entry: u128| u64::try_from(entry & RECORD).unwrap_or(u64::MAX);
        match self.begun {
            Some(begun) if (begun ^ entry) >> RECORD_BITS == 0 => {
                self.total += 1;
                self.first.push(Repeated { record: record(entry), first: record(begun) });
                if self.first.len() > Failure::MOST_ROWS {
                    self.first.pop();
                }
            }
            _ => self.begun = Some(entry),
        }
    }
}

fn failure(plan: &Plan, rows: Vec<RowFault>, total: u64) -> Failure {
    let mut message = String::new();
    if let Some(first) = rows.first() {
        message = format!(
            "{} stands twice: line {} of the source, and it {}",
            plan.row_name(first),
            first.line,
            first.reason
        );
    }
    if total > 1 {
        message.push_str(&format!(". In all, {total} rows have a key that an earlier row has"));
    }
    message.push_str(". The receiver keeps one record a key; correct the source or the menu's key, or approve the run");
    Failure::new(Code::DuplicateKeys, message).with_rows(rows, total)
}

/// The keys of some records (ascending), as people read them, from the files.
fn read_keys(plan: &Plan, batches: &[Batch], records: impl Iterator<Item = u64>) -> io::Result<BTreeMap<u64, String>> {
    let mut texts = BTreeMap::new();
    let mut wanted = records.peekable();
    let mut before = 0;
    for batch in batches {
        let end = before + batch.records;
        if wanted.peek().is_some_and(|&record| record < end) {
            let mut file = File::open(&batch.path)?;
            io::copy(&mut file.by_ref().take(plan.preamble().bytes().len() as u64), &mut io::sink())?;
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
            let mut fields = csv::ByteRecord::new();
            let mut at = before;
            while wanted.peek().is_some_and(|&record| record < end) && reader.read_byte_record(&mut fields)? {
                if wanted.peek() == Some(&at) {
                    let parts = plan.key.iter().map(|&column| decode(plan, fields.get(column).unwrap_or_default()));
                    texts.insert(at, parts.collect::<Vec<_>>().join(" / "));
                    wanted.next();
                }
                at += 1;
            }
        }
        before = end;
    }
    Ok(texts)
}
