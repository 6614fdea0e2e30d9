//! The key file: 32 random bytes that never leave this machine's data folder. It is made on first need, for its owner
//! alone, and refused when others may read it.

use super::SecretError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Generate, Key};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use secrecy::zeroize::Zeroize;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

const HEAD: &str = "renkei-key-1:";

/// The cipher under an existing key file.
pub(super) fn read(path: &Path) -> Result<XChaCha20Poly1305, SecretError> {
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => SecretError::NoKey(path.to_owned()),
        _ => failed(path, "read", &error),
    };
    let file = File::open(path).map_err(cannot)?;
    refuse_open(&file, path)?;
    let mut text = String::new();
    match file.take(1024).read_to_string(&mut text) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(SecretError::ForeignKey(path.to_owned())),
        Err(error) => return Err(cannot(error)),
    }
    let bytes = text.trim_end().strip_prefix(HEAD).and_then(|key| STANDARD.decode(key).ok());
    text.zeroize();
    let mut bytes = bytes.ok_or_else(|| SecretError::ForeignKey(path.to_owned()))?;
    let cipher = XChaCha20Poly1305::new_from_slice(&bytes);
    bytes.zeroize();
    cipher.map_err(|_| SecretError::ForeignKey(path.to_owned()))
}

/// The cipher under the key file, which is made first where it does not exist.
pub(super) fn read_or_create(path: &Path) -> Result<XChaCha20Poly1305, SecretError> {
    match read(path) {
        Err(SecretError::NoKey(_)) => {}
        other => return other,
    }
    create(path)?;
    read(path)
}

/// The file appears under its name only when it is whole and on disk; of two processes that make one, the first wins.
fn create(path: &Path) -> Result<(), SecretError> {
    let cannot = |error: std::io::Error| failed(path, "made", &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut make = std::fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(folder).map_err(cannot)?;
    let mut key = Key::<XChaCha20Poly1305>::try_generate().map_err(|_| SecretError::Random)?;
    let mut text = format!("{HEAD}{}\n", STANDARD.encode(key));
    key.as_mut_slice().zeroize();
    // Such files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all());
    text.zeroize();
    written.map_err(cannot)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(cannot(error.error)),
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)
}

#[cfg(unix)]
fn refuse_open(file: &File, path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let about = file.metadata().map_err(|error| failed(path, "read", &error))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::OpenKey { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open(_: &File, _: &Path) -> Result<(), SecretError> {
    Ok(())
}

fn failed(path: &Path, verb: &'static str, error: &std::io::Error) -> SecretError {
    SecretError::Key { path: path.to_owned(), verb, why: error.to_string() }
}
