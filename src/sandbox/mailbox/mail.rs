//! A caught mail, and a small reader for people's eyes: headers, subject, the text.
//!
//! It reads what ordinary programs write (RFC 2047 words, base64, quoted-printable, nested multiparts) and shows what
//! it cannot decode as it came. It is no judge of a mail's correctness.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8};

/// How deep multiparts are followed.
const DEPTH: usize = 8;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A mail as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaughtMail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// The message, byte for byte, without the stuffed dots.
    pub raw: Vec<u8>,
}

impl CaughtMail {
    /// The first header of this name (in any case), unfolded and decoded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        Entity::read(&self.raw).header(name).map(|value| words(&value))
    }

    /// The subject, decoded; empty where there is none.
    #[must_use]
    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    /// The first `text/plain` part, decoded, with `\n` as line end; empty where there is none.
    #[must_use]
    pub fn text(&self) -> String {
        self.part("text/plain").unwrap_or_default()
    }

    /// The first part of this type, decoded, with `\n` as line end.
    #[must_use]
    pub fn part(&self, kind: &str) -> Option<String> {
        Entity::read(&self.raw).find(kind, DEPTH)
    }
}

/// A message or one part of it.
struct Entity<'a> {
    head: String,
    body: &'a [u8],
}

impl<'a> Entity<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let split = raw.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = match split {
            _ if raw.starts_with(b"\r\n") => (&raw[..0], &raw[2..]),
            Some(at) => (&raw[..at], &raw[at + 4..]),
            None => (raw, &raw[..0]),
        };
        let head = String::from_utf8_lossy(head).replace("\r\n ", " ").replace("\r\n\t", " ");
        Self { head, body }
    }

    fn header(&self, name: &str) -> Option<String> {
        self.head
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    }

    /// A parameter of the content type.
    fn parameter(&self, name: &str) -> Option<String> {
        let value = self.header("Content-Type")?;
        let (_, value) = value
            .split(';')
            .skip(1)
            .filter_map(|piece| piece.trim().split_once('='))
            .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().trim_matches('"').to_owned())
    }

    fn find(&self, kind: &str, depth: usize) -> Option<String> {
        let own = self.header("Content-Type").unwrap_or_else(|| "text/plain".to_owned());
        let own = own.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if own == kind {
            return Some(self.decoded());
        }
        if !own.starts_with("multipart/") || depth == 0 {
            return None;
        }
        let boundary = format!("--{}", self.parameter("boundary")?).into_bytes();
        parts(self.body, &boundary).into_iter().find_map(|part| Entity::read(part).find(kind, depth - 1))
    }

    fn decoded(&self) -> String {
        let bytes = match self.header("Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => {
                let tight: Vec<u8> = self.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                BASE64.decode(&tight).unwrap_or(tight)
            }
            "quoted-printable" => quoted(self.body, false),
            _ => self.body.to_vec(),
        };
        in_charset(&self.parameter("charset").unwrap_or_default(), &bytes).replace("\r\n", "\n")
    }
}

/// The parts between lines that begin with the boundary.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut at, mut open) = (0, None);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if let Some(rest) = line.strip_prefix(boundary)
            && matches!(rest.first(), None | Some(b'\r' | b'-' | b' '))
        {
            if let Some(begin) = open {
                let part: &[u8] = &body[begin..at];
                parts.push(part.strip_suffix(b"\r\n").unwrap_or(part));
            }
            open = if rest.starts_with(b"--") { None } else { Some(at + line.len()) };
        }
        at += line.len();
    }
    parts
}

fn in_charset(label: &str, bytes: &[u8]) -> String {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Undoes quoted-printable; in a header, `_` is a space.
fn quoted(bytes: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'=', [b'\r', b'\n', next @ ..]) => rest = next,
            (b'=', [high, low, next @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                out.push(digit(*high) << 4 | digit(*low));
                rest = next;
            }
            (b'_', _) if header => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

/// Decodes the encoded words of a header's value (RFC 2047); blanks between two of them are no text.
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let Some((word, end)) = word(&rest[start..]) else {
            out.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            after_word = false;
            continue;
        };
        if !(after_word && rest[..start].trim().is_empty()) {
            out.push_str(&rest[..start]);
        }
        out.push_str(&word);
        rest = &rest[start + end..];
        after_word = true;
    }
    out + rest
}

/// One encoded word at the start of the text, and its length.
fn word(text: &str) -> Option<(String, usize)> {
    let mut pieces = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, how, rest) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let (encoded, _) = rest.split_once("?=")?;
    let bytes = match how {
        "B" | "b" => BASE64.decode(encoded).ok()?,
        "Q" | "q" => quoted(encoded.as_bytes(), true),
        _ => return None,
    };
    // RFC 2231 lets a language follow the charset.
    let label = charset.split('*').next().unwrap_or_default();
    let length = 2 + charset.len() + 1 + how.len() + 1 + encoded.len() + 2;
    Some((in_charset(label, &bytes), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_mail_can_be_looked_at(
            head in "(Subject: |Content-Type: |Content-Transfer-Encoding: |=\\?utf-8\\?[bqx]\\?|\\?=|[=;?\"_a-z0-9/-]|multipart/x; boundary=b|base64|quoted-printable|\r\n ?){0,30}",
            body in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let raw = [head.as_bytes(), b"\r\n\r\n--b\r\n", &body, b"\r\n--b--"].concat();
            let mail = CaughtMail { from: String::new(), to: Vec::new(), raw };
            let _ = (mail.subject(), mail.text(), mail.part("x"));
        }
    }

    #[test]
    fn multiparts_without_end_or_bottom_are_followed_only_so_far() {
        let mut raw = Vec::new();
        for _ in 0..1_000 {
            raw.extend_from_slice(b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n");
        }
        assert_eq!(CaughtMail { from: String::new(), to: Vec::new(), raw }.text(), "");
    }
}
