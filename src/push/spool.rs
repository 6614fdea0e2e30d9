//! The file that is sent: checked before the first byte, and once more while it is read. The last piece is held back
//! until the whole is known to be what was promised, so that a file which changes under us is never sent whole. It is
//! streamed: memory does not depend on its size.

use bytes::Bytes;
use futures_util::{Stream, stream};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// What is pushed: one CSV file and the parameters that go with it.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The file in the spool.
    pub path: PathBuf,
    /// The name that the receiver sees, as in `batch-001.csv`. Anything but plain ASCII is sent as `_`.
    pub file_name: String,
    /// Its size in bytes, as stored with the batch.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal, as stored with the batch; with it the content is proved, not only the size.
    pub sha256: Option<String>,
    /// The text of the JSON part.
    pub params_json: String,
}

/// The stored file is not the one that was written. Nothing of it has been sent, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored file {} {why}; export the run again", path.display())]
pub struct SpoolDamaged {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl Upload {
    /// Opens the file and proves size and hash. The handle that is returned is the one that is sent.
    pub(super) async fn open(&self) -> Result<File, SpoolDamaged> {
        let damaged = |why: String| damaged(&self.path, why);
        let unreadable = |error: std::io::Error| damaged(format!("cannot be read: {error}"));
        let mut file = File::open(&self.path).await.map_err(unreadable)?;
        let facts = file.metadata().await.map_err(unreadable)?;
        if !facts.is_file() {
            return Err(damaged("is not a file".to_owned()));
        }
        if facts.len() != self.bytes {
            return Err(damaged(format!("has {} bytes instead of {}", facts.len(), self.bytes)));
        }
        if let Some(expected) = &self.sha256 {
            let mut hash = Sha256::new();
            let mut piece = vec![0; PIECE];
            loop {
                let read = file.read(&mut piece).await.map_err(unreadable)?;
                if read == 0 {
                    break;
                }
                hash.update(&piece[..read]);
            }
            if !is_hash(hash, expected) {
                return Err(damaged("has other content than was written".to_owned()));
            }
            file.seek(SeekFrom::Start(0)).await.map_err(unreadable)?;
        }
        Ok(file)
    }

    /// The file's bytes, exactly as many as promised, or an error before the last piece.
    pub(super) fn pieces(&self, file: File) -> impl Stream<Item = Result<Bytes, SpoolDamaged>> + Send + use<> {
        let reading = Reading {
            file,
            path: self.path.clone(),
            left: self.bytes,
            hash: self.sha256.clone().map(|expected| (Sha256::new(), expected)),
        };
        stream::try_unfold(reading, Reading::piece)
    }

    /// The file name as it may stand between quotes in a header.
    pub(super) fn safe_name(&self) -> String {
        self.file_name
            .chars()
            .map(|letter| match letter {
                'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.' => letter,
                _ => '_',
            })
            .collect()
    }
}

struct Reading {
    file: File,
    path: PathBuf,
    left: u64,
    hash: Option<(Sha256, String)>,
}

impl Reading {
    async fn piece(mut self) -> Result<Option<(Bytes, Self)>, SpoolDamaged> {
        if self.left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; size];
        self.file
            .read_exact(&mut piece)
            .await
            .map_err(|error| damaged(&self.path, format!("became unreadable while it was sent: {error}")))?;
        self.left -= size as u64;
        if let Some((hash, _)) = &mut self.hash {
            hash.update(&piece);
        }
        if self.left == 0
            && let Some((hash, expected)) = self.hash.take()
            && !is_hash(hash, &expected)
        {
            return Err(damaged(&self.path, "changed while it was sent".to_owned()));
        }
        Ok(Some((Bytes::from(piece), self)))
    }
}

fn is_hash(hash: Sha256, expected: &str) -> bool {
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.eq_ignore_ascii_case(expected)
}

fn damaged(path: &Path, why: String) -> SpoolDamaged {
    SpoolDamaged { path: path.to_owned(), why }
}
