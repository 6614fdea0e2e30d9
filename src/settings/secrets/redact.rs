//! Takes known secrets out of texts that come from outside, such as a receiver's answer that repeats the request's
//! header. It knows the secrets' usual disguises (JSON, percent and base64 notation), not every possible one.

use crate::domain::secret::MASK;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Replaces secrets by [`MASK`].
pub struct Redactor {
    /// The longest first, none empty.
    needles: Vec<SecretString>,
}

impl Redactor {
    /// Of these secrets; of `user:password` also the password alone.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let mut plain = Vec::new();
        for secret in secrets {
            let text = secret.expose_secret();
            if let Some((_, password)) = text.split_once(':') {
                plain.push(password.to_owned());
                plain.extend(percent_encoding::percent_decode_str(password).decode_utf8().ok().map(Into::into));
            }
            plain.push(text.to_owned());
        }
        let mut needles: Vec<String> = Vec::new();
        for text in plain {
            let json = serde_json::Value::String(text.clone()).to_string();
            let json = json[1..json.len() - 1].to_owned();
            needles.push(json.replace('/', "\\/"));
            needles.push(json);
            needles.push(utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
            needles.push(STANDARD.encode(&text));
            needles.push(text);
        }
        needles.retain(|needle| !needle.is_empty());
        needles.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        needles.dedup();
        Self { needles: needles.into_iter().map(SecretString::from).collect() }
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact_bytes(text.as_bytes())).into_owned()
    }

    /// The bytes without the secrets, whatever the charset around them.
    #[must_use]
    pub fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let found = self.needles.iter().find(|needle| rest.starts_with(needle.expose_secret().as_bytes()));
            match found {
                Some(needle) => {
                    clean.extend_from_slice(MASK.as_bytes());
                    at += needle.expose_secret().len();
                }
                None => {
                    clean.push(bytes[at]);
                    at += 1;
                }
            }
        }
        clean
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Redactor({} needles)", self.needles.len())
    }
}
