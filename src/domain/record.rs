//! Records on their way from a source to an export: a header and blocks of rows. A block packs some hundred rows
//! into one string, so that a million records are read, mapped and written without a heap allocation for each field.

use std::ops::Range;

/// The most rows a source packs into one [`Block`].
pub const BLOCK_ROWS: usize = 512;
/// A source closes a [`Block`] once its text has grown past this many bytes, whatever the number of rows.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// The names of a source's columns, in the source's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    names: Vec<String>,
}

impl Header {
    /// Takes the names as the source gave them.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Where the column of that name stands, from 0.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Some rows of equal width, packed: all fields' text in one string, and where each field ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    width: usize,
    /// How many bytes lie between two fields in `text`: 0 as rows are pushed, 1 where a store's separators stayed.
    gap: usize,
    text: String,
    /// The byte offset in `text` at which each field ends, row after row.
    ends: Vec<u32>,
    /// The line of the source at which each row starts (from 1), or the record's number where there are no lines.
    lines: Vec<u64>,
}

impl Block {
    /// An empty block for rows of `width` fields.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, gap: 0, text: String::new(), ends: Vec::new(), lines: Vec::new() }
    }

    /// An empty block with room for [`BLOCK_ROWS`] rows.
    #[must_use]
    pub fn with_room(width: usize) -> Self {
        Self {
            width,
            gap: 0,
            text: String::with_capacity(BLOCK_BYTES / 4),
            ends: Vec::with_capacity(width * BLOCK_ROWS),
            lines: Vec::with_capacity(BLOCK_ROWS),
        }
    }

    /// A block whose fields already lie one after another in `text`; `ends` holds `width` byte offsets a row, at
    /// character boundaries and ascending, and `lines` one number a row. `None` if they do not fit together.
    #[must_use]
    pub fn from_packed(width: usize, text: String, ends: Vec<u32>, lines: Vec<u64>) -> Option<Self> {
        let fits = ends.len() == width * lines.len()
            && ends.is_sorted()
            && ends.last().is_none_or(|&end| end as usize <= text.len())
            && (text.is_ascii() || ends.iter().all(|&end| text.is_char_boundary(end as usize)));
        fits.then_some(Self { width, gap: 0, text, ends, lines })
    }

    /// A block over a text in which every field is followed by one separator byte, as it lies in a store; `ends` holds
    /// the offsets of those separators. `None` if they do not fit together.
    #[must_use]
    pub fn from_separated(width: usize, text: String, ends: Vec<u32>, lines: Vec<u64>) -> Option<Self> {
        let mut block = Self::from_packed(width, text, ends, lines)?;
        block.gap = 1;
        Some(block)
    }

    /// Adds a field to the row that is being built.
    pub fn push_field(&mut self, field: &str) {
        self.text.push_str(field);
        // A block is closed at BLOCK_BYTES, and a single field is bounded by the sources far below 4 GiB.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// Ends the row that is being built; `line` is where it started in the source. Missing fields become empty.
    pub fn end_row(&mut self, line: u64) {
        self.lines.push(line);
        let want = self.lines.len() * self.width;
        let end = self.ends.last().copied().unwrap_or(0);
        self.ends.resize(want, end);
    }

    /// Adds a whole row.
    pub fn push_row<'f>(&mut self, line: u64, fields: impl IntoIterator<Item = &'f str>) {
        for field in fields {
            self.push_field(field);
        }
        self.end_row(line);
    }

    /// Whether the block should be handed on before another row is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.lines.len() >= BLOCK_ROWS || self.text.len() >= BLOCK_BYTES
    }

    /// How many fields a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(move |index| Row { block: self, index })
    }
}

/// One row of a [`Block`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'b> {
    block: &'b Block,
    index: usize,
}

impl<'b> Row<'b> {
    /// The field in that column, from 0; empty when there is no such column.
    #[must_use]
    #[inline]
    pub fn field(&self, column: usize) -> &'b str {
        if column >= self.block.width {
            return "";
        }
        self.block.text.get(self.span(column)).unwrap_or("")
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        let row = *self;
        (0..self.block.width).map(move |column| row.field(column))
    }

    /// Where the row starts in the source: its line from 1, or the record's number where there are no lines.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.block.lines.get(self.index).copied().unwrap_or(0)
    }

    #[inline]
    fn span(&self, column: usize) -> Range<usize> {
        let at = self.index * self.block.width + column;
        let start = if at == 0 { 0 } else { self.block.ends[at - 1] as usize + self.block.gap };
        start..self.block.ends[at] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_pushed() {
        let mut block = Block::new(3);
        block.push_row(2, ["1", "佐藤", ""]);
        block.push_row(5, ["2", "", "x"]);
        block.push_row(6, ["short"]);
        let rows: Vec<(u64, Vec<&str>)> = block.rows().map(|row| (row.line(), row.fields().collect())).collect();
        assert_eq!(rows, [(2, vec!["1", "佐藤", ""]), (5, vec!["2", "", "x"]), (6, vec!["short", "", ""])]);
        assert_eq!(block.rows().next().unwrap().field(7), "");
    }

    #[test]
    fn a_packed_block_that_does_not_fit_together_is_refused() {
        assert!(Block::from_packed(2, "ab".into(), vec![1, 2], vec![1]).is_some());
        assert!(Block::from_packed(2, "ab".into(), vec![1], vec![1]).is_none(), "a field short");
        assert!(Block::from_packed(2, "ab".into(), vec![2, 1], vec![1]).is_none(), "descending");
        assert!(Block::from_packed(1, "ab".into(), vec![9], vec![1]).is_none(), "past the end");
        assert!(Block::from_packed(1, "佐".into(), vec![1], vec![1]).is_none(), "inside a character");
    }
}
