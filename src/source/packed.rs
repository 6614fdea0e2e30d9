//! Rows as a splitter makes them: packed into one string like a block, and bounded like one.

use crate::domain::record::{BLOCK_BYTES, BLOCK_ROWS, Block};

/// A block is closed at so many fields, so that very wide rows do not make it large.
const MOST_BLOCK_FIELDS: usize = 64 * 1024;

/// Rows as they are split: packed like a block, but not yet of equal width.
#[derive(Debug, Default)]
pub(super) struct Packed {
    text: String,
    ends: Vec<u32>,
    lines: Vec<u64>,
    /// Where the row that is being built begins, in `text` and in `ends`.
    row_text: usize,
    row_ends: usize,
}

impl Packed {
    pub(super) fn with_room(width: usize) -> Self {
        Self {
            text: String::with_capacity(BLOCK_BYTES / 2),
            ends: Vec::with_capacity((width * BLOCK_ROWS).min(MOST_BLOCK_FIELDS)),
            lines: Vec::with_capacity(BLOCK_ROWS),
            row_text: 0,
            row_ends: 0,
        }
    }

    /// Adds to the field that is being built.
    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// How long the field that is being built is by now.
    pub(super) fn field_bytes(&self) -> usize {
        self.text.len() - self.field_start()
    }

    /// How long the row that is being built is by now.
    pub(super) fn row_bytes(&self) -> usize {
        self.text.len() - self.row_text
    }

    fn field_start(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    pub(super) fn end_field(&mut self) {
        // A block closes at 256 KiB and a record is bounded by 4 MiB.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// How many fields the row that has just ended has.
    pub(super) fn row_width(&self) -> usize {
        self.ends.len() - self.row_ends
    }

    /// The fields of the row that has just ended.
    pub(super) fn row(&self) -> impl Iterator<Item = &str> {
        (self.row_ends..self.ends.len()).map(|at| {
            let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
            &self.text[start..self.ends[at] as usize]
        })
    }

    /// Whether the last field of the row that has just ended is empty.
    pub(super) fn last_is_empty(&self) -> bool {
        match self.ends[self.row_ends..] {
            [] => true,
            [only] => only as usize == self.row_text,
            [.., before, last] => before == last,
        }
    }

    /// Leaves out the row's last field.
    pub(super) fn pop_field(&mut self) {
        self.ends.pop();
        self.text.truncate(self.field_start());
    }

    /// Leaves out the row that has just ended.
    pub(super) fn drop_row(&mut self) {
        self.text.truncate(self.row_text);
        self.ends.truncate(self.row_ends);
    }

    /// Keeps the row that has just ended.
    pub(super) fn keep_row(&mut self, line: u64) {
        self.lines.push(line);
        self.row_text = self.text.len();
        self.row_ends = self.ends.len();
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= BLOCK_ROWS || self.text.len() >= BLOCK_BYTES || self.ends.len() >= MOST_BLOCK_FIELDS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All kept rows as a block; `None` if some row was not of that width.
    pub(super) fn take(&mut self, width: usize) -> Option<Block> {
        let full = std::mem::replace(self, Self::with_room(width));
        Block::from_packed(width, full.text, full.ends, full.lines)
    }
}
