//! The records that renkei keeps itself: the generation that is current when the run begins, read to its end also if
//! an import switches to a newer one meanwhile. The store is asynchronous and the export is not: a task reads ahead
//! by two blocks and hands them over through a bounded channel.

use super::error::SourceError;
use crate::domain::menu::Menu;
use crate::domain::record::{Block, Header};
use crate::store::Store;
use crate::store::records::RecordsReader;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

/// How many blocks are read ahead; some hundred kilobytes each at most.
const AHEAD: usize = 2;

/// What was read from renkei's own records, for the run's events and mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsInfo {
    /// The generation's number.
    pub generation: i64,
    /// How many records it has.
    pub records: u64,
    /// When its import was complete.
    pub imported_at: DateTime<Utc>,
}

/// A block, the end said expressly (`None`), or an error: a channel that merely closes is no end.
type Item = Result<Option<Block>, SourceError>;

/// The blocks of a generation. Asked from a blocking thread: within an asynchronous task it panics.
#[derive(Debug)]
pub struct RecordBlocks {
    blocks: mpsc::Receiver<Item>,
    over: bool,
}

impl Iterator for RecordBlocks {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.blocks.blocking_recv().unwrap_or(Err(SourceError::Ended)).transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Opens the current generation of a menu's records.
///
/// # Errors
/// [`SourceError::NeverImported`] where there is none; [`SourceError::Store`].
pub(super) async fn open(menu: &Menu, store: &Store) -> Result<(Header, RecordBlocks, RecordsInfo), SourceError> {
    let Some(generation) = store.generation(menu.id()).await? else {
        return Err(SourceError::NeverImported { menu: menu.name().to_owned() });
    };
    let about =
        RecordsInfo { generation: generation.number, records: generation.records, imported_at: generation.imported_at };
    let (send, blocks) = mpsc::channel(AHEAD);
    let reader = store.read_generation(&generation);
    tokio::spawn(hand_over(reader, generation.records, menu.name().to_owned(), send));
    Ok((generation.header, RecordBlocks { blocks, over: false }, about))
}

/// Reads until the end, an error, or until nobody listens any more.
async fn hand_over(mut reader: RecordsReader, expected: u64, menu: String, send: mpsc::Sender<Item>) {
    let mut records = 0;
    loop {
        let item = match reader.next().await {
            // Blocks that are gone must not look like the end of the list.
            Ok(None) if records != expected => Err(SourceError::Replaced { menu: menu.clone() }),
            Ok(block) => Ok(block),
            Err(error) => Err(error.into()),
        };
        records += item.as_ref().ok().and_then(Option::as_ref).map_or(0, |block| block.len() as u64);
        let last = !matches!(item, Ok(Some(_)));
        if send.send(item).await.is_err() || last {
            return;
        }
    }
}
