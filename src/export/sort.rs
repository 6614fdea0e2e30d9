//! Sorting lines in a bounded amount of memory: runs are sorted, passed through the folder and merged. Lines with equal
//! keys keep the order in which they came.

use super::Line;
use super::spill::{Piece, Spill};
use crate::domain::failure::Failure;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// How many runs are merged at once, each through a buffer of [`READ_BYTES`].
const FAN_IN: usize = 64;
const READ_BYTES: usize = 64 << 10;
/// What stands before the key and the line: their lengths, lines, source line, hash.
const HEAD: usize = 4 + 4 + 4 + 8 + 16;

/// Takes lines in any order and gives them back in that of their keys.
#[derive(Debug)]
pub(super) struct Sorter {
    most: usize,
    records: Vec<u8>,
    /// The beginning of each record's key and where the record lies.
    index: Vec<(u64, usize)>,
    spill: Spill,
    runs: Vec<Range<u64>>,
}

impl Sorter {
    /// A sorter that holds `most` bytes in memory.
    pub(super) fn new(folder: &Path, most: usize) -> Self {
        Self { most, records: Vec::new(), index: Vec::new(), spill: Spill::new(folder), runs: Vec::new() }
    }

    pub(super) fn push(&mut self, key: &[u8], line: Line<'_>) -> Result<(), Failure> {
        let size = HEAD + key.len() + line.bytes.len();
        let held = self.records.len() + self.index.len() * size_of::<(u64, usize)>();
        if held + size > self.most && !self.index.is_empty() {
            self.spill_run()?;
        }
        self.index.push((beginning(key), self.records.len()));
        write_record(key, line, &mut self.records);
        Ok(())
    }

    /// Gives the lines back in order.
    pub(super) fn drain(mut self, mut put: impl FnMut(Line<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        if self.runs.is_empty() {
            self.sort();
            return self.index.iter().try_for_each(|&(_, at)| put(line_of(&self.records[at..])));
        }
        self.spill_run()?;
        self.records = Vec::new();
        self.index = Vec::new();
        while self.runs.len() > FAN_IN {
            self.merge_some()?;
        }
        merge(&self.spill, &self.runs, |record| put(line_of(record)))
    }

    fn sort(&mut self) {
        let records = &self.records;
        self.index.sort_unstable_by(|(left, left_at), (right, right_at)| {
            let by_key = || key_of(&records[*left_at..]).cmp(key_of(&records[*right_at..]));
            left.cmp(right).then_with(by_key).then(left_at.cmp(right_at))
        });
    }

    fn spill_run(&mut self) -> Result<(), Failure> {
        self.sort();
        let mut writer = RunWriter::new(&mut self.spill);
        for &(_, at) in &self.index {
            let record = &self.records[at..];
            writer.write(&record[..length_of(record)])?;
        }
        self.runs.push(writer.end()?);
        self.records.clear();
        self.index.clear();
        Ok(())
    }

    /// Merges neighbouring runs into fewer and longer ones, in a new file.
    fn merge_some(&mut self) -> Result<(), Failure> {
        let mut merged = self.spill.another();
        let mut runs = Vec::new();
        for some in self.runs.chunks(FAN_IN) {
            let mut writer = RunWriter::new(&mut merged);
            merge(&self.spill, some, |record| writer.write(record))?;
            runs.push(writer.end()?);
        }
        self.spill = merged;
        self.runs = runs;
        Ok(())
    }
}

fn beginning(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let known = key.len().min(8);
    first[..known].copy_from_slice(&key[..known]);
    u64::from_be_bytes(first)
}

fn write_record(key: &[u8], line: Line<'_>, out: &mut Vec<u8>) {
    // Both are far below 4 GiB: a field is bounded by the sources.
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length(key));
    out.extend_from_slice(&length(line.bytes));
    out.extend_from_slice(&line.lines.to_le_bytes());
    out.extend_from_slice(&line.source_line.to_le_bytes());
    out.extend_from_slice(&line.key.to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(line.bytes);
}

fn number(record: &[u8], at: usize) -> usize {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[at..at + 4]);
    u32::from_le_bytes(bytes) as usize
}

fn length_of(record: &[u8]) -> usize {
    HEAD + number(record, 0) + number(record, 4)
}

fn key_of(record: &[u8]) -> &[u8] {
    &record[HEAD..HEAD + number(record, 0)]
}

fn line_of(record: &[u8]) -> Line<'_> {
    let mut source_line = [0; 8];
    source_line.copy_from_slice(&record[12..20]);
    let mut key = [0; 16];
    key.copy_from_slice(&record[20..HEAD]);
    let start = HEAD + number(record, 0);
    Line {
        bytes: &record[start..start + number(record, 4)],
        lines: u32::try_from(number(record, 8)).unwrap_or(u32::MAX),
        key: u128::from_le_bytes(key),
        source_line: u64::from_le_bytes(source_line),
    }
}

/// Writes one run through a buffer.
struct RunWriter<'s> {
    start: u64,
    spill: &'s mut Spill,
    buffer: Vec<u8>,
}

impl<'s> RunWriter<'s> {
    fn new(spill: &'s mut Spill) -> Self {
        Self { start: spill.length(), spill, buffer: Vec::with_capacity(READ_BYTES) }
    }

    fn write(&mut self, record: &[u8]) -> Result<(), Failure> {
        if self.buffer.len() + record.len() > READ_BYTES {
            self.spill.append(&self.buffer)?;
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(record);
        Ok(())
    }

    fn end(self) -> Result<Range<u64>, Failure> {
        self.spill.append(&self.buffer)?;
        Ok(self.start..self.spill.length())
    }
}

/// The foremost record of a run that is being merged.
struct Front<'s> {
    record: Vec<u8>,
    run: usize,
    rest: BufReader<Piece<'s>>,
}

impl Front<'_> {
    /// Goes on to the next record; `false` at the run's end.
    fn advance(&mut self) -> io::Result<bool> {
        let mut head = [0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match self.rest.read(&mut head[filled..])? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        self.record.clear();
        self.record.extend_from_slice(&head);
        self.record.resize(length_of(&head), 0);
        self.rest.read_exact(&mut self.record[HEAD..])?;
        Ok(true)
    }
}

impl Ord for Front<'_> {
    /// Reversed, since the heap gives the largest.
    fn cmp(&self, other: &Self) -> Ordering {
        key_of(&other.record).cmp(key_of(&self.record)).then(other.run.cmp(&self.run))
    }
}

impl PartialOrd for Front<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Front<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Front<'_> {}

fn merge(
    spill: &Spill,
    runs: &[Range<u64>],
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error: io::Error| spill.unreadable(&error);
    let mut fronts = BinaryHeap::with_capacity(runs.len());
    for (run, piece) in runs.iter().enumerate() {
        let mut front = Front { record: Vec::new(), run, rest: spill.reader(piece.clone(), READ_BYTES) };
        if front.advance().map_err(unreadable)? {
            fronts.push(front);
        }
    }
    while let Some(mut front) = fronts.peek_mut() {
        take(&front.record)?;
        if !front.advance().map_err(unreadable)? {
            PeekMut::pop(front);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few numbers that look like chance, the same each time.
    fn numbers(count: usize) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(12_345_u64), |n| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)))
            .map(|n| n >> 40)
            .take(count)
    }

    #[test]
    fn lines_come_back_as_a_stable_sort_gives_them_however_many_runs_there_are() {
        let folder = tempfile::tempdir().unwrap();
        // 60 bytes a run make thousands of runs of one record, and so two rounds of merging; the last fits in memory.
        for most in [60, 1_000, 20_000, 10 << 20] {
            let mut sorter = Sorter::new(folder.path(), most);
            let mut expected: Vec<(String, u64)> = Vec::new();
            for (nth, number) in numbers(6_000).enumerate() {
                let key = format!("a long beginning {}", number % 500);
                let text = format!("{key},{nth}\r\n");
                let line = Line { bytes: text.as_bytes(), lines: 1, key: u128::from(number), source_line: nth as u64 };
                sorter.push(key.as_bytes(), line).unwrap();
                expected.push((key, nth as u64));
            }
            expected.sort_by(|left, right| left.0.cmp(&right.0));
            let mut got = Vec::new();
            sorter
                .drain(|line| {
                    let text = String::from_utf8(line.bytes.to_vec()).unwrap();
                    got.push((text.split(',').next().unwrap().to_owned(), line.source_line));
                    Ok(())
                })
                .unwrap();
            assert!(got == expected, "with {most} bytes in memory");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left in the folder");
    }
}
