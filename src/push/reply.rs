//! What came back from one request: the verdict, and the answer as text that people may read. The text is bounded,
//! its control characters are made visible, and the secrets that were sent are masked in it should the receiver echo
//! them.

use crate::domain::secret::MASK;
use crate::domain::verdict::Verdict;
use chrono::{DateTime, NaiveDateTime, Utc};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::time::Duration;

/// Bytes of an answer that are kept for people.
pub(super) const KEPT: usize = 16 * 1024;

/// The outcome of one push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What became of the request.
    pub verdict: Verdict,
    /// The answer's status, if one came.
    pub http_status: Option<u16>,
    /// The answer's text: at most 16 KiB, secrets masked, control characters shown as symbols. It may quote a record.
    pub answer: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Why, in one English line, without secrets and without anything of a record.
    pub note: String,
    /// Bytes of the body that the connection took; not all of them need have arrived.
    pub sent_bytes: u64,
    /// How the receiver calls the import, where the file was taken and `confirm` says where that stands.
    pub import: Option<serde_json::Value>,
}

/// Decodes a body by its declared charset, or as UTF-8, or failing that as Shift_JIS. The second value says whether
/// it was without fault in a charset that was declared.
pub(super) fn decode<'a>(headers: &HeaderMap, body: &'a [u8]) -> (Cow<'a, str>, bool) {
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            value.split(';').skip(1).find_map(|part| {
                let (name, charset) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("charset").then(|| charset.trim().trim_matches('"'))
            })
        })
        .and_then(|label| Encoding::for_label(label.as_bytes()));
    if let Some(charset) = declared {
        let (text, _, faulty) = charset.decode(body);
        return (text, !faulty && charset != UTF_8);
    }
    match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => {
            let (text, _, faulty) = SHIFT_JIS.decode(body);
            if faulty { (String::from_utf8_lossy(body), false) } else { (text, false) }
        }
    }
}

/// An answer's text as it is kept.
pub(super) fn kept(text: &str, secrets: &[SecretString]) -> String {
    let masked = mask(text, secrets);
    let tame = masked.chars().map(|letter| match letter {
        '\n' | '\t' => letter,
        // The pictures of the control characters.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + letter as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ => letter,
    });
    let mut kept = String::new();
    for letter in tame {
        if kept.len() + letter.len_utf8() > KEPT {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// Masks each secret, as it is and as JSON writes it, and the beginning of one at the end of a text that was cut.
pub(super) fn mask(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            continue;
        }
        let quoted = serde_json::Value::from(secret).to_string();
        for form in [secret, &quoted[1..quoted.len() - 1]] {
            if text.contains(form) {
                text = text.replace(form, MASK);
            }
            let cut = (4..form.len()).rev().filter_map(|length| form.get(..length)).find(|start| text.ends_with(start));
            if let Some(start) = cut {
                text.truncate(text.len() - start.len());
                text.push_str(MASK);
            }
        }
    }
    text
}

/// `Retry-After` in its two forms. A date is counted from the answer's own `Date`, so that a clock that is wrong on
/// one side does not matter; without one, from `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let then = http_date(text)?;
    let from = headers.get(DATE).and_then(|value| http_date(value.to_str().ok()?)).unwrap_or(now);
    Some((then - from).to_std().unwrap_or_default())
}

/// A date in one of HTTP's three forms.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text.trim(), form).ok())
        .map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|&text| SecretString::from(text.to_owned())).collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_each_kind_of_date() {
        let now = DateTime::from_timestamp(784_111_777, 0).unwrap();
        let read = |pairs: &[_]| retry_after(&headers(pairs), now).map(|wait| wait.as_secs());
        assert_eq!(read(&[("retry-after", "120")]), Some(120));
        assert_eq!(read(&[("retry-after", "99999999999999999999999")]), Some(u64::from(u32::MAX)));
        for date in ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"] {
            assert_eq!(
                retry_after(&headers(&[("retry-after", Box::leak(date.to_owned().into_boxed_str()))]), now),
                Some(Duration::from_secs(60)),
                "{date}"
            );
        }
        let own_date = [("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), ("date", "Sun, 06 Nov 1994 08:50:07 GMT")];
        assert_eq!(read(&own_date), Some(30), "counted from the receiver's own clock");
        assert_eq!(read(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), Some(0), "the past is now");
        assert_eq!(read(&[("retry-after", "soon")]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn an_echoed_secret_is_masked_whole_escaped_or_cut() {
        let secrets = secrets(&["tok\"en-123456"]);
        assert_eq!(mask("a tok\"en-123456 b", &secrets), "a •••• b");
        assert_eq!(mask(r#"{"t":"tok\"en-123456"}"#, &secrets), r#"{"t":"••••"}"#);
        assert_eq!(mask("a tok\"en-12", &secrets), "a ••••");
        assert_eq!(mask("nothing", &secrets), "nothing");
    }

    #[test]
    fn control_characters_are_shown_and_the_text_is_bounded() {
        assert_eq!(kept("a\u{1b}[31mb\r\n\u{202e}c", &[]), "a␛[31mb␍\n\u{fffd}c");
        let long = kept(&"あ".repeat(10_000), &[]);
        assert!(long.len() <= KEPT && long.len() > KEPT - 3);
    }

    #[test]
    fn an_answer_is_decoded_by_its_charset_or_as_shift_jis() {
        let sjis = b"\x83\x81\x83\x93\x83\x65";
        assert_eq!(
            decode(&headers(&[("content-type", "text/html; Charset=\"Shift_JIS\"")]), sjis),
            ("メンテ".into(), true)
        );
        assert_eq!(decode(&headers(&[]), sjis), ("メンテ".into(), false));
        assert_eq!(decode(&headers(&[]), b"\xff\xff"), ("\u{fffd}\u{fffd}".into(), false));
    }
}
