//! What does not fit in memory passes through a file without a name in the export's folder: nothing of it is left,
//! whatever happens to the process.

use super::unwritable;
use crate::domain::failure::Failure;
use std::fs::{DirBuilder, File};
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};

/// A file that is appended to and read in pieces; it is made when the first bytes come.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    file: Option<File>,
    length: u64,
}

impl Spill {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), file: None, length: 0 }
    }

    /// Another file in the same folder.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.folder)
    }

    /// Appends bytes and says where they lie.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<Range<u64>, Failure> {
        let start = self.length;
        self.write(bytes).map_err(|error| unwritable(&self.folder, &error))?;
        self.length += bytes.len() as u64;
        Ok(start..self.length)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                // An export to one file is given a folder that may not be there.
                DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
                none.insert(tempfile::tempfile_in(&self.folder)?)
            }
        };
        file.write_all_at(bytes, self.length)
    }

    /// Reads a piece through a buffer of that many bytes.
    pub(super) fn reader(&self, piece: Range<u64>, buffer: usize) -> BufReader<Piece<'_>> {
        BufReader::with_capacity(buffer, Piece { file: self.file.as_ref(), piece })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// A failure to read what was written.
    pub(super) fn unreadable(&self, error: &io::Error) -> Failure {
        unwritable(&self.folder, error)
    }
}

/// A part of a [`Spill`].
#[derive(Debug)]
pub(super) struct Piece<'s> {
    file: Option<&'s File>,
    piece: Range<u64>,
}

impl Read for Piece<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.piece.end - self.piece.start).unwrap_or(usize::MAX);
        let most = into.len().min(left);
        let Some(file) = self.file.filter(|_| most > 0) else {
            return Ok(0);
        };
        let read = file.read_at(&mut into[..most], self.piece.start)?;
        self.piece.start += read as u64;
        Ok(read)
    }
}
