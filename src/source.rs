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
pub use self::json::JsonRows;
pub use self::locate::{Found, NotReady, Why, locate};
pub use self::records::{RecordBlocks, RecordsInfo};

use self::charset::Expected;
use self::text::Text;
use crate::domain::menu::{CsvSourceForm, JsonlSourceForm, Menu, SourceForm};
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

/// A source's rows. An iterator for a blocking thread; after an error there is nothing more.
#[derive(Debug)]
pub enum Blocks {
    /// Of a file of delimited text.
    Csv(Box<CsvRows>),
    /// Of a file of JSON lines.
    Json(Box<JsonRows>),
    /// Of renkei's own records.
    Records(RecordBlocks),
}

impl Iterator for Blocks {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
            Self::Records(blocks) => blocks.next(),
        }
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
        SourceForm::Records(_) => {
            let (header, blocks, about) = records::open(menu, store).await?;
            Ok(Opened { header, blocks: Blocks::Records(blocks), about: SourceInfo::Records(about) })
        }
    }
}

/// Opens a file; blocks while its charset is detected.
///
/// # Errors
/// As [`locate()`] and [`CsvRows::open`].
pub fn open_csv(form: &CsvSourceForm, context: &OpenContext) -> Result<Opened, SourceError> {
    let (rows, about) = CsvRows::open(locate(form, context)?, form)?;
    Ok(Opened { header: rows.header().clone(), blocks: Blocks::Csv(Box::new(rows)), about: SourceInfo::File(about) })
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
    Ok(Opened { header, blocks: Blocks::Json(Box::new(rows)), about })
}
