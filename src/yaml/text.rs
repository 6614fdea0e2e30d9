//! A YAML file as text: read with a limit, and only taken when it is UTF-8. What was saved in another charset, is
//! binary, a folder, or too large is refused with the way to mend it; nothing is guessed.

use super::{Finding, Place};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most bytes of one file.
pub const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// A file's text and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The name for messages; relative paths in the text start at its folder.
    pub path: PathBuf,
    /// The text.
    pub text: String,
}

/// Reads one file.
pub fn read(path: &Path) -> Result<Text, Box<Finding>> {
    let cannot = |error: std::io::Error| Box::new(cannot_read(path, &error));
    let file = File::open(path).map_err(cannot)?;
    let about = file.metadata().map_err(cannot)?;
    if about.is_dir() {
        return Err(Finding::about(path, "this is a directory", "name the file in it").into());
    }
    let too_large = || {
        let fix = "is it really the right file? settings may be split, and applied together";
        Finding::about(path, format!("the file is larger than {} MB", MOST_BYTES >> 20), fix)
    };
    if about.len() > MOST_BYTES {
        return Err(too_large().into());
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_large().into());
    }
    Ok(Text { text: decode(bytes, path)?, path: path.to_owned() })
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Finding {
    match error.kind() {
        ErrorKind::NotFound => Finding::about(path, "there is no such file", "check the name and the folder"),
        ErrorKind::PermissionDenied => {
            Finding::about(path, "the file may not be read", "give this user the right to read it")
        }
        _ => Finding::about(path, format!("the file cannot be read: {error}"), "check the disk"),
    }
}

fn decode(bytes: Vec<u8>, path: &Path) -> Result<String, Box<Finding>> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Finding::at(
            path,
            Place::START,
            "the file is saved as UTF-16",
            "save it as UTF-8: iconv -f UTF-16 -t UTF-8",
        )
        .into());
    }
    if let Some(index) = memchr::memchr(0, &bytes) {
        let place = place_of(&String::from_utf8_lossy(&bytes[..index]));
        let what = "there is a NUL byte: this is a binary file, or UTF-16 without its mark";
        return Err(Finding::at(path, place, what, "name a text file, saved as UTF-8").into());
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let cut = error.utf8_error().error_len().is_none();
            let bytes = error.into_bytes();
            let place = place_of(&String::from_utf8_lossy(&bytes[..valid]));
            // Only the end is missing: a text in another charset would have stumbled over an earlier letter.
            if cut && !bytes[..valid].is_ascii() {
                let fix = "is the file complete? copy it again";
                return Err(Finding::at(path, place, "the file ends inside a letter", fix).into());
            }
            return Err(foreign(&bytes, place, path).into());
        }
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some((index, found)) = text.char_indices().find(|(_, c)| strange(*c)) {
        let place = place_of(&text[..index]);
        let (what, fix) = match found {
            '\u{1b}' if text[index..].starts_with("\u{1b}$") || text[index..].starts_with("\u{1b}(") => {
                ("the file is saved as ISO-2022-JP (JIS)".to_owned(), "save it as UTF-8: iconv -f ISO-2022-JP -t UTF-8")
            }
            other => (
                format!("there is a control character U+{:04X}: this is no plain text", u32::from(other)),
                "remove it, or write it as \"\\x..\" in double quotes",
            ),
        };
        return Err(Finding::at(path, place, what, fix).into());
    }
    Ok(text)
}

/// Says in which charset the file probably is. Its bytes are not UTF-8, so something has to be mended in any case.
fn foreign(bytes: &[u8], place: Place, path: &Path) -> Finding {
    let clean = |encoding: &'static encoding_rs::Encoding| {
        encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some()
    };
    let (what, fix) = if clean(encoding_rs::EUC_JP) {
        ("the file is not UTF-8; it looks like EUC-JP", "save it as UTF-8: iconv -f EUC-JP -t UTF-8")
    } else if clean(encoding_rs::SHIFT_JIS) {
        ("the file is not UTF-8; it looks like Shift_JIS", "save it as UTF-8: iconv -f CP932 -t UTF-8")
    } else {
        ("the file is not UTF-8 text: it is binary, or damaged here", "name a text file in UTF-8")
    };
    Finding::at(path, place, what, fix)
}

/// The place right behind a text.
fn place_of(before: &str) -> Place {
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    Place {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
