//! What is wrong with one row: its key, the column, the reason. A reason is one of a closed list with its numbers and
//! letters, so that `messages` can say it in each language; `Display` is the English of logs and the command line.
//! Never the value of another field than the key.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// What is wrong with one row, in one of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// The record's key as text, several parts joined by ` / `; empty where a menu has no key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Where the row stands in the source: its line (or record number), from 1.
    pub line: u64,
    /// The column's header; empty when it is about the whole row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// Why.
    #[serde(deserialize_with = "reason_as_stored")]
    pub reason: RowReason,
}

impl RowFault {
    /// The row's name in English: its key, or `line 12`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.key.is_empty() { format!("line {}", self.line) } else { self.key.clone() }
    }
}

/// Why a row is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum RowReason {
    /// Letters that cannot be written in the CSV's charset.
    Letters {
        /// The first of them.
        letters: Vec<BadLetter>,
        /// How many more there are.
        #[serde(default)]
        more: u64,
    },
    /// A required value is empty.
    Required,
    /// The value is none of those under `replace.map`, and `otherwise` is `reject`.
    NotInMap,
    /// The value is no date of that form.
    NotADate {
        /// The form as written in the settings, as in `%Y/%m/%d`.
        form: String,
    },
    /// The date cannot be written in the form under `date.to`.
    DateNotWritable,
    /// The value is not of the form that a pattern asks for.
    NoMatch {
        /// The pattern as written in the settings.
        pattern: String,
    },
    /// Too many characters.
    TooManyChars {
        /// How many there are.
        has: u64,
        /// How many may be.
        most: u64,
    },
    /// Too many bytes in Shift_JIS.
    TooManyBytes {
        /// How many there are.
        has: u64,
        /// How many may be.
        most: u64,
    },
    /// The row alone takes more bytes than a file has room for beside its header.
    RowBytes {
        /// How many it takes.
        has: u64,
        /// How many a file has room for.
        most: u64,
    },
    /// The row alone takes more lines than a file has room for beside its header.
    RowLines {
        /// How many it takes.
        has: u64,
        /// How many a file has room for.
        most: u64,
    },
    /// An earlier row has the same key, or the same value in a column where it must be unique.
    Repeated {
        /// That row's line.
        first: u64,
    },
    /// In the receiver's own words, or in those of a version before these reasons (English).
    Said {
        /// Its clause.
        text: String,
    },
}

/// A letter that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadLetter {
    /// The letter.
    pub letter: char,
    /// The letter as people can look at it; empty where it is invisible, or its shape means nothing elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shown: String,
    /// Why it is refused.
    pub kind: LetterKind,
    /// What people usually write instead; empty where it is best left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// Why a letter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterKind {
    /// Shift_JIS (Windows-31J) has no place for it.
    NotInShiftJis,
    /// 外字.
    PrivateUse,
    /// A control character.
    Control,
}

impl RowReason {
    /// Whether the settings for letters (`csv.unmappable`) decide about it; control characters are a rule of their own.
    #[must_use]
    pub fn is_unmappable(&self) -> bool {
        matches!(self, Self::Letters { letters, .. } if letters.iter().any(|letter| letter.kind != LetterKind::Control))
    }
}

impl BadLetter {
    /// `U+20BB7`.
    #[must_use]
    pub fn code_point(&self) -> String {
        format!("U+{:04X}", u32::from(self.letter))
    }
}

/// A reason of this version, or the text of an earlier one.
fn reason_as_stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RowReason, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Known(RowReason),
        Text(String),
    }
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Known(reason) => reason,
        Stored::Text(text) => RowReason::Said { text },
    })
}

impl fmt::Display for RowReason {
    /// A clause that follows the column's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letters { letters, more } => {
                for (nth, letter) in letters.iter().enumerate() {
                    write!(f, "{}{letter}", if nth > 0 { "; " } else { "" })?;
                }
                if *more > 0 { write!(f, "; and {more} more") } else { Ok(()) }
            }
            Self::Required => f.write_str("is empty, but required"),
            Self::NotInMap => f.write_str("is none of the values that replace.map has"),
            Self::NotADate { form } => write!(f, "is no date of the form {form}"),
            Self::DateNotWritable => f.write_str("has a date that the format under date.to cannot write"),
            Self::NoMatch { pattern } => write!(f, "does not match the pattern {pattern}"),
            Self::TooManyChars { has, most } => write!(f, "has {has} characters, {most} are allowed"),
            Self::TooManyBytes { has, most } => write!(f, "has {has} bytes in Shift_JIS, {most} are allowed"),
            Self::RowBytes { has, most } => {
                write!(f, "takes {has} bytes, and a file has room for {most} beside its header")
            }
            Self::RowLines { has, most } => {
                write!(f, "takes {has} lines, and a file has room for {most} beside its header")
            }
            Self::Repeated { first } => write!(f, "stands in line {first} already"),
            Self::Said { text } => f.write_str(text),
        }
    }
}

impl fmt::Display for BadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code_point();
        match self.kind {
            LetterKind::Control => write!(f, "has the control character {code}, which no CSV field may hold"),
            LetterKind::PrivateUse => {
                write!(f, "has {code}, a 外字 (private use) whose shape only the machine with its font knows")
            }
            LetterKind::NotInShiftJis => {
                let gap = if self.shown.is_empty() { "" } else { " " };
                write!(f, "has {code}{gap}{}, which Shift_JIS does not have", self.shown)?;
                match self.suggestion.as_deref() {
                    None => Ok(()),
                    Some("") => f.write_str(" (leave it out)"),
                    Some(" ") => f.write_str(" (use a space)"),
                    Some(text) => write!(f, " (use {text})"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_data_in_the_database() {
        let letter = BadLetter {
            letter: '𠮷',
            shown: "𠮷".into(),
            kind: LetterKind::NotInShiftJis,
            suggestion: Some("吉".into()),
        };
        for reason in [
            RowReason::Letters { letters: vec![letter], more: 2 },
            RowReason::Required,
            RowReason::NotInMap,
            RowReason::NotADate { form: "%Y/%m/%d".into() },
            RowReason::NoMatch { pattern: "[0-9]+".into() },
            RowReason::TooManyChars { has: 3, most: 2 },
            RowReason::Repeated { first: 7 },
            RowReason::Said { text: "is odd".into() },
        ] {
            let fault = RowFault { key: "1045".into(), line: 3, column: "社員名".into(), reason };
            let json = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<RowFault>(&json).unwrap(), fault, "{json}");
        }
    }

    #[test]
    fn what_an_earlier_version_wrote_down_as_text_is_still_read() {
        let json = r#"{"key":"line 12","line":12,"column":"社員名","reason":"is empty, but required"}"#;
        let fault: RowFault = serde_json::from_str(json).unwrap();
        assert_eq!(fault.reason, RowReason::Said { text: "is empty, but required".into() });
        assert_eq!((fault.name().as_str(), fault.reason.to_string().as_str()), ("line 12", "is empty, but required"));
    }

    #[test]
    fn a_row_without_a_key_is_named_by_its_line() {
        let fault = RowFault { key: String::new(), line: 12, column: String::new(), reason: RowReason::Required };
        assert_eq!(fault.name(), "line 12");
    }
}
