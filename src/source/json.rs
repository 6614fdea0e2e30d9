//! JSON lines, read as rows: one object of plain values a line. Numbers keep the letters they are written in (`1.0`
//! stays `1.0`, a long id keeps all its digits), `null` is an empty field, `true` and `false` are those words. The first
//! object names the columns, or the settings do; an object may lack some of them (an empty field), never bring others,
//! which would rather be a misspelt name. Lists and objects as values are refused.

use super::csv::FileInfo;
use super::error::{Place, SourceError};
use super::split::{How, MOST_COLUMNS, MOST_FIELD_BYTES, MOST_RECORD_BYTES};
use super::text::Text;
use crate::domain::record::{Block, Header};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// The rows of a file of JSON lines, block by block. After an error there is nothing more.
#[derive(Debug)]
pub(super) struct JsonRows {
    text: Text,
    piece: String,
    at: usize,
    /// The beginning of a line that goes on in the next piece.
    begun: String,
    line: u64,
    header: Header,
    /// The settings list the columns.
    listed: bool,
    /// The first object, whose names are the header where the settings list none.
    first: Option<String>,
    over: bool,
}

impl JsonRows {
    /// Opens a text up to its first object, which is there in any case: a file without one is rather a writer that
    /// failed than an empty list.
    pub(super) fn open(text: Text, columns: Vec<String>) -> Result<Self, SourceError> {
        let (piece, begun) = (String::new(), String::new());
        let listed = !columns.is_empty();
        let header = Header::new(columns);
        let mut rows = Self { text, piece, at: 0, begun, line: 0, header, listed, first: None, over: false };
        let Some(first) = rows.read_line()? else {
            let mend = "write one object a line, as in {\"社員コード\":\"1\"}";
            return Err(rows.malformed(Place::WHOLE, "the file holds no object", mend));
        };
        if !listed {
            rows.header = rows.names_of(&first)?;
        }
        rows.first = Some(first);
        Ok(rows)
    }

    /// The header that the first object makes.
    fn names_of(&self, first: &str) -> Result<Header, SourceError> {
        let refuse = |what: &str, mend: &str| Err(self.malformed(Place::line(self.line), what, mend));
        let names: Vec<String> = self.parse(first)?.0.into_iter().map(|(name, _)| name.into_owned()).collect();
        if names.is_empty() || names.iter().any(String::is_empty) {
            return refuse("a value has no name", "name every value of the object");
        }
        if names.len() > MOST_COLUMNS {
            return refuse("the object has more than 16384 values", "write one record a line");
        }
        if let Some(double) = (1..names.len()).find(|&index| names[..index].contains(&names[index])) {
            return refuse(&format!("{} stands twice in the object", names[double]), "keep one of the two");
        }
        Ok(Header::new(names))
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next line that is not blank, without its end.
    fn read_line(&mut self) -> Result<Option<String>, SourceError> {
        loop {
            let rest = &self.piece[self.at..];
            if let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
                self.begun.push_str(&rest[..end]);
                self.at += end + 1;
            } else {
                self.begun.push_str(rest);
                self.at = self.piece.len();
                if self.begun.len() > MOST_RECORD_BYTES {
                    let mend = "write one object a line";
                    return Err(self.malformed(Place::line(self.line + 1), "the line is longer than 4 MiB", mend));
                }
                if !self.over {
                    self.at = 0;
                    self.over = !self.text.next(&mut self.piece)?;
                    continue;
                }
                self.text.ended(self.line + 1)?;
                if self.begun.is_empty() {
                    return Ok(None);
                }
            }
            self.line += 1;
            let line = std::mem::take(&mut self.begun);
            if !line.trim().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn parse<'t>(&self, line: &'t str) -> Result<Object<'t>, SourceError> {
        if line.starts_with('\u{feff}') {
            let (what, mend) = How::Mark.words();
            return Err(self.malformed(Place::line(self.line), what, mend));
        }
        if line.trim_start().starts_with('[') {
            let mend = "write one object a line, without brackets around them and commas between";
            return Err(self.malformed(Place::line(self.line), "a JSON list", mend));
        }
        // The parser's own words may repeat a value: only the place is told.
        let object: Object<'t> = serde_json::from_str(line).map_err(|error| {
            let what = format!("no JSON object that can be read, from column {} of the line on", error.column());
            self.malformed(Place::line(self.line), what, "write one object a line, each name once")
        })?;
        Ok(object)
    }

    fn block(&mut self) -> Result<Option<Block>, SourceError> {
        let width = self.header.len();
        let mut block = Block::with_room(width);
        while !block.is_full() {
            let line = match self.first.take() {
                Some(line) => line,
                None => match self.read_line()? {
                    Some(line) => line,
                    None => break,
                },
            };
            let mut fields: Vec<Option<&RawValue>> = vec![None; width];
            for (index, (name, value)) in self.parse(&line)?.0.into_iter().enumerate() {
                let in_order = self.header.names().get(index).is_some_and(|known| *known == name);
                let Some(column) = (if in_order { Some(index) } else { self.header.position(&name) }) else {
                    return Err(self.unknown(&name));
                };
                if fields[column].replace(value).is_some() {
                    let what = format!("{name} stands twice in the object");
                    return Err(self.malformed(Place::line(self.line), what, "keep one of the two"));
                }
            }
            for (column, value) in fields.into_iter().enumerate() {
                let field = value.map_or(Ok(Cow::Borrowed("")), written).map_err(|what| {
                    let what = format!("{}: {what}", self.header.names()[column]);
                    self.malformed(Place::line(self.line), what, "write a text, a number, true, false or null")
                })?;
                block.push_field(&field);
            }
            block.end_row(self.line);
        }
        Ok((!block.is_empty()).then_some(block))
    }

    fn unknown(&self, name: &str) -> SourceError {
        let (what, mend) = if self.listed {
            (format!("{name} is none of the columns of the menu's source"), "add it to columns:, or correct the name")
        } else {
            let mend = "name all values in the first object, or list them as columns: of a jsonl source";
            (format!("{name} is not among the names of the first object"), mend)
        };
        self.malformed(Place::line(self.line), what, mend)
    }

    pub(super) fn path(&self) -> &Path {
        self.text.file().path()
    }

    fn malformed(&self, place: Place, what: impl Into<String>, mend: impl Into<String>) -> SourceError {
        // A line that makes no sense may be that of a file that is being written: that comes first.
        if let Err(changed) = self.text.file().unchanged() {
            return changed;
        }
        SourceError::malformed(self.text.file().path(), place, what, mend)
    }

    pub(super) fn about(&self) -> FileInfo {
        FileInfo::of(&self.text, None)
    }
}

impl Iterator for JsonRows {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.block();
        if block.is_err() {
            self.over = true;
            self.begun.clear();
            self.at = self.piece.len();
        }
        block.transpose()
    }
}

/// A value as it is written, or why it cannot be a field.
fn written(value: &RawValue) -> Result<Cow<'_, str>, &'static str> {
    let text = value.get();
    let field = match text.as_bytes().first() {
        Some(b'"') if memchr::memchr(b'\\', text.as_bytes()).is_none() => Cow::Borrowed(&text[1..text.len() - 1]),
        Some(b'"') => Cow::Owned(serde_json::from_str(text).map_err(|_| "a text with an escape that means nothing")?),
        Some(b'{' | b'[') => return Err("a list or an object as a value"),
        Some(b'n') => Cow::Borrowed(""),
        _ => Cow::Borrowed(text),
    };
    if memchr::memchr(0, field.as_bytes()).is_some() {
        return Err("a NUL character");
    }
    if field.len() > MOST_FIELD_BYTES {
        return Err("a value longer than 1 MiB");
    }
    Ok(field)
}

/// An object's names and raw values in order, doubles included.
struct Object<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

#[derive(serde::Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Object(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
