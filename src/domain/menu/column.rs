//! 項目: a column of a menu, where its text comes from and the steps that the text goes through. The steps are a closed
//! set, applied in one order whatever the order in which they are written; `export` says it, and does them.

use super::is_default;
use crate::domain::fault::Fault;
use crate::domain::integration::{is_false, ordered};
use crate::domain::pattern::Pattern;
use serde::{Deserialize, Serialize};

/// The widest padding, in characters: more than any code has.
const WIDEST: u32 = 1_000;

/// Folding to full or half width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    /// 全角
    Full,
    /// 半角
    Half,
}

/// Large or small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// 大文字
    Upper,
    /// 小文字
    Lower,
}

/// An end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Before it.
    #[default]
    Left,
    /// After it.
    Right,
}

/// Filling up of a text that is shorter (桁揃え).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// How many characters there are at least, when done.
    pub to: u32,
    /// The one character that fills.
    #[serde(default = "zero", skip_serializing_if = "is_zero")]
    pub with: String,
    /// Where it fills.
    #[serde(default, skip_serializing_if = "is_default")]
    pub side: Side,
}

fn zero() -> String {
    "0".to_owned()
}

fn is_zero(text: &str) -> bool {
    text == "0"
}

/// Other texts for some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// Each value on the left is sent as the text on the right. It is compared as a whole.
    #[serde(with = "ordered")]
    pub map: Vec<(String, String)>,
    /// What happens to a value that is none of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub otherwise: Otherwise,
}

/// What happens to a value that a replacement's table does not have. One that is empty stays empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// It stays as it is.
    #[default]
    Keep,
    /// The row breaks a rule.
    Reject,
    /// This text is sent instead.
    Text(String),
}

/// What happens to a text that is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLong {
    /// The row breaks a rule.
    #[default]
    Reject,
    /// It is cut at a character's boundary.
    Truncate,
}

/// A date's reading and writing, in chrono's notation (`%Y/%m/%d`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateForm {
    /// How the source writes it; [`DateForm::WAREKI`] is a form of its own.
    pub from: String,
    /// How it is sent.
    pub to: String,
}

impl DateForm {
    /// 和暦: the form of dates with the name of an era, for reading only.
    pub const WAREKI: &str = "wareki";
}

/// A column (項目) of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name in line 1 of the CSV, by which the receiver matches.
    pub header: String,
    /// The source's column; the header's name where neither this nor `constant` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The same text in every row, instead of a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// Several of the source's columns, one after another, instead of a field. Those that are empty are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concat: Option<Vec<String>>,
    /// What stands between two of them; nothing where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<String>,
    /// Blanks (also full-width ones) at both ends are removed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trim: bool,
    /// Several blanks in a row become the first of them; line breaks are left alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub collapse_spaces: bool,
    /// What is sent where the value is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Other texts for some values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Replace>,
    /// Letters to large or small ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
    /// ASCII letters, digits and signs to full or half width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Width>,
    /// Katakana to full or half width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kana: Option<Width>,
    /// A date's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateForm>,
    /// Filling up of a text that is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad: Option<Pad>,
    /// The most characters (Unicode scalar values).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
    /// The most bytes in Shift_JIS (全角 2, 半角 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u32>,
    /// What happens to a longer text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_long: OnLong,
    /// An empty value breaks a rule.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// A regular expression; a value that is not as a whole of that form breaks a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A value that an earlier row has breaks a rule.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
}

impl Column {
    /// A column that sends the source's column of the same name unchanged.
    #[must_use]
    pub fn plain(header: &str) -> Self {
        Self {
            header: header.to_owned(),
            field: None,
            constant: None,
            concat: None,
            between: None,
            trim: false,
            collapse_spaces: false,
            default: None,
            replace: None,
            case: None,
            width: None,
            kana: None,
            date: None,
            pad: None,
            max_chars: None,
            max_bytes: None,
            on_long: OnLong::Reject,
            required: false,
            pattern: None,
            unique: false,
        }
    }

    /// The source's columns that it reads; none for a constant.
    #[must_use]
    pub fn reads(&self) -> Vec<&str> {
        match (&self.constant, &self.concat) {
            (Some(_), _) => Vec::new(),
            (None, Some(fields)) => fields.iter().map(String::as_str).collect(),
            (None, None) => vec![self.field.as_deref().unwrap_or(&self.header)],
        }
    }
}

/// Every fault of the columns, each at its place.
pub(super) fn check(columns: &[Column], faults: &mut Vec<Fault>) {
    for (index, column) in columns.iter().enumerate() {
        let index_text = index.to_string();
        let mut refuse = |path: &[&str], what: String, fix: &str| {
            let path: Vec<&str> = ["columns", &index_text].iter().chain(path).copied().collect();
            faults.push(Fault::error(&path, what, fix));
        };
        let name = &column.header;
        if name.is_empty() {
            refuse(&["header"], "the header is empty".into(), "write the name that stands in 楽楽精算's CSV取込の設定");
        }
        if columns[..index].iter().any(|earlier| earlier.header == *name) {
            refuse(&["header"], format!("the header {name} stands twice"), "keep one of the two columns");
        }
        if column.field.is_some() && column.constant.is_some() {
            refuse(&["constant"], format!("{name} has both a field and a constant"), "keep one of them");
        }
        if let Some(fields) = &column.concat {
            if column.field.is_some() || column.constant.is_some() {
                let other = if column.field.is_some() { "a field" } else { "a constant" };
                refuse(&["concat"], format!("{name} has both {other} and a concat"), "keep one of them");
            }
            if fields.is_empty() || fields.iter().any(String::is_empty) {
                let what = format!("the concat of {name} names no column of the source, or an empty one");
                refuse(&["concat"], what, "write concat: [sei, mei], say");
            }
        } else if column.between.is_some() {
            refuse(
                &["between"],
                format!("{name} has nothing to stand between"),
                "add concat: [sei, mei], or remove it",
            );
        }
        if column.default.as_deref() == Some("") {
            let fix = "write the text that is sent for an empty value, or remove it";
            refuse(&["default"], format!("the default of {name} is empty"), fix);
        }
        if column.replace.as_ref().is_some_and(|replace| replace.map.is_empty()) {
            refuse(&["replace", "map"], format!("the map of {name} is empty"), "write map: { \"1\": 正社員 }, say");
        }
        if let Some(pad) = &column.pad {
            check_pad(pad, &mut refuse);
        }
        for (field, limit) in [("max_chars", column.max_chars), ("max_bytes", column.max_bytes)] {
            if limit == Some(0) {
                refuse(&[field], format!("{field} 0 lets no text through"), "write 1 or more");
            }
        }
        if let (Some(pad), Some(most)) = (&column.pad, column.max_chars)
            && pad.to > most
        {
            let what = format!("{name} is filled up to {} characters, and {most} are allowed", pad.to);
            refuse(&["pad", "to"], what, "write max_chars at least as large");
        }
        if let Some(pattern) = &column.pattern
            && let Err(why) = Pattern::new(pattern)
        {
            refuse(&["pattern"], format!("{pattern:?} is no regular expression: {why}"), "write [0-9]{6}, say");
        }
        if column.date.as_ref().is_some_and(|date| date.to == DateForm::WAREKI) {
            refuse(&["date", "to"], "wareki is read and not written".into(), "write %Y/%m/%d, say");
        }
        if let Some(date) = &column.date {
            for (field, pattern) in [("from", &date.from), ("to", &date.to)] {
                if pattern.is_empty()
                    || chrono::format::StrftimeItems::new(pattern).any(|item| item == chrono::format::Item::Error)
                {
                    refuse(&["date"], format!("{field}: {pattern:?} is no date format"), "write %Y/%m/%d, say");
                }
            }
        }
    }
}

fn check_pad(pad: &Pad, refuse: &mut impl FnMut(&[&str], String, &str)) {
    if !(1..=WIDEST).contains(&pad.to) {
        let what = format!("a text cannot be filled up to {} characters", pad.to);
        refuse(&["pad", "to"], what, "write how many digits the code has, from 1 to 1000");
    }
    let mut letters = pad.with.chars();
    if !matches!((letters.next(), letters.next()), (Some(letter), None) if !letter.is_control()) {
        refuse(&["pad", "with"], format!("{:?} is not one character", pad.with), "write with: \"0\", say");
    }
}
