//! Secrets: references are resolved by the process that runs, at each run, so that rotation works; a literal is sealed
//! under the key file before it is stored. No error, `Debug` or returned text of this file holds a secret.

mod key;
mod redact;
mod seal;

pub use redact::Redactor;
pub use seal::{expose_equal, seal_integration, seal_timer};
pub(super) use seal::{header_pieces, proxy_pieces};

use crate::domain::integration::Integration;
use crate::domain::secret::{Part, SecretText};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead, Generate, Payload};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroize};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes of a file that `${file:…}` names.
const MOST_FILE_BYTES: u64 = 64 * 1024;
/// What a sealed text starts with, before it is written in base64: the format's number.
const FORMAT: u8 = 1;
/// Bound into every sealed text, so that one of another program is not taken for ours.
const CONTEXT: &[u8] = b"renkei sealed text 1";
const NONCE_BYTES: usize = 24;

/// Why a secret cannot be had. The texts name variables and files, never a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// `${env:NAME}` of a variable that is not set, or empty.
    #[error("the environment variable {0} is not set or empty: set it for the process that runs renkei")]
    Variable(String),
    /// `${file:PATH}` of a file that cannot be read.
    #[error("the secret file {path} cannot be read: {why}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        why: String,
    },
    /// `${file:PATH}` of a file that is empty, too large, or no text.
    #[error("the secret file {path} {what}: it has to hold the secret alone, as UTF-8 text")]
    FileContent {
        /// The file.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// `${sealed:…}` that is not whole.
    #[error("a sealed text is damaged: write the secret again, or a reference such as ${{env:NAME}}")]
    Damaged,
    /// `${sealed:…}` of another key file.
    #[error(
        "a sealed text cannot be opened with {}: it was sealed under another key file; write the secret again", .0.display()
    )]
    OtherKey(PathBuf),
    /// There is no key file, and something sealed has to be opened.
    #[error(
        "the key file {} is missing: restore it from the backup, or apply the settings again with their secrets", .0.display()
    )]
    NoKey(PathBuf),
    /// Others may read the key file.
    #[error("the key file {path} may be read by others (mode {mode:03o}): chmod 600 {path}; then change the sealed secrets, as others may know them", path = .path.display())]
    OpenKey {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds something else.
    #[error("{} is no key file of renkei: restore it from the backup", .0.display())]
    ForeignKey(PathBuf),
    /// The key file cannot be read or made.
    #[error("the key file {path} cannot be {verb}: {why}", path = .path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// What the operating system says.
        why: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness: nothing was sealed")]
    Random,
}

/// Resolves references, opens what is sealed, and seals.
#[derive(Clone)]
pub struct Resolver {
    key_file: PathBuf,
    variables: Option<BTreeMap<String, String>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variables' values are secrets.
        out.debug_struct("Resolver").field("key_file", &self.key_file).finish_non_exhaustive()
    }
}

impl Resolver {
    /// With this key file (it may not exist yet) and the process's environment.
    #[must_use]
    pub fn new(key_file: impl Into<PathBuf>) -> Self {
        Self { key_file: key_file.into(), variables: None }
    }

    /// With these variables instead of the process's environment.
    #[must_use]
    pub fn with_variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.variables = Some(variables.collect());
        self
    }

    /// The key file.
    #[must_use]
    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// The whole text with every reference replaced by its value.
    pub fn resolve(&self, text: &SecretText) -> Result<SecretString, SecretError> {
        let mut whole = String::new();
        for part in text.parts() {
            match part {
                Part::Literal(text) => whole.push_str(text),
                other => whole.push_str(self.value(other)?.expose_secret()),
            }
        }
        Ok(SecretString::from(whole))
    }

    /// The values of its references and sealed parts, one by one, as a [`Redactor`] wants them.
    pub fn secrets_of(&self, text: &SecretText) -> Result<Vec<SecretString>, SecretError> {
        let secret = text.parts().iter().filter(|part| !matches!(part, Part::Literal(_)));
        secret.map(|part| self.value(part)).collect()
    }

    /// Every secret of an integration's headers, those of `confirm` among them, and proxy.
    pub fn secrets_in(&self, integration: &Integration) -> Result<Vec<SecretString>, SecretError> {
        let form = integration.form();
        let mut all = Vec::new();
        for text in form.every_header().map(|(_, value)| value).chain(&form.route.proxy) {
            all.extend(self.secrets_of(text)?);
        }
        Ok(all)
    }

    /// What is wrong with its references and sealed parts, seen from this process.
    #[must_use]
    pub fn trouble(&self, text: &SecretText) -> Vec<SecretError> {
        let secret = text.parts().iter().filter(|part| !matches!(part, Part::Literal(_)));
        secret.filter_map(|part| self.value(part).err()).collect()
    }

    /// Seals a text under the key file, which is made if it does not exist yet. Two seals of one text differ.
    pub fn seal(&self, plain: &SecretString) -> Result<Part, SecretError> {
        let cipher = key::read_or_create(&self.key_file)?;
        let nonce = XNonce::try_generate().map_err(|_| SecretError::Random)?;
        let payload = Payload { msg: plain.expose_secret().as_bytes(), aad: CONTEXT };
        let sealed = cipher.encrypt(&nonce, payload).map_err(|_| SecretError::Damaged)?;
        let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(Part::Sealed(URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn value(&self, part: &Part) -> Result<SecretString, SecretError> {
        match part {
            Part::Literal(text) => Ok(SecretString::from(text.clone())),
            Part::Env(name) => self.variable(name),
            Part::File(path) => read_file(path),
            Part::Sealed(sealed) => self.open(sealed),
        }
    }

    fn variable(&self, name: &str) -> Result<SecretString, SecretError> {
        let value = match &self.variables {
            Some(variables) => variables.get(name).cloned(),
            // A name with = or NUL in it makes std panic.
            None if name.contains(['=', '\0']) => None,
            None => std::env::var(name).ok(),
        };
        let value = value.filter(|value| !value.is_empty());
        value.map(SecretString::from).ok_or_else(|| SecretError::Variable(name.to_owned()))
    }

    fn open(&self, sealed: &str) -> Result<SecretString, SecretError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SecretError::Damaged)?;
        let (format, rest) = bytes.split_first().ok_or(SecretError::Damaged)?;
        if *format != FORMAT || rest.len() <= NONCE_BYTES {
            return Err(SecretError::Damaged);
        }
        let (nonce, sealed) = rest.split_at(NONCE_BYTES);
        let nonce = XNonce::try_from(nonce).map_err(|_| SecretError::Damaged)?;
        let cipher = key::read(&self.key_file)?;
        let payload = Payload { msg: sealed, aad: CONTEXT };
        let plain = cipher.decrypt(&nonce, payload).map_err(|_| SecretError::OtherKey(self.key_file.clone()))?;
        let plain = String::from_utf8(plain).map_err(|_| SecretError::Damaged)?;
        Ok(SecretString::from(plain))
    }
}

/// A file's text without its last line end.
fn read_file(path: &str) -> Result<SecretString, SecretError> {
    let cannot = |error: std::io::Error| SecretError::File { path: path.to_owned(), why: error.to_string() };
    let content = |what| SecretError::FileContent { path: path.to_owned(), what };
    let file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MOST_FILE_BYTES {
        bytes.zeroize();
        return Err(content("is larger than 64 KB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        content("is not UTF-8")
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(content("is empty"));
    }
    Ok(SecretString::from(text))
}
