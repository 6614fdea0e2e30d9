//! The `uploadFile` part: bytes that must be Shift_JIS (Windows-31J), lines that must end in CRLF, rows that must be even.
//!
//! A reader of its own, stricter than a spreadsheet and stricter than RFC 4180 asks of readers: what passes here is
//! unambiguous. It refuses to repair anything; every refusal names the line. Lines are physical lines: one that stands
//! inside quotes counts, and so does the header (the real service's way of counting is not known; this is the stricter).

use std::collections::HashSet;

use encoding_rs::{DecoderResult, SHIFT_JIS};

use super::answer::Refusal;

/// Columns of one file; more are refused, so that a header cannot fill the memory.
const COLUMNS_MAX: usize = 300;

/// A file that was read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One data row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The physical line on which it begins, from 1.
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
}

impl Sheet {
    /// Reads the bytes of the part. The limits are in bytes and in lines.
    pub(super) fn read(bytes: &[u8], file_bytes: u64, file_lines: u64) -> Result<Self, Refusal> {
        let size = bytes.len() as u64;
        if size > file_bytes {
            return Err(wrong(format!("the file has {size} bytes; at most {file_bytes} are taken")));
        }
        if bytes.is_empty() {
            return Err(Refusal::Header(vec!["the file is empty: a header line is required".to_owned()]));
        }
        let lines = line_at(bytes, bytes.len()) - u64::from(bytes.ends_with(b"\n"));
        if lines > file_lines {
            return Err(wrong(format!("the file has {lines} lines; at most {file_lines} are taken, header included")));
        }
        let text = decode(bytes)?;
        let mut records = rows(&text).map_err(|(line, msg)| wrong(format!("line {line}: {msg}")))?.into_iter();
        let Some(Row { fields: header, .. }) = records.next() else {
            return Err(Refusal::Header(vec!["a header line is required".to_owned()]));
        };
        check_header(&header)?;
        let rows: Vec<Row> = records.collect();
        for row in &rows {
            if row.fields.len() != header.len() {
                return Err(wrong(format!(
                    "line {}: {} fields, but the header has {}",
                    row.line,
                    row.fields.len(),
                    header.len()
                )));
            }
        }
        if rows.is_empty() {
            return Err(wrong("the file has a header line only".to_owned()));
        }
        Ok(Self { header, rows })
    }
}

fn wrong(msg: String) -> Refusal {
    Refusal::one("uploadFile", "", msg)
}

/// The physical line on which the byte at `position` stands, from 1.
fn line_at(bytes: &[u8], position: usize) -> u64 {
    1 + memchr::memchr_iter(b'\n', &bytes[..position.min(bytes.len())]).count() as u64
}

fn decode(bytes: &[u8]) -> Result<String, Refusal> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(wrong("line 1: the file begins with a UTF-8 byte order mark; Shift_JIS is required".to_owned()));
    }
    // Much UTF-8 is also well-formed Shift_JIS, only nonsense. Text that is UTF-8 throughout and has kana or kanji in
    // three bytes is not Shift_JIS by chance.
    if std::str::from_utf8(bytes).is_ok_and(|text| text.chars().any(|c| matches!(c, '\u{3000}'..='\u{FFEF}'))) {
        return Err(wrong("the file is UTF-8; Shift_JIS is required".to_owned()));
    }
    let mut decoder = SHIFT_JIS.new_decoder_without_bom_handling();
    let size = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(0);
    let mut text = String::with_capacity(size);
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    if !matches!(result, DecoderResult::InputEmpty) {
        let at = read.saturating_sub(1);
        let byte = bytes.get(at).copied().unwrap_or_default();
        return Err(wrong(format!("line {}: not Shift_JIS near byte {at} (0x{byte:02X})", line_at(bytes, at))));
    }
    let mut line = 1u64;
    for character in text.chars() {
        let fault = match character {
            '\n' => {
                line += 1;
                continue;
            }
            '\r' | '\t' => continue,
            '\u{E000}'..='\u{F8FF}' => "a private character (外字)",
            '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => "a control character",
            _ => continue,
        };
        return Err(wrong(format!("line {line}: {fault}, U+{:04X}", u32::from(character))));
    }
    Ok(text)
}

fn check_header(header: &[String]) -> Result<(), Refusal> {
    if header.len() > COLUMNS_MAX {
        return Err(Refusal::Header(vec![format!("{} columns; at most {COLUMNS_MAX} are taken", header.len())]));
    }
    let (mut faults, mut seen) = (Vec::new(), HashSet::new());
    for (index, name) in header.iter().enumerate() {
        if name.trim().is_empty() {
            faults.push(format!("column {} has no name", index + 1));
        } else if !seen.insert(name) {
            faults.push(format!("column {} repeats the name {name}", index + 1));
        }
    }
    // Nothing says what a header looks like, but a first name that is only digits is a code: the header line is missing.
    if let Some(first) = header.first()
        && !first.is_empty()
        && first.chars().all(|c| c.is_ascii_digit())
    {
        faults.push(format!("line 1 is not a header line: its first column is called {first}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Header(faults)) }
}

/// Splits the text into rows; an error is the line and what is wrong on it.
fn rows(text: &str) -> Result<Vec<Row>, (u64, &'static str)> {
    let bytes = text.as_bytes();
    let (mut rows, mut fields) = (Vec::new(), Vec::new());
    let (mut at, mut line, mut row_line) = (0, 1u64, 1u64);
    while at < bytes.len() || !fields.is_empty() {
        // One field.
        let mut field = String::new();
        if bytes.get(at) == Some(&b'"') {
            let opened = line;
            at += 1;
            loop {
                let Some(length) = memchr::memchr(b'"', &bytes[at..]) else {
                    return Err((opened, "a quote is opened and never closed"));
                };
                line += memchr::memchr_iter(b'\n', &bytes[at..at + length]).count() as u64;
                field.push_str(&text[at..at + length]);
                at += length + 1;
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                field.push('"');
                at += 1;
            }
        } else {
            let length = bytes[at..].iter().position(|b| matches!(b, b',' | b'\r' | b'\n' | b'"'));
            let length = length.unwrap_or(bytes.len() - at);
            field.push_str(&text[at..at + length]);
            at += length;
        }
        fields.push(field);
        // What follows it.
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b','), _) => at += 1,
            (Some(b'\r'), Some(b'\n')) | (None, _) => {
                at += 2;
                rows.push(Row { line: row_line, fields: std::mem::take(&mut fields) });
                line += 1;
                row_line = line;
            }
            (Some(b'\n'), _) => return Err((line, "ends in LF alone; CRLF is required")),
            (Some(b'\r'), _) => return Err((line, "a CR without LF")),
            (Some(b'"'), _) => return Err((line, "a quote inside a field that does not begin with one")),
            (Some(_), _) => return Err((line, "text after a closing quote")),
        }
        at = at.min(bytes.len());
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sheet::read(&bytes, 5_000_000, 50_000);
        }

        #[test]
        fn what_looks_like_csv_is_read_or_refused(text in "[a-zｱ\",\r\n]{0,60}") {
            let _ = rows(&text);
        }

        #[test]
        fn what_is_quoted_by_the_book_comes_back(table in proptest::collection::vec(proptest::array::uniform3("[a\",\r\n亜]{0,6}"), 1..6)) {
            let mut text = String::new();
            for row in &table {
                let quoted: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
                text += &(quoted.join(",") + "\r\n");
            }
            let read: Vec<Vec<String>> = rows(&text).unwrap().into_iter().map(|row| row.fields).collect();
            prop_assert_eq!(read, table.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
        }
    }
}
