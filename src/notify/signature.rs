//! The signature of a JSON webhook: HMAC-SHA256 (RFC 2104) over the timestamp, a full stop and the body, so that nobody
//! can make one up, change one, or play an old one again.

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;

/// The value of `X-Renkei-Signature`: `sha256=` and 64 hexadecimal digits. `timestamp` is in seconds since 1970.
#[must_use]
pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{timestamp}.").as_bytes());
    context.update(body);
    let mut text = String::from("sha256=");
    for byte in context.sign().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        // printf '1764000000.{"id":"R-1"}' | openssl dgst -sha256 -hmac key
        let found = sign(&SecretString::from("key".to_owned()), 1_764_000_000, br#"{"id":"R-1"}"#);
        assert_eq!(found, "sha256=aa5d1ca3bf7b988026a32f645ce163bb4673ed2b9453b3a493742d169d811060");
    }
}
