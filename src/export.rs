//! Records → columns → characters → CSV batches in the spool.
//!
//! A [`Plan`] is made once from a menu, the CSV's form and the source's header; [`write()`] then carries blocks of rows
//! through it into `batch-001.csv`, `batch-002.csv` … of one folder, each within the receiver's limits. The room takes
//! any iterator of blocks and does not know where they come from. It blocks, and belongs on a blocking thread; its
//! memory does not grow with the number of rows.
//!
//! It refuses to leave half an export behind: files have a working name until the last one is on the disk, and whatever
//! goes wrong, all are removed. It refuses to guess: what a row breaks is told with its key, its column and one
//! character at most, never with the record's other values. Whether a tripped check fails or holds the run is the
//! engine's to decide.
//!
//! What is written, decision by decision:
//!
//! - A row that does not meet the menu's `where` is none of its records: nothing else is asked of it. The conditions are
//!   on the source's columns as they are, blanks at both ends aside.
//! - A value goes through `constant`, `concat` or `field`, `trim`, `collapse_spaces`, `default`, `replace`, `case`,
//!   `width`, `kana`, `date`, `pad`, `max_chars` and `max_bytes` (with `on_long`), `required`, `pattern`, in this order;
//!   then through the character rules; `unique` looks at what came of it. Lengths are those of the value as it is sent:
//!   after the integration's replacement table and, in Shift_JIS, after the foldings. What is empty stays empty in
//!   `date` and `pad`, and passes `pattern` and `unique`: a code that is not there is no code of zeros.
//! - In UTF-8 the replacement table applies and nothing is folded: every letter has a place there.
//! - Headers are names, not data: the replacement table leaves them alone.
//! - A field is quoted if it holds a comma, a quote, CR or LF, and a row whose only field is empty is written `""`, as
//!   Python's csv module does it; lines end with CRLF.
//! - A line break inside a field counts as a line of the file (whether the receiver counts so is unknown; this is the
//!   safe reading, our inference). CRLF is one line break, a lone CR or LF is one each.
//! - `order_by` compares the values as sent but for the character rules: text by code point; numbers by value with
//!   all other texts after them, in either direction. Equal rows keep the source's order.
//! - Rows are the same record if their key is, byte for byte, as it is sent.

mod batches;
pub mod characters;
mod duplicates;
mod faults;
mod line;
mod order;
mod plan;
mod preview;
mod quoting;
mod similar;
mod sort;
mod spill;
mod steps;
mod stored;
mod unique;
pub mod width;

use crate::domain::failure::{Code, Failure, RowFault};
use crate::domain::record::Block;
use batches::BatchWriter;
use duplicates::Keys;
use faults::Faults;
use line::{Liner, Outcome};
use sort::Sorter;
use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use unique::Uniques;

pub use plan::{Plan, Tuning};
pub use preview::{Preview, PreviewRow, preview};
pub use stored::verify;

/// One CSV file of an export (連携データ(CSV) n).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its number, from 1.
    pub number: u32,
    /// Where it lies.
    pub path: PathBuf,
    /// Data rows, the header not counted.
    pub records: u64,
    /// Bytes, the header counted.
    pub bytes: u64,
    /// SHA-256 of the bytes, as 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A complete export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// The files in order; one with the header alone if there was no row.
    pub batches: Vec<Batch>,
    /// Rows that the source gave.
    pub read: u64,
    /// Rows of these that the list is not about, by the menu's `where`. They break no rule.
    pub not_meant: u64,
    /// Data rows written.
    pub records: u64,
    /// Bytes written, in all files.
    pub bytes: u64,
    /// Rows left out, by what they broke; at most [`Failure::MOST_ROWS`] of them.
    pub left_out: Vec<RowFault>,
    /// How many rows were left out.
    pub left_out_total: u64,
    /// Where the mark was written in the place of a letter; at most [`Failure::MOST_ROWS`] of them.
    pub substituted: Vec<RowFault>,
    /// How many rows have such a mark.
    pub substituted_total: u64,
    /// The checks that tripped, [`Code::Empty`] and [`Code::DuplicateKeys`]. The files are complete even so: a person
    /// may approve.
    pub tripped: Vec<Failure>,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows read so far.
    pub read: u64,
}

/// Why there is no export. Nothing of it is left in the folder.
#[derive(Debug, thiserror::Error)]
pub enum ExportError<E> {
    /// The source failed; its own error.
    #[error("{0}")]
    Source(E),
    /// The records, the settings or the disk.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// `progress` asked to stop.
    #[error("the export was stopped")]
    Stopped,
    /// Whoever read the output of [`write_single`] has gone away (a closed pipe).
    #[error("the reader of the output has gone away")]
    OutputClosed,
}

/// Writes all rows as batches into `folder`, which is made (0700) if it is not there. Files that an interrupted export
/// left there are replaced. `progress` is called after each block and can stop the export.
///
/// # Errors
///
/// The source's error; a row that may not be sent and may not be left out; a key of `--key` that is not in the source
/// ([`Code::KeyNotFound`]); a disk that is full ([`Code::SpoolUnwritable`]). The folder holds no batch then.
pub fn write<E>(
    plan: &Plan,
    blocks: impl IntoIterator<Item = Result<Block, E>>,
    folder: &Path,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Exported, ExportError<E>> {
    let target = Box::new(BatchWriter::create(plan, folder)?);
    let keys = plan.has_key().then(|| Keys::new(folder, plan.tuning().key_entries));
    carry(Export::new(plan, Target::Batches(target), keys, folder), blocks, progress)
}

/// Writes all rows as one CSV to `output`, without regard to the receiver's limits; `scratch` is a folder for the
/// passing files of a sort. The checks for an empty export and for duplicate keys are not made. Rows that were written
/// before an error stay written: to a file, write under a working name and rename.
///
/// # Errors
///
/// As [`write()`]; an output that cannot take more is [`Code::SpoolUnwritable`].
pub fn write_single<E>(
    plan: &Plan,
    blocks: impl IntoIterator<Item = Result<Block, E>>,
    output: &mut dyn io::Write,
    scratch: &Path,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Exported, ExportError<E>> {
    let gone = Cell::new(false);
    let mut target = Single { output, bytes: 0, gone: &gone };
    let result = match target.put(plan.preamble().bytes()) {
        Ok(()) => carry(Export::new(plan, Target::Single(target), None, scratch), blocks, progress),
        Err(failure) => Err(failure.into()),
    };
    if gone.get() { Err(ExportError::OutputClosed) } else { result }
}

fn carry<E>(
    mut export: Export<'_>,
    blocks: impl IntoIterator<Item = Result<Block, E>>,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Exported, ExportError<E>> {
    for block in blocks {
        export.take(&block.map_err(ExportError::Source)?)?;
        if progress(Progress { read: export.read }).is_break() {
            return Err(ExportError::Stopped);
        }
    }
    Ok(export.finish()?)
}

/// One CSV line, ready to be written, and what has to travel with it through a sort.
#[derive(Debug, Clone, Copy)]
struct Line<'l> {
    /// The bytes, CRLF included.
    bytes: &'l [u8],
    /// Lines of the file that it takes: 1 and the line breaks inside its fields.
    lines: u32,
    /// The key's hash; 0 if there is no key.
    key: u128,
    /// Where the row starts in the source.
    source_line: u64,
}

struct Export<'p> {
    plan: &'p Plan,
    liner: Liner<'p>,
    faults: Faults,
    sorter: Option<Sorter>,
    uniques: Option<Uniques>,
    output: Output<'p>,
    read: u64,
    not_meant: u64,
}

/// Where lines go once they are in order.
struct Output<'p> {
    target: Target<'p>,
    keys: Option<Keys>,
    records: u64,
}

enum Target<'p> {
    Batches(Box<BatchWriter<'p>>),
    Single(Single<'p>),
}

impl Output<'_> {
    fn put(&mut self, line: Line<'_>) -> Result<(), Failure> {
        match &mut self.target {
            Target::Batches(batches) => batches.put(line)?,
            Target::Single(single) => single.put(line.bytes)?,
        }
        if let Some(keys) = &mut self.keys {
            keys.note(line.key, self.records, line.source_line)?;
        }
        self.records += 1;
        Ok(())
    }
}

impl<'p> Export<'p> {
    fn new(plan: &'p Plan, target: Target<'p>, keys: Option<Keys>, scratch: &Path) -> Self {
        Self {
            plan,
            liner: Liner::new(plan, matches!(target, Target::Batches(_))),
            faults: Faults::default(),
            sorter: plan.is_ordered().then(|| Sorter::new(scratch, plan.tuning().sort_bytes)),
            uniques: plan.has_unique().then(|| Uniques::new(plan, scratch)),
            output: Output { target, keys, records: 0 },
            read: 0,
            not_meant: 0,
        }
    }

    fn take(&mut self, block: &Block) -> Result<(), Failure> {
        for row in block.rows() {
            self.read += 1;
            match self.liner.line(row) {
                Outcome::NotMeant => {
                    self.not_meant += 1;
                    continue;
                }
                Outcome::NotWanted => continue,
                Outcome::Faulty => {
                    self.faults.note(self.liner.fault(row.line()));
                    if !self.liner.is_written() {
                        continue;
                    }
                }
                Outcome::Written => {}
            }
            // Once a row stands in the way of the whole export, the others are only looked at, to be counted.
            if self.faults.forbid() {
                continue;
            }
            if let Some(uniques) = &mut self.uniques {
                uniques.note(&mut self.liner, row)?;
            }
            let line = self.liner.written(row.line());
            match &mut self.sorter {
                None => self.output.put(line)?,
                Some(sorter) => sorter.push(self.liner.order(), line)?,
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Exported, Failure> {
        if let Some(failure) = self.faults.failure(self.plan) {
            return Err(failure);
        }
        self.liner.all_wanted_found()?;
        if let Some(failure) = self.uniques.take().map(|uniques| uniques.failure(self.plan)).transpose()?.flatten() {
            return Err(failure);
        }
        if let Some(sorter) = self.sorter.take() {
            sorter.drain(|line| self.output.put(line))?;
        }
        let (read, not_meant, records) = (self.read, self.not_meant, self.output.records);
        let mut exported = Exported { read, not_meant, records, ..Exported::default() };
        self.faults.move_into(&mut exported);
        match self.output.target {
            Target::Single(mut single) => {
                single.flush()?;
                exported.bytes = single.bytes;
            }
            Target::Batches(batches) => {
                exported.tripped.extend(empty(&exported));
                let unfinished = batches.close()?;
                if let Some(keys) = self.output.keys {
                    exported.tripped.extend(keys.duplicates(self.plan, unfinished.batches())?);
                }
                exported.batches = unfinished.publish()?;
                exported.bytes = exported.batches.iter().map(|batch| batch.bytes).sum();
            }
        }
        Ok(exported)
    }
}

fn empty(exported: &Exported) -> Option<Failure> {
    let message = match (exported.records, exported.read) {
        (1.., _) => return None,
        (0, 0) => "the source has no row: an emptied list would be sent. See whether the system that writes it has \
                   finished; approve the run if the list really is empty"
            .to_owned(),
        (0, read) if read == exported.not_meant => format!(
            "none of the source's {read} rows meets the menu's where: an emptied list would be sent. See whether the \
             source still has the values that where: asks for; approve the run if the list really is empty"
        ),
        (0, read) => format!(
            "none of the source's {read} rows is left to be sent. See which rows were left out, and why; approve the \
             run if that is right"
        ),
    };
    Some(Failure::new(Code::Empty, message).with_rows(exported.left_out.clone(), exported.left_out_total))
}

/// A writer that tells a reader who went away from a disk that is full.
struct Single<'w> {
    output: &'w mut dyn io::Write,
    bytes: u64,
    gone: &'w Cell<bool>,
}

impl Single<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        let result = self.output.write_all(bytes);
        result.map_err(|error| self.told(&error))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let result = self.output.flush();
        result.map_err(|error| self.told(&error))
    }

    fn told(&mut self, error: &io::Error) -> Failure {
        self.gone.set(error.kind() == io::ErrorKind::BrokenPipe);
        let message = format!("the output cannot be written: {error}. Free some space there, or name another file");
        Failure::new(Code::SpoolUnwritable, message)
    }
}

/// A failure of the folder in which an export is written.
fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let folder = folder.display();
    let mend = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "Free some space there, or move data_dir to a larger disk; then retry the run"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Let the daemon's user write there; then retry the run"
        }
        _ => "See whether the disk is sound and mounted; then retry the run",
    };
    Failure::new(Code::SpoolUnwritable, format!("the spool folder {folder} cannot be written: {error}. {mend}"))
}
