//! The files: each within the receiver's limits, on the disk before it has its name. Nothing of an export that does not
//! come to its end is left.

use super::plan::Plan;
use super::{Batch, Line, unwritable};
use crate::domain::failure::Failure;
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How much is collected before it is hashed and written.
const WRITE_BYTES: usize = 256 << 10;
/// What a file's name ends with until the export is complete.
const WORKING: &str = ".part";

/// Splits lines into files.
#[derive(Debug)]
pub(super) struct BatchWriter<'p> {
    plan: &'p Plan,
    files: Files,
    open: Option<Open>,
    buffer: Vec<u8>,
}

/// The file that is being written.
#[derive(Debug)]
struct Open {
    file: File,
    hash: Sha256,
    path: PathBuf,
    records: u64,
    lines: u64,
    bytes: u64,
}

/// The files of an export that is not complete yet; removed when this is dropped.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    made_folder: bool,
    batches: Vec<Batch>,
    paths: Vec<PathBuf>,
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.paths {
            // A file that cannot be removed here is removed with its folder when the run's time is over.
            let _stays = fs::remove_file(path);
        }
        if self.made_folder {
            let _stays = fs::remove_dir(&self.folder);
        }
    }
}

impl<'p> BatchWriter<'p> {
    /// Makes the folder, if need be, and removes what an interrupted export left there.
    pub(super) fn create(plan: &'p Plan, folder: &Path) -> Result<Self, Failure> {
        let made_folder = prepare(folder).map_err(|error| unwritable(folder, &error))?;
        let files = Files { folder: folder.to_owned(), made_folder, batches: Vec::new(), paths: Vec::new() };
        Ok(Self { plan, files, open: None, buffer: Vec::with_capacity(WRITE_BYTES + (64 << 10)) })
    }

    /// Writes a line, in a new file if this one has no room for it.
    pub(super) fn put(&mut self, line: Line<'_>) -> Result<(), Failure> {
        let limits = &self.plan.limits;
        let (bytes, lines) = (line.bytes.len() as u64, u64::from(line.lines));
        let has_room = self.open.as_ref().is_some_and(|open| {
            open.records == 0 || (open.bytes + bytes <= limits.file_bytes && open.lines + lines <= limits.file_lines)
        });
        if !has_room {
            self.end_file()?;
            self.begin_file()?;
        }
        if let Some(open) = &mut self.open {
            open.records += 1;
            open.lines += lines;
            open.bytes += bytes;
        }
        self.buffer.extend_from_slice(line.bytes);
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the last file. An export without rows is one file with the header.
    pub(super) fn close(mut self) -> Result<Unfinished, Failure> {
        if self.open.is_none() {
            self.begin_file()?;
        }
        self.end_file()?;
        Ok(Unfinished { files: self.files })
    }

    fn begin_file(&mut self) -> Result<(), Failure> {
        let number = self.files.batches.len() + 1;
        let path = self.files.folder.join(format!("batch-{number:03}.csv{WORKING}"));
        self.files.paths.push(path.clone());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| unwritable(&self.files.folder, &error))?;
        let preamble = self.plan.preamble();
        self.buffer.extend_from_slice(preamble.bytes());
        let bytes = preamble.bytes().len() as u64;
        self.open = Some(Open { file, hash: Sha256::new(), path, records: 0, lines: preamble.lines(), bytes });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if let Some(open) = &mut self.open {
            open.hash.update(&self.buffer);
            open.file.write_all(&self.buffer).map_err(|error| unwritable(&self.files.folder, &error))?;
        }
        self.buffer.clear();
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), Failure> {
        self.flush()?;
        let Some(open) = self.open.take() else { return Ok(()) };
        open.file.sync_all().map_err(|error| unwritable(&self.files.folder, &error))?;
        let number = u32::try_from(self.files.batches.len() + 1).unwrap_or(u32::MAX);
        let sha256 = hex(&open.hash.finalize());
        self.files.batches.push(Batch { number, path: open.path, records: open.records, bytes: open.bytes, sha256 });
        Ok(())
    }
}

/// All files are on the disk, under their working names.
#[derive(Debug)]
pub(super) struct Unfinished {
    files: Files,
}

impl Unfinished {
    /// The batches, by their working names.
    pub(super) fn batches(&self) -> &[Batch] {
        &self.files.batches
    }

    /// Gives the files their names.
    pub(super) fn publish(mut self) -> Result<Vec<Batch>, Failure> {
        let folder = self.files.folder.clone();
        let tell = |error: io::Error| unwritable(&folder, &error);
        for (batch, path) in self.files.batches.iter_mut().zip(&mut self.files.paths) {
            batch.path = path.with_extension("");
            fs::rename(&*path, &batch.path).map_err(tell)?;
            path.clone_from(&batch.path);
        }
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(tell)?;
        self.files.paths.clear();
        self.files.made_folder = false;
        Ok(std::mem::take(&mut self.files.batches))
    }
}

/// Whether the folder had to be made.
fn prepare(folder: &Path) -> io::Result<bool> {
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        return Ok(true);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("batch-") && (name.ends_with(".csv") || name.ends_with(WORKING)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(false)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
