//! A file of delimited text, read as blocks: found, its charset and dialect settled, then split strictly and watched
//! until its last byte. Memory does not depend on the number of rows.

use super::charset::{Charset, Expected};
use super::dialect::{self, Dialect};
use super::error::{Place, SourceError};
use super::locate::{Found, Looks};
use super::packed::Packed;
use super::split::{Broken, Splitter};
use super::text::Text;
use crate::domain::menu::CsvSourceForm;
use crate::domain::record::{Block, Header};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How much text the dialect is judged by, in bytes.
const SAMPLE: usize = 96 * 1024;

/// What a file was, for the run's events and mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// The file.
    pub path: PathBuf,
    /// Bytes, as it lies on the disk.
    pub size: u64,
    /// Whether it is packed by gzip.
    pub packed: bool,
    /// When it was written last.
    pub modified: DateTime<Utc>,
    /// The charset it is read in.
    pub charset: Charset,
    /// How its fields are separated and quoted; `None` for JSON lines.
    pub dialect: Option<Dialect>,
}

impl FileInfo {
    pub(super) fn of(text: &Text, dialect: Option<Dialect>) -> Self {
        let Found { path, looks: Looks { size, modified, .. } } = text.file().found().clone();
        Self { path, size, packed: text.file().is_packed(), modified, charset: text.charset(), dialect }
    }

    /// The file's name without its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }
}

/// The rows of a file, block by block. After an error there is nothing more.
#[derive(Debug)]
pub struct CsvRows {
    text: Text,
    piece: String,
    at: usize,
    splitter: Splitter,
    rows: Packed,
    header: Header,
    /// The header line ends with a delimiter: a nameless, empty field ends each row.
    trailing: bool,
    over: bool,
}

impl CsvRows {
    /// Opens a found file up to its first data row. Without `columns` in the form, its first row is the header.
    ///
    /// # Errors
    /// The file cannot be read, is empty or has changed since it was found; its charset is not certain; its header is
    /// not the header of a table.
    pub fn open(found: Found, form: &CsvSourceForm) -> Result<(Self, FileInfo), SourceError> {
        let mut text = Text::open(found, form.charset, Expected::Csv)?;
        let mut piece = String::new();
        let mut more = text.next(&mut piece)?;
        let mut next = String::new();
        while more && piece.len() < SAMPLE {
            more = text.next(&mut next)?;
            piece.push_str(&next);
        }
        let dialect = dialect::settle(form, &piece, !more && !text.is_stopped());
        let about = FileInfo::of(&text, Some(dialect));
        let splitter = Splitter::new(dialect.delimiter, dialect.quote);
        let header = Header::new(form.columns.clone());
        let rows = Packed::default();
        let mut rows = Self { text, piece, at: 0, splitter, rows, header, trailing: false, over: false };
        if rows.header.is_empty() {
            rows.read_header()?;
        }
        rows.rows = Packed::with_room(rows.header.len());
        Ok((rows, about))
    }

    /// The columns.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn read_header(&mut self) -> Result<(), SourceError> {
        if !self.row()? {
            let what = "the file has no header line";
            let mend = "let its writer put the column names into the first line, or give columns: in the menu's source";
            return Err(self.malformed(Place::WHOLE, what, mend));
        }
        let place = Place::line(self.splitter.row_line());
        // Blanks around a name are never meant, and would only make the column seem missing.
        let mut names: Vec<String> = self.rows.row().map(|name| name.trim().to_owned()).collect();
        if names.len() > 1 && names.last().is_some_and(String::is_empty) {
            self.trailing = true;
            names.pop();
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                let what = format!("column {} has no name in the header line", index + 1);
                return Err(self.malformed(
                    place,
                    what,
                    "give every column a name, or give columns: in the menu's source",
                ));
            }
            if let Some(earlier) = seen.insert(name, index) {
                let what = format!("the columns {} and {} are both called {name}", earlier + 1, index + 1);
                return Err(self.malformed(place, what, "give each column its own name"));
            }
        }
        self.rows.drop_row();
        self.header = Header::new(names);
        Ok(())
    }

    /// Reads up to the end of a row; false at the end of the file, which must then be unchanged.
    fn row(&mut self) -> Result<bool, SourceError> {
        loop {
            let split = self.splitter.split(&self.piece, &mut self.at, &mut self.rows);
            if split.map_err(|broken| self.broken(broken))? {
                return Ok(true);
            }
            if self.over {
                return Ok(false);
            }
            self.at = 0;
            if self.text.next(&mut self.piece)? {
                continue;
            }
            self.text.ended(self.splitter.line())?;
            self.over = true;
            let finished = self.splitter.finish(&mut self.rows);
            return finished.map_err(|broken| self.broken(broken));
        }
    }

    fn block(&mut self) -> Result<Option<Block>, SourceError> {
        let wanted = self.header.len();
        while !self.rows.is_full() && self.row()? {
            if self.trailing && self.rows.row_width() == wanted + 1 && self.rows.last_is_empty() {
                self.rows.pop_field();
            } else if self.trailing || self.rows.row_width() != wanted {
                self.text.file().unchanged()?;
                return Err(self.ragged());
            }
            self.rows.keep_row(self.splitter.row_line());
        }
        if self.rows.is_empty() {
            return Ok(None);
        }
        let line = self.splitter.row_line();
        let block = self.rows.take(wanted);
        let what = "rows were not packed evenly";
        block.map(Some).ok_or_else(|| self.malformed(Place::line(line), what, "report this as a defect of renkei"))
    }

    fn ragged(&self) -> SourceError {
        let place = Place::line(self.splitter.row_line());
        let (found, wanted) = (self.rows.row_width(), self.header.len());
        if self.trailing && found == wanted + 1 {
            let what = format!("a value in column {found}, which has no name in the header line");
            return self.malformed(place, what, "give the column a name, or remove the value");
        }
        let wanted = if self.trailing { format!("{wanted} and a delimiter at the end") } else { wanted.to_string() };
        let what = format!("the row has {found} fields where the header has {wanted}");
        let mend = "quote fields that hold the delimiter or a line break; if the file ends here, it may have been cut";
        self.malformed(place, what, mend)
    }

    pub(super) fn path(&self) -> &Path {
        self.text.file().path()
    }

    fn malformed(&self, place: Place, what: impl Into<String>, mend: impl Into<String>) -> SourceError {
        SourceError::malformed(self.text.file().path(), place, what, mend)
    }

    fn broken(&self, broken: Broken) -> SourceError {
        if let Err(changed) = self.text.file().unchanged() {
            return changed;
        }
        let (what, mend) = broken.how.words();
        self.malformed(Place::line(broken.line), what, mend)
    }
}

impl Iterator for CsvRows {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over && self.rows.is_empty() {
            return None;
        }
        let block = self.block();
        if block.is_err() {
            self.over = true;
            self.rows = Packed::default();
            self.piece.clear();
            self.at = 0;
        }
        block.transpose()
    }
}
