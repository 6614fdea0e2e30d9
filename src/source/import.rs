//! `records import`: a file of CSV, TSV or JSON lines becomes a menu's records. All or nothing: the rows go into a new
//! generation, which takes the old one's place at once when the last row is in it; after any error the old one stays.

use super::charset::Expected;
use super::csv::{CsvRows, FileInfo};
use super::error::SourceError;
use super::json::JsonRows;
use super::locate::{Found, named};
use super::text::Text;
use crate::domain::menu::{CsvSourceForm, SourceCharset};
use crate::domain::record::{Block, Header};
use crate::store::Store;
use chrono::{DateTime, Utc};
use std::path::Path;
use tokio::sync::mpsc;

/// How many blocks are written in one transaction: others wait for it, and each is a commit to the disk.
const TOGETHER: usize = 16;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The generation's number.
    pub generation: i64,
    /// How many records it has.
    pub records: u64,
    /// How many columns.
    pub columns: usize,
    /// The file it was read from.
    pub about: FileInfo,
}

/// Rows of a file in one of the forms that can be imported; to be read on a blocking thread.
#[derive(Debug)]
enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Iterator for Rows {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
        }
    }
}

/// Replaces a menu's records (by the menu's id) by those of a file. `.tsv` and `.tab` are split at tabs; `.jsonl`,
/// `.ndjson` and `.json` are JSON lines, as is any other but `.csv` that begins with a brace; the rest is CSV whose
/// delimiter and quoting are detected. `.gz` at the end is not looked at, and what is packed by gzip is unpacked. The charset is detected in each case. A file that a person names by hand is
/// read also if it was written a moment ago; that it changes meanwhile is an error as in any source.
///
/// The old generation stays for those who are reading it; it is among the stale ones from now on.
///
/// # Errors
/// The file is no table that can be read, as [`CsvRows::open`] and its rows; [`SourceError::Store`]. The menu's
/// records are then what they were.
pub async fn import(store: &Store, menu: &str, file: &Path, now: DateTime<Utc>) -> Result<Imported, SourceError> {
    let file = file.to_owned();
    let opened = tokio::task::spawn_blocking(move || open(&file)).await;
    let (header, about, rows) = opened.unwrap_or(Err(SourceError::Ended))?;
    let generation = store.begin_generation(menu, &header, now).await?;
    let imported = async {
        let records = fill(store, generation, rows).await?;
        store.switch_generation(menu, generation, now).await?;
        Ok(Imported { generation, records, columns: header.len(), about })
    }
    .await;
    if imported.is_err() {
        // If this fails too, the generation is nobody's and goes with the other stale ones.
        let _ = store.drop_generation(generation).await;
    }
    imported
}

/// Reads on a blocking thread, a little ahead of the writing.
async fn fill(store: &Store, generation: i64, rows: Rows) -> Result<u64, SourceError> {
    let (send, mut receive) = mpsc::channel(TOGETHER / 2);
    let reading = tokio::task::spawn_blocking(move || {
        for block in rows {
            let failed = block.is_err();
            if send.blocking_send(block).is_err() || failed {
                break;
            }
        }
    });
    let mut records = 0;
    let mut waiting = Vec::with_capacity(TOGETHER);
    loop {
        let next = receive.recv().await.transpose()?;
        let over = next.is_none();
        waiting.extend(next);
        if waiting.len() >= TOGETHER || (over && !waiting.is_empty()) {
            store.append_blocks(generation, &waiting).await?;
            records += waiting.iter().map(|block: &Block| block.len() as u64).sum::<u64>();
            waiting.clear();
        }
        if over {
            break;
        }
    }
    // A reader that died has closed the channel too: that is no end of the file.
    reading.await.map_err(|_| SourceError::Ended)?;
    Ok(records)
}

fn open(path: &Path) -> Result<(Header, FileInfo, Rows), SourceError> {
    let found = named(path)?;
    let ending =
        |path: &Path| path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut extension = ending(path);
    if extension == "gz" {
        extension = ending(&path.with_extension(""));
    }
    let delimiter = match extension.as_str() {
        "jsonl" | "ndjson" | "json" => return json(found),
        "tsv" | "tab" => Some("\\t".to_owned()),
        "csv" => None,
        _ if begins_with_brace(found.clone())? => return json(found),
        _ => None,
    };
    let form = CsvSourceForm {
        path: path.to_string_lossy().into_owned(),
        charset: SourceCharset::Auto,
        delimiter,
        quote: None,
        columns: Vec::new(),
        max_age: None,
        wait_until: None,
        completion: None,
        most_rows: None,
    };
    let (rows, about) = CsvRows::open(found, &form)?;
    Ok((rows.header().clone(), about, Rows::Csv(Box::new(rows))))
}

fn json(found: Found) -> Result<(Header, FileInfo, Rows), SourceError> {
    let text = Text::open(found, SourceCharset::Auto, Expected::JsonLines)?;
    let rows = JsonRows::open(text, Vec::new())?;
    Ok((rows.header().clone(), rows.about(), Rows::Json(Box::new(rows))))
}

fn begins_with_brace(found: Found) -> Result<bool, SourceError> {
    let mut piece = String::new();
    Text::open(found, SourceCharset::Auto, Expected::Csv)?.next(&mut piece)?;
    Ok(piece.trim_start().starts_with('{'))
}
