//! Records that renkei keeps itself. An import writes a new generation in short transactions and switches to it at
//! once; readers of the old one read it to its end. A block of some hundred records is one TEXT: each field is ended
//! by U+001F, and those letters inside a value are escaped, so that a plain block is read without copying a field.

use super::row::{Columns, to_json};
use super::{Store, StoreError, StoreResult, millis};
use crate::domain::record::{Block, Header};
use chrono::{DateTime, Utc};
use memchr::memchr_iter;

/// Ends a field.
const FIELD: char = '\u{1f}';
/// Escapes [`FIELD`] and itself.
const ESCAPE: char = '\u{1b}';

/// A complete set of a menu's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: i64,
    /// The columns.
    pub header: Header,
    /// How many records.
    pub records: u64,
    /// When the import was complete.
    pub imported_at: DateTime<Utc>,
}

/// Reads one generation block by block.
pub struct RecordsReader {
    store: Store,
    generation: i64,
    width: usize,
    block: i64,
    records: u64,
}

fn pack(block: &Block) -> String {
    let mut text = String::new();
    for field in block.rows().flat_map(|row| row.fields()) {
        if field.contains([FIELD, ESCAPE]) {
            for letter in field.chars() {
                match letter {
                    FIELD => text.extend([ESCAPE, 'f']),
                    ESCAPE => text.extend([ESCAPE, 'e']),
                    other => text.push(other),
                }
            }
        } else {
            text.push_str(field);
        }
        text.push(FIELD);
    }
    text
}

fn unpack(text: String, width: usize, first: u64) -> Option<Block> {
    let ends: Vec<u32> = memchr_iter(FIELD as u8, text.as_bytes()).map(u32::try_from).collect::<Result<_, _>>().ok()?;
    let rows = ends.len().checked_div(width)?;
    let lines = (first..).take(rows).collect();
    if memchr::memchr(ESCAPE as u8, text.as_bytes()).is_none() {
        return Block::from_separated(width, text, ends, lines);
    }
    let mut block = Block::with_room(width);
    let fields: Vec<String> = text.split_terminator(FIELD).map(unescape).collect::<Option<_>>()?;
    for (row, line) in fields.chunks_exact(width).zip(lines) {
        block.push_row(line, row.iter().map(String::as_str));
    }
    Some(block)
}

fn unescape(field: &str) -> Option<String> {
    let mut text = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            ESCAPE => match letters.next()? {
                'f' => FIELD,
                'e' => ESCAPE,
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

impl RecordsReader {
    /// The next block, or `None` after the last one that is there. A generation may be dropped while it is read: the
    /// caller holds what it got against [`Generation::records`] before it takes it for all of them.
    ///
    /// # Errors
    /// A damaged block.
    pub async fn next(&mut self) -> StoreResult<Option<Block>> {
        let row = sqlx::query("SELECT number, records, packed FROM record_blocks WHERE generation = $1 AND number > $2 ORDER BY number LIMIT 1")
            .bind(self.generation)
            .bind(self.block)
            .fetch_optional(self.store.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        self.block = row.number("number")?;
        let records = row.count("records")?;
        let block = unpack(row.text("packed")?, self.width, self.records + 1);
        self.records += records;
        match block {
            Some(block) if block.len() as u64 == records => Ok(Some(block)),
            _ => Err(StoreError::Content(format!(
                "block {} of generation {} is damaged: import the records again",
                self.block, self.generation
            ))),
        }
    }
}

impl Store {
    /// Begins a new generation of a menu's records and gives its number.
    pub async fn begin_generation(&self, menu: &str, header: &Header, now: DateTime<Utc>) -> StoreResult<i64> {
        let mut tx = self.write().await?;
        let row = sqlx::query(
            "INSERT INTO record_generations (number, menu_id, header, begun_at) \
             SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $1, $2, $3 FROM record_generations RETURNING number",
        )
        .bind(menu)
        .bind(to_json(&header.names())?)
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?;
        let number = row.number("number")?;
        tx.commit().await?;
        Ok(number)
    }

    /// Adds blocks to a generation that is not complete, in one transaction.
    pub async fn append_blocks(&self, generation: i64, blocks: &[Block]) -> StoreResult<()> {
        let mut tx = self.write().await?;
        for block in blocks.iter().filter(|block| !block.is_empty()) {
            let records = i64::try_from(block.len()).map_err(StoreError::content)?;
            sqlx::query(
                "INSERT INTO record_blocks (generation, number, records, packed) \
                 SELECT $1, CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $2, $3 FROM record_blocks WHERE generation = $4",
            )
            .bind(generation)
            .bind(records)
            .bind(pack(block))
            .bind(generation)
            .execute(&mut *tx)
            .await?;
            let grown = sqlx::query(
                "UPDATE record_generations SET records = records + $1 WHERE number = $2 AND imported_at IS NULL",
            )
            .bind(records)
            .bind(generation)
            .execute(&mut *tx)
            .await?;
            if grown.rows_affected() != 1 {
                return Err(StoreError::Conflict(format!("generation {generation} takes no more records")));
            }
        }
        Ok(tx.commit().await?)
    }

    /// Completes a generation and makes it the menu's records, at once.
    pub async fn switch_generation(&self, menu: &str, generation: i64, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE record_generations SET replaced_at = $1 WHERE number IN (SELECT generation FROM record_current WHERE menu_id = $2)",
        )
        .bind(millis(now))
        .bind(menu)
        .execute(&mut *tx)
        .await?;
        let complete = sqlx::query(
            "UPDATE record_generations SET imported_at = $1 WHERE number = $2 AND menu_id = $3 AND imported_at IS NULL",
        )
        .bind(millis(now))
        .bind(generation)
        .bind(menu)
        .execute(&mut *tx)
        .await?;
        if complete.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!(
                "generation {generation} is no open import of the menu {menu:?}"
            )));
        }
        sqlx::query(
            "INSERT INTO record_current (menu_id, generation) VALUES ($1, $2) \
             ON CONFLICT (menu_id) DO UPDATE SET generation = excluded.generation",
        )
        .bind(menu)
        .bind(generation)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Deletes a generation that never was, or is no longer, a menu's records: a step at a time, so that nobody waits
    /// long for the writer.
    pub async fn drop_generation(&self, generation: i64) -> StoreResult<()> {
        loop {
            let mut tx = self.write().await?;
            let blocks = sqlx::query(
                "DELETE FROM record_blocks WHERE generation = $1 AND number IN \
                 (SELECT number FROM record_blocks WHERE generation = $2 ORDER BY number LIMIT 200) \
                 AND NOT EXISTS (SELECT 1 FROM record_current WHERE generation = $3)",
            )
            .bind(generation)
            .bind(generation)
            .bind(generation)
            .execute(&mut *tx)
            .await?;
            if blocks.rows_affected() == 0 {
                sqlx::query("DELETE FROM record_generations WHERE number = $1 AND NOT EXISTS (SELECT 1 FROM record_current WHERE generation = $2)")
                    .bind(generation)
                    .bind(generation)
                    .execute(&mut *tx)
                    .await?;
                return Ok(tx.commit().await?);
            }
            tx.commit().await?;
        }
    }

    /// The generations that are nobody's records since before `before`: imports that were begun and never completed,
    /// and what a newer import has replaced. The caller leaves imports and readers enough time to end.
    pub async fn stale_generations(&self, before: DateTime<Utc>) -> StoreResult<Vec<i64>> {
        let rows = sqlx::query(
            "SELECT number FROM record_generations WHERE number NOT IN (SELECT generation FROM record_current) \
             AND COALESCE(replaced_at, begun_at) < $1 ORDER BY number",
        )
        .bind(millis(before))
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(|row| row.number("number")).collect()
    }

    /// What a menu's records are now; `None` when they were never imported.
    pub async fn generation(&self, menu: &str) -> StoreResult<Option<Generation>> {
        let row = sqlx::query(
            "SELECT g.number, g.header, g.records, g.imported_at FROM record_current c \
             JOIN record_generations g ON g.number = c.generation WHERE c.menu_id = $1",
        )
        .bind(menu)
        .fetch_optional(self.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Generation {
            number: row.number("number")?,
            header: Header::new(row.json("header")?),
            records: row.count("records")?,
            imported_at: row.time("imported_at")?,
        }))
    }

    /// Reads a generation from its first block.
    #[must_use]
    pub fn read_generation(&self, generation: &Generation) -> RecordsReader {
        RecordsReader {
            store: self.clone(),
            generation: generation.number,
            width: generation.header.len(),
            block: 0,
            records: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back_whatever_letters_its_fields_hold() {
        for field in ["", "佐藤", "a\u{1f}b", "\u{1b}", "\u{1b}f", "line\nbreak"] {
            let mut block = Block::new(2);
            block.push_row(7, [field, "x"]);
            block.push_row(8, ["", field]);
            let back = unpack(pack(&block), 2, 7).unwrap();
            let fields = |block: &Block| -> Vec<String> {
                block.rows().flat_map(|row| row.fields()).map(str::to_owned).collect()
            };
            assert_eq!(fields(&back), fields(&block), "{field:?}");
            assert_eq!(back.rows().map(|row| row.line()).collect::<Vec<_>>(), [7, 8]);
        }
    }

    #[test]
    fn a_damaged_block_is_noticed() {
        assert!(unpack("a\u{1f}b\u{1f}c\u{1f}".into(), 2, 1).is_none());
        assert!(unpack("a\u{1b}x\u{1f}".into(), 1, 1).is_none());
    }
}
