//! メニュー: a record list, where it comes from (取得元), which columns (項目) are sent and what identifies a record.
//! [`MenuForm`] is what a person writes, [`Menu`] is checked. Nothing here opens a file.

mod column;
mod condition;

use super::duration::Span;
use super::failure::{Code, Failure};
use super::fault::{Checked, Fault, settle};
use super::integration::{first_error, is_false};
use super::label;
use serde::{Deserialize, Serialize};

pub use column::{Case, Column, DateForm, OnLong, Otherwise, Pad, Replace, Side, Width};
pub use condition::Condition;

/// How many rows a source may have where its settings do not say: more is rather another list than this one.
pub const MOST_ROWS: u64 = 1_000_000;

/// Where a menu's records come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceForm {
    /// Rows kept in renkei's database, filled by `records import`.
    Records(RecordsForm),
    /// A file of delimited text.
    Csv(CsvSourceForm),
    /// A file of JSON lines.
    Jsonl(JsonlSourceForm),
}

impl SourceForm {
    /// Which file it reads; `None` where it reads none.
    #[must_use]
    pub fn file(&self) -> Option<FileForm<'_>> {
        match self {
            Self::Records(_) => None,
            Self::Csv(form) => Some(form.into()),
            Self::Jsonl(form) => Some(form.into()),
        }
    }
}

/// `records: {}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsForm {
    /// As of [`CsvSourceForm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
}

/// The charset of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SourceCharset {
    /// Detected among all below; an answer that is not certain is an error.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf8")]
    Utf8,
    /// Windows-31J.
    #[serde(rename = "sjis")]
    Sjis,
    /// EUC-JP.
    #[serde(rename = "euc-jp")]
    EucJp,
    /// ISO-2022-JP.
    #[serde(rename = "iso-2022-jp")]
    Iso2022Jp,
    /// UTF-16 with a byte order mark, or little-endian without.
    #[serde(rename = "utf16")]
    Utf16,
}

/// `csv: { path, … }`: a file, the newest of a glob, or a name with a date in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvSourceForm {
    /// A path; `*`, `?` and `[…]` make it a glob of which the newest file counts; `{run_date}` or
    /// `{run_date:%Y%m%d}` is the run's local date. Relative paths are relative to the settings file and are stored
    /// complete.
    pub path: String,
    /// The charset.
    #[serde(default)]
    pub charset: SourceCharset,
    /// One character, or `\t`; detected among comma, tab, semicolon and bar where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// One character, or empty for none; detected (`"` or none) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The column names where the file has no header line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Older files are an error, so that yesterday's is never sent again unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// How long a run waits for a file that is not there, too old or still growing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_until: Option<Span>,
    /// A file that must stand beside it, newer than or as old as it, before it is read (`{path}.done`, say).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// The most rows; [`MOST_ROWS`] where absent. One more is an error, never a list that ends there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
}

/// `jsonl: { path, … }`: a file of one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonlSourceForm {
    /// As of [`CsvSourceForm`].
    pub path: String,
    /// The charset; JSON is UTF-8 by its standard, and not by every writer.
    #[serde(default)]
    pub charset: SourceCharset,
    /// The names that an object may have, and the columns' order; those of the first object where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// As of [`CsvSourceForm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// As of [`CsvSourceForm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_until: Option<Span>,
    /// As of [`CsvSourceForm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// As of [`CsvSourceForm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_rows: Option<u64>,
}

/// What the sources that read a file have in common: which file, and when it may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileForm<'f> {
    /// The path, pattern or name with a date.
    pub path: &'f str,
    /// How old it may be.
    pub max_age: Option<Span>,
    /// How long a run waits for it.
    pub wait_until: Option<Span>,
    /// The file that must stand beside it.
    pub completion: Option<&'f str>,
}

impl<'f> From<&'f CsvSourceForm> for FileForm<'f> {
    fn from(form: &'f CsvSourceForm) -> Self {
        let (max_age, wait_until) = (form.max_age, form.wait_until);
        Self { path: &form.path, max_age, wait_until, completion: form.completion.as_deref() }
    }
}

impl<'f> From<&'f JsonlSourceForm> for FileForm<'f> {
    fn from(form: &'f JsonlSourceForm) -> Self {
        let (max_age, wait_until) = (form.max_age, form.wait_until);
        Self { path: &form.path, max_age, wait_until, completion: form.completion.as_deref() }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One key of the row order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBy {
    /// A column's header.
    pub header: String,
    /// Digits are compared by value: 2 before 10; texts that are no number come after all numbers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub numeric: bool,
    /// The largest first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub descending: bool,
}

/// What a tripped check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTrip {
    /// The run ends failed.
    Fail,
    /// The run is held until a person decides (確認待ち).
    Hold,
}

/// The checks before the first request (送信前チェック).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// No data rows.
    pub empty: OnTrip,
    /// Two rows with one key.
    pub duplicate_keys: OnTrip,
    /// A column that the menu reads is not in the source. Nothing could be written, so it only ever fails.
    pub missing_column: OnTrip,
}

impl Checks {
    /// Which of the checks that tripped decides: the first that fails the run, else the first that holds it.
    #[must_use]
    pub fn strictest(&self, tripped: Vec<Failure>) -> Option<(OnTrip, Failure)> {
        let mut held = None;
        for failure in tripped {
            match self.on_trip(failure.code) {
                Some(OnTrip::Fail) => return Some((OnTrip::Fail, failure)),
                Some(OnTrip::Hold) => held = held.or(Some((OnTrip::Hold, failure))),
                None => {}
            }
        }
        held
    }

    /// What is done when the check of this failure trips; `None` for a failure that is no check over the whole export.
    fn on_trip(&self, code: Code) -> Option<OnTrip> {
        match code {
            Code::Empty => Some(self.empty),
            Code::DuplicateKeys => Some(self.duplicate_keys),
            _ => None,
        }
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self { empty: OnTrip::Hold, duplicate_keys: OnTrip::Hold, missing_column: OnTrip::Fail }
    }
}

/// What becomes of a row that breaks a rule of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBadRow {
    /// The run stops before its first request.
    #[default]
    Reject,
    /// The row is left out; the run ends partial.
    SkipRow,
}

/// A menu as a person writes it; see the settings reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuForm {
    /// The list's name, shown to people.
    pub name: String,
    /// A stable id that keeps the history over a rename; the name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 取得元.
    pub source: SourceForm,
    /// The headers that identify a record (キー項目).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// 項目; every source column under its own name where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Which rows are meant: those that meet every condition; all where empty.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The order of the rows; the source's where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<OrderBy>,
    /// What a row does that breaks a rule.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bad_rows: OnBadRow,
    /// 送信前チェック.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checks: Checks,
    /// The ids (or names) of the integrations applied to it.
    #[serde(default)]
    pub integrations: Vec<String>,
}

/// A checked menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "MenuForm", into = "MenuForm")]
pub struct Menu {
    form: MenuForm,
    id: String,
}

impl Menu {
    /// Checks a form and says every fault at once. Whether its integrations exist is checked by whoever knows them.
    pub fn check(form: MenuForm) -> Checked<Self> {
        let mut faults = Vec::new();
        faults.extend(label::check("name", &form.name));
        faults.extend(form.id.as_deref().and_then(|id| label::check("id", id)));
        columns(&form, &mut faults);
        condition::check(&form.conditions, &mut faults);
        source(&form.source, &mut faults);
        if form.checks.missing_column == OnTrip::Hold {
            let fix = "write missing_column: fail";
            let what = "a run cannot be held for a missing column: there is nothing that could be sent";
            faults.push(Fault::error(&["checks", "missing_column"], what, fix));
        }
        if form.key.is_empty() {
            faults.push(Fault::warning(
                &[],
                "the menu has no key: duplicates are not found, and messages name rows by line only",
                "add key: [社員コード], say",
            ));
        }
        let id = form.id.clone().unwrap_or_else(|| form.name.clone());
        settle(Self { form, id }, faults)
    }

    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.form.name
    }

    /// Everything as written.
    #[must_use]
    pub fn form(&self) -> &MenuForm {
        &self.form
    }
}

fn columns(form: &MenuForm, faults: &mut Vec<Fault>) {
    column::check(&form.columns, faults);
    if form.columns.is_empty() {
        return;
    }
    let known = |header: &str| form.columns.iter().any(|column| column.header == header);
    for (index, header) in form.key.iter().enumerate().filter(|(_, header)| !known(header)) {
        let path = ["key", &index.to_string()];
        faults.push(Fault::error(&path, format!("the key {header} is none of the columns' headers"), "name a header"));
    }
    for (index, order) in form.order_by.iter().enumerate().filter(|(_, order)| !known(&order.header)) {
        let path = ["order_by", &index.to_string()];
        faults.push(Fault::error(&path, format!("{} is none of the columns' headers", order.header), "name a header"));
    }
}

fn source(form: &SourceForm, faults: &mut Vec<Fault>) {
    let (kind, columns, most_rows): (_, &[String], _) = match form {
        SourceForm::Records(records) => ("records", &[], records.most_rows),
        SourceForm::Csv(csv) => ("csv", &csv.columns, csv.most_rows),
        SourceForm::Jsonl(jsonl) => ("jsonl", &jsonl.columns, jsonl.most_rows),
    };
    let mut refuse = |field: &str, what: &str, fix: &str| {
        faults.push(Fault::error(&["source", kind, field], what, fix));
    };
    if form.file().is_some_and(|file| file.path.trim().is_empty() || file.path.contains('\0')) {
        refuse("path", "the path is empty or holds a NUL", "write the file's path");
    }
    let mut seen = std::collections::HashSet::new();
    if columns.iter().any(|name| name.is_empty() || !seen.insert(name)) {
        refuse("columns", "a column name is empty or stands twice", "give each column its own name");
    }
    if most_rows == Some(0) {
        refuse("most_rows", "most_rows 0 lets no row through", "write 1 or more");
    }
    let SourceForm::Csv(csv) = form else { return };
    let single = |text: &str| text == "\\t" || (text.len() == 1 && text.is_ascii() && !"\r\n".contains(text));
    if csv.delimiter.as_deref().is_some_and(|text| !single(text)) {
        refuse("delimiter", "the delimiter is not one ASCII character", "write \",\" or \"\\t\"");
    }
    if csv.quote.as_deref().is_some_and(|text| !text.is_empty() && !single(text)) {
        refuse("quote", "the quote is not one ASCII character", "write '\"', or \"\" for none");
    }
    if csv.quote.is_some() && csv.quote == csv.delimiter {
        refuse("quote", "the quote equals the delimiter", "change one of them");
    }
}

impl TryFrom<MenuForm> for Menu {
    type Error = String;
    fn try_from(form: MenuForm) -> Result<Self, String> {
        Self::check(form).map(|(menu, _)| menu).map_err(|faults| first_error(&faults))
    }
}

impl From<Menu> for MenuForm {
    fn from(menu: Menu) -> Self {
        menu.form
    }
}
