//! Texts that may hold a secret: a header's value, a password. A reference (`${env:NAME}`, `${file:PATH}`) is kept as
//! a reference, a sealed literal (`${sealed:…}`) as its sealed form. This file only knows the notation; resolving and
//! sealing is `settings`' work, and neither ever happens here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is shown instead of a secret.
pub const MASK: &str = "••••";

/// A piece of a [`SecretText`].
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Written out. In a header that carries a secret this is sealed before it is stored.
    Literal(String),
    /// `${env:NAME}`: an environment variable of the process that runs.
    Env(String),
    /// `${file:PATH}`: a file's content without its last line end, read by the process that runs.
    File(String),
    /// `${sealed:…}`: a literal under the key file.
    Sealed(String),
}

/// A text in which secrets stand as references. `Debug` and `Display` never show a sealed part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretText {
    parts: Vec<Part>,
}

/// Why a text with `${…}` was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretTextError {
    /// `${` without `}`.
    #[error("a \"${{\" is never closed: write ${{env:NAME}} or ${{file:PATH}}")]
    Open,
    /// `${kind:…}` with a kind that is none.
    #[error("\"${{{0}…}}\" is no reference: write ${{env:NAME}}, ${{file:PATH}} or ${{sealed:…}}")]
    Kind(String),
    /// `${env:}`.
    #[error("a reference names nothing: write ${{env:NAME}} or ${{file:PATH}}")]
    Empty,
}

impl SecretText {
    /// Reads the notation. `$` that is not followed by `{` is an ordinary letter.
    pub fn parse(text: &str) -> Result<Self, SecretTextError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let inner = &rest[start + 2..];
            let end = inner.find('}').ok_or(SecretTextError::Open)?;
            let (kind, name) = inner[..end].split_once(':').unwrap_or((&inner[..end], ""));
            let part = match kind {
                "env" => Part::Env(name.to_owned()),
                "file" => Part::File(name.to_owned()),
                "sealed" => Part::Sealed(name.to_owned()),
                other => return Err(SecretTextError::Kind(other.chars().take(16).collect())),
            };
            if name.is_empty() {
                return Err(SecretTextError::Empty);
            }
            parts.push(part);
            rest = &inner[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// A text that holds no reference at all, whatever it looks like.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Literal(text.into())] }
    }

    /// The pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// From pieces, as sealing makes it.
    #[must_use]
    pub fn from_parts(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Whether anything is written at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a piece is a reference or sealed, so that its value must never be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
    }

    /// The text when it is nothing but a literal.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        if self.is_secret() {
            return None;
        }
        Some(self.parts.iter().map(|part| if let Part::Literal(text) = part { text.as_str() } else { "" }).collect())
    }

    /// The notation, for storing and for `settings export`; a sealed part stays sealed.
    #[must_use]
    pub fn notation(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Env(name) => format!("${{env:{name}}}"),
                Part::File(path) => format!("${{file:{path}}}"),
                Part::Sealed(sealed) => format!("${{sealed:{sealed}}}"),
            })
            .collect()
    }
}

impl fmt::Display for SecretText {
    /// References as written, sealed parts as [`MASK`]. A bare literal is shown: whoever holds one in a secret place
    /// masks it himself.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.write_str(text)?,
                Part::Env(name) => write!(out, "${{env:{name}}}")?,
                Part::File(path) => write!(out, "${{file:{path}}}")?,
                Part::Sealed(_) => out.write_str(MASK)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A literal may be a token that has not been sealed yet.
        let shown: Vec<String> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(_) | Part::Sealed(_) => MASK.to_owned(),
                Part::Env(name) => format!("${{env:{name}}}"),
                Part::File(path) => format!("${{file:{path}}}"),
            })
            .collect();
        write!(out, "SecretText({})", shown.concat())
    }
}

impl TryFrom<String> for SecretText {
    type Error = SecretTextError;
    fn try_from(text: String) -> Result<Self, SecretTextError> {
        Self::parse(&text)
    }
}

impl From<SecretText> for String {
    fn from(text: SecretText) -> Self {
        text.notation()
    }
}

/// Whether a header or field of this name carries a secret, so that a literal under it is sealed and masked.
#[must_use]
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "authorization", "cookie", "secret", "password", "api-key", "apikey"]
        .iter()
        .any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_and_written_back_unchanged() {
        for text in ["${env:SEISAN_TOKEN}", "Bearer ${file:/run/credentials/t}!", "plain $5", "${sealed:abc}", ""] {
            assert_eq!(SecretText::parse(text).unwrap().notation(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_fix() {
        assert_eq!(SecretText::parse("${env:X"), Err(SecretTextError::Open));
        assert_eq!(SecretText::parse("${env:}"), Err(SecretTextError::Empty));
        assert!(SecretText::parse("${vault:x}").unwrap_err().to_string().contains("${env:NAME}"));
    }

    #[test]
    fn neither_debug_nor_display_shows_a_sealed_text() {
        let text = SecretText::parse("a${sealed:topsecret}").unwrap();
        assert_eq!(text.to_string(), "a••••");
        assert!(!format!("{text:?}").contains("topsecret"));
        assert!(!format!("{:?}", SecretText::literal("topsecret")).contains("topsecret"));
    }
}
