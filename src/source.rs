//! Where a menu's records come from. A source is found, opened and read as blocks, in memory that does not depend on
//! the number of rows. An error is never an empty source: whoever reads must come to the end without one before
//! anything is sent. One file per kind; the enum in front is [`Blocks`].

pub mod charset;
pub mod csv;
pub mod dialect;
pub mod error;
mod gzip;
pub mod import;
mod json;
pub mod locate;
mod packed;
pub mod records;
pub mod split;
mod text;

pub use self::csv::{CsvRows, FileInfo};
pub use self::error::SourceError;
pub use self::import::{Imported, import};
pub use self::locate::{Found, NotReady, Why, locate};
pub use self::records::{RecordBlocks, RecordsInfo};

use self::charset::Expected;
use self::json::JsonRows;
use self::text::Text;
use crate::domain::menu::{CsvSourceForm, JsonlSourceForm, MOST_ROWS, Menu, SourceForm};
use crate::domain::record::{Block, Header};
use crate::store::Store;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::fmt;

/// When and for which run a source is opened.
#[derive(Debug, Clone, Copy)]
pub struct OpenContext {
    /// Now: a file's age is measured by it.
    pub now: DateTime<Utc>,
    /// The run's time: `{run_date}` is its local date, also when the run had to wait past midnight.
    pub run_at: DateTime<Utc>,
    /// The zone of dates and of the times in messages.
    pub zone: Tz,
}

/// An open source, before its first row.
#[derive(Debug)]
pub struct Opened {
    /// The source's columns.
    pub header: Header,
    /// The rows.
    pub blocks: Blocks,
    /// What was found.
    pub about: SourceInfo,
}

/// A source's rows, up to as many as it may have: one more is an error, never a list that ends there. An iterator for
/// a blocking thread; after an error there is nothing more.
#[derive(Debug)]
pub struct Blocks {
    rows: Rows,
    /// How many rows have come, and how many may.
    seen: u64,
    most: u64,
    over: bool,
}

/// One for each kind of source.
#[derive(Debug)]
enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
    Records { rows: RecordBlocks, menu: String },
}

impl Blocks {
    fn new(rows: Rows, most: Option<u64>) -> Self {
        Self { rows, seen: 0, most: most.unwrap_or(MOST_ROWS), over: false }
    }

    fn too_many(&self) -> SourceError {
        let (kind, of) = match &self.rows {
            Rows::Csv(rows) => ("csv", rows.path().display().to_string()),
            Rows::Json(rows) => ("jsonl", rows.path().display().to_string()),
            Rows::Records { menu, .. } => ("records", format!("the records of menu {menu}")),
        };
        let what = format!("there are more than {} rows", self.most);
        let mend =
            format!("see that it is the right list; if it is, raise most_rows in the {kind} of the menu's source");
        SourceError::TooLarge { of, what, mend }
    }
}

impl Iterator for Blocks {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let mut next = match &mut self.rows {
            Rows::Csv(rows) => rows.next(),
            Rows::Json(rows) => rows.next(),
            Rows::Records { rows, .. } => rows.next(),
        };
        if let Some(Ok(block)) = &next {
            self.seen += block.len() as u64;
            if self.seen > self.most {
                next = Some(Err(self.too_many()));
            }
        }
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// What was read, for the run's events and mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceInfo {
    /// A file.
    File(FileInfo),
    /// Renkei's own records.
    Records(RecordsInfo),
}

/// In English, for logs: names, sizes and times (UTC), no values.
impl fmt::Display for SourceInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";
        match self {
            Self::File(file) => {
                let packed = if file.packed { " of gzip" } else { "" };
                write!(out, "{} ({} bytes{packed}, ", file.path.display(), file.size)?;
                write!(out, "written {}, {}", file.modified.format(TIME), file.charset)?;
                match file.dialect {
                    Some(dialect) => write!(out, ", {dialect})"),
                    None => out.write_str(", JSON lines)"),
                }
            }
            Self::Records(records) => {
                write!(out, "records of generation {} ({} records, ", records.generation, records.records)?;
                write!(out, "imported {})", records.imported_at.format(TIME))
            }
        }
    }
}

/// Opens a menu's source up to its first data row. A file is located anew, so that what was ready a moment ago and is
/// not any more is [`SourceError::NotReady`].
///
/// # Errors
/// As [`open_csv`], [`open_jsonl`] and, for records, [`SourceError::NeverImported`] and [`SourceError::Store`].
pub async fn open(menu: &Menu, store: &Store, context: &OpenContext) -> Result<Opened, SourceError> {
    match &menu.form().source {
        SourceForm::Csv(form) => {
            let (form, context) = (form.clone(), *context);
            let opened = tokio::task::spawn_blocking(move || open_csv(&form, &context)).await;
            opened.unwrap_or(Err(SourceError::Ended))
        }
        SourceForm::Jsonl(form) => {
            let (form, context) = (form.clone(), *context);
            let opened = tokio::task::spawn_blocking(move || open_jsonl(&form, &context)).await;
            opened.unwrap_or(Err(SourceError::Ended))
        }
        SourceForm::Records(form) => {
            let (header, rows, about) = records::open(menu, store).await?;
            let blocks = Blocks::new(Rows::Records { rows, menu: menu.name().to_owned() }, form.most_rows);
            Ok(Opened { header, blocks, about: SourceInfo::Records(about) })
        }
    }
}

/// Opens a file; blocks while its charset is detected.
///
/// # Errors
/// As [`locate()`] and [`CsvRows::open`].
pub fn open_csv(form: &CsvSourceForm, context: &OpenContext) -> Result<Opened, SourceError> {
    let (rows, about) = CsvRows::open(locate(form, context)?, form)?;
    let header = rows.header().clone();
    let blocks = Blocks::new(Rows::Csv(Box::new(rows)), form.most_rows);
    Ok(Opened { header, blocks, about: SourceInfo::File(about) })
}

/// Opens a file of JSON lines; blocks while its charset is detected.
///
/// # Errors
/// As [`locate()`]; the file cannot be read, is empty or has changed since it was found; its charset is not certain;
/// it holds no object, or its first one cannot be a header.
pub fn open_jsonl(form: &JsonlSourceForm, context: &OpenContext) -> Result<Opened, SourceError> {
    let text = Text::open(locate(form, context)?, form.charset, Expected::JsonLines)?;
    let rows = JsonRows::open(text, form.columns.clone())?;
    let (header, about) = (rows.header().clone(), SourceInfo::File(rows.about()));
    let blocks = Blocks::new(Rows::Json(Box::new(rows)), form.most_rows);
    Ok(Opened { header, blocks, about })
}
