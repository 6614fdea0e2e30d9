//! `records import`: a file becomes a menu's records, all or nothing. CSV and TSV are read as any source is; JSON lines
//! are objects of plain values, whose numbers keep the digits that are written. The new generation is switched to only
//! once the file has been read to its end without an error; until then the old one stays.

use super::error::SourceError;
use super::json_lines::JsonLines;
use super::{Blocks, OpenContext, open_csv};
use crate::domain::menu::{CsvSourceForm, SourceCharset};
use crate::domain::record::{Block, Header};
use crate::store::Store;
use chrono::{DateTime, Utc};
use std::path::Path;
use tokio::sync::mpsc;

/// How many blocks one transaction takes.
const BLOCKS_AT_ONCE: usize = 16;

/// What an import brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Records.
    pub records: u64,
    /// Columns.
    pub columns: usize,
}

/// Replaces a menu's records by those of a file. `.jsonl`, `.ndjson` and `.json` are read as JSON lines, `.tsv` with
/// tabs, everything else as CSV whose charset, delimiter and quoting are detected.
///
/// # Errors
/// Whatever is wrong with the file, or [`SourceError::Store`]; the old records stay then.
pub async fn import(store: &Store, menu: &str, file: &Path, now: DateTime<Utc>) -> Result<Imported, SourceError> {
    let (send, mut blocks) = mpsc::channel(2);
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || read(&path, now, &send));
    let Some(first) = blocks.recv().await else {
        // The reader ended before it gave the header: it has said why.
        return Err(reading.await.unwrap_or(Err(SourceError::Ended)).err().unwrap_or(SourceError::Ended));
    };
    let Piece::Header(header) = first else { return Err(SourceError::Ended) };
    let generation = store.begin_generation(menu, &header, now).await?;
    let filled = fill(store, generation, &mut blocks).await;
    // A store that failed leaves the reader with nobody to listen.
    drop(blocks);
    let read = reading.await.unwrap_or(Err(SourceError::Ended));
    match filled.and_then(|records| read.map(|()| records)) {
        Ok(records) => {
            let old = store.generation(menu).await?;
            store.switch_generation(menu, generation, now).await?;
            if let Some(old) = old {
                store.drop_generation(old.number).await?;
            }
            Ok(Imported { records, columns: header.len() })
        }
        Err(error) => {
            store.drop_generation(generation).await?;
            Err(error)
        }
    }
}

enum Piece {
    Header(Header),
    Rows(Block),
}

/// Writes what comes in short transactions and counts it.
async fn fill(store: &Store, generation: i64, blocks: &mut mpsc::Receiver<Piece>) -> Result<u64, SourceError> {
    let (mut records, mut waiting) = (0, Vec::new());
    while let Some(piece) = blocks.recv().await {
        let Piece::Rows(block) = piece else { continue };
        records += block.len() as u64;
        waiting.push(block);
        if waiting.len() >= BLOCKS_AT_ONCE {
            store.append_blocks(generation, &std::mem::take(&mut waiting)).await?;
        }
    }
    store.append_blocks(generation, &waiting).await?;
    Ok(records)
}

/// Reads the file on a blocking thread. An error ends it; whoever listens asks for it afterwards.
fn read(path: &Path, now: DateTime<Utc>, send: &mpsc::Sender<Piece>) -> Result<(), SourceError> {
    let hand_on = |piece| send.blocking_send(piece).map_err(|_| SourceError::Ended);
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    if let Some("jsonl" | "ndjson" | "json") = extension.as_deref() {
        let (header, mut rows) = JsonLines::open(path)?;
        hand_on(Piece::Header(header))?;
        return rows.try_for_each(|block| hand_on(Piece::Rows(block?)));
    }
    let form = CsvSourceForm {
        path: escaped(path),
        charset: SourceCharset::Auto,
        delimiter: (extension.as_deref() == Some("tsv")).then(|| "\\t".to_owned()),
        quote: None,
        columns: Vec::new(),
        max_age: None,
        wait_until: None,
        completion: None,
    };
    // A person names this very file now: that it was written a moment ago is no reason to wait.
    let later = now + super::locate::SETTLED_AFTER;
    let opened = open_csv(&form, &OpenContext { now: later, run_at: now, zone: chrono_tz::UTC })?;
    hand_on(Piece::Header(opened.header))?;
    let mut blocks: Blocks = opened.blocks;
    blocks.try_for_each(|block| hand_on(Piece::Rows(block?)))
}

/// A file's name as a path that is neither a pattern nor holds a date.
fn escaped(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.contains(['*', '?', '[']) { glob::Pattern::escape(&text) } else { text.into_owned() }
}
