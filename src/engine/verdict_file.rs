//! The verdict of a request, on disk before it is in the database. The file is written with the intent, before the
//! first byte is sent, at its full size; the verdict goes into the space that is already there, so that a disk that
//! filled up meanwhile cannot lose it. Recovery believes it before the database.

use crate::domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file's size in bytes: far more than a verdict needs.
const SIZE: usize = 1024;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// Which try of the batch it belongs to, from 1.
    pub(super) attempt: u32,
    /// The batch's sha256, so that a file of another content is never believed.
    pub(super) sha256: String,
    /// `None` from the intent until the answer.
    pub(super) verdict: Option<Verdict>,
    /// The HTTP status, if there was one.
    pub(super) http_status: Option<u16>,
    /// How the receiver calls the import, should it have to be asked after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<Value>,
}

/// Where the verdict of a batch file lies: beside it.
pub(super) fn path_of(batch: &Path) -> PathBuf {
    batch.with_extension("verdict")
}

/// An intent on disk, waiting for its verdict.
pub(super) struct VerdictFile {
    file: File,
    written: Written,
}

impl VerdictFile {
    /// Writes the intent, with room for the verdict, through to the disk.
    pub(super) fn intend(batch: &Path, attempt: u32, sha256: &str) -> io::Result<Self> {
        let path = path_of(batch);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let written = Written { attempt, sha256: sha256.to_owned(), verdict: None, http_status: None, import: None };
        let mut intent = Self { file, written };
        intent.store()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(intent)
    }

    /// Writes the verdict into the space that is there, through to the disk.
    pub(super) fn conclude(
        mut self,
        verdict: Verdict,
        http_status: Option<u16>,
        import: Option<&Value>,
    ) -> io::Result<()> {
        self.written.verdict = Some(verdict);
        self.written.http_status = http_status;
        self.written.import = import.cloned();
        self.store()
    }

    fn store(&mut self) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(&self.written)?;
        if bytes.len() > SIZE {
            return Err(io::Error::other("the verdict does not fit into its file"));
        }
        bytes.resize(SIZE, b' ');
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.sync_all()
    }
}

/// Reads what stands beside a batch; `None` where there is nothing readable.
pub(super) fn read(batch: &Path) -> Option<Written> {
    let mut text = String::new();
    File::open(path_of(batch)).ok()?.take(SIZE as u64).read_to_string(&mut text).ok()?;
    serde_json::from_str(text.trim_end()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_takes_no_more_room_than_its_intent() {
        let folder = tempfile::tempdir().unwrap();
        let batch = folder.path().join("batch-001.csv");
        let intent = VerdictFile::intend(&batch, 2, "abc").unwrap();
        let size = || std::fs::metadata(path_of(&batch)).unwrap().len();
        let before = size();
        assert_eq!(read(&batch).unwrap().verdict, None);
        intent.conclude(Verdict::DeniedToken, Some(401), None).unwrap();
        assert_eq!(size(), before);
        let written = read(&batch).unwrap();
        assert_eq!((written.attempt, written.verdict, written.http_status), (2, Some(Verdict::DeniedToken), Some(401)));
    }

    #[test]
    fn the_longest_name_of_an_import_fits() {
        let folder = tempfile::tempdir().unwrap();
        let batch = folder.path().join("batch-001.csv");
        let intent = VerdictFile::intend(&batch, u32::MAX, &"f".repeat(64)).unwrap();
        let longest = Value::from("𠮷".repeat(200));
        intent.conclude(Verdict::Accepted, Some(200), Some(&longest)).unwrap();
        assert_eq!(read(&batch).unwrap().import, Some(longest));
    }

    #[test]
    fn a_torn_or_absent_file_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let batch = folder.path().join("batch-001.csv");
        assert_eq!(read(&batch), None);
        std::fs::write(path_of(&batch), b"{\"attempt\":1,\"sha").unwrap();
        assert_eq!(read(&batch), None);
    }
}
