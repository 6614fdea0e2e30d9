//! Files that are written already: are they still what they were?

use super::batches::hex;
use crate::domain::failure::{Code, Failure};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Checks that a stored file still has the bytes that were written, by its length and SHA-256.
///
/// # Errors
///
/// [`Code::SpoolDamaged`] if it is gone, cannot be read, or has changed.
pub fn verify(path: &Path, sha256: &str, bytes: u64) -> Result<(), Failure> {
    let damaged = |what: String| {
        let message = format!(
            "the stored file {} {what}. It is not sent; start a new run, which reads the source again",
            path.display()
        );
        Failure::new(Code::SpoolDamaged, message)
    };
    let (found_sha256, found_bytes) = digest(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => damaged("is gone".to_owned()),
        _ => damaged(format!("cannot be read: {error}")),
    })?;
    if found_bytes != bytes {
        return Err(damaged(format!("has {found_bytes} bytes instead of {bytes}")));
    }
    if found_sha256 != sha256 {
        return Err(damaged("has other bytes than those that were written".to_owned()));
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hash.finalize()), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
