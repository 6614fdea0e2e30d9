//! JSON lines: one object of plain values a line. The first object's keys are the columns; a later object may leave
//! some out (empty) but brings no new one. Numbers keep the digits that are written: 1.0 stays 1.0, 1e3 stays 1e3.

use super::error::{Place, SourceError};
use crate::domain::record::{Block, Header};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line, in bytes.
const LONGEST_LINE: u64 = 4 << 20;

/// The rows of a JSON lines file, block by block. After an error there is nothing more.
pub(super) struct JsonLines {
    path: PathBuf,
    header: Header,
    reader: BufReader<File>,
    line: u64,
    first: Option<Object>,
    over: bool,
}

/// An object's keys and the JSON of their values, in the order written.
struct Object(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl JsonLines {
    /// Opens a file up to its first object.
    pub(super) fn open(path: &Path) -> Result<(Header, Self), SourceError> {
        let file = File::open(path).map_err(|error| SourceError::unreadable(path, error))?;
        let reader = BufReader::with_capacity(1 << 16, file);
        let mut rows =
            Self { path: path.to_owned(), header: Header::default(), reader, line: 0, first: None, over: false };
        let Some(first) = rows.object()? else {
            return Err(rows.wrong("the file holds no object", "write one JSON object a line"));
        };
        let names: Vec<String> = first.0.iter().map(|(name, _)| name.clone()).collect();
        if names.iter().enumerate().any(|(index, name)| name.is_empty() || names[..index].contains(name)) {
            return Err(rows.wrong("a key is empty or stands twice", "give each value a name of its own"));
        }
        if names.is_empty() {
            return Err(rows.wrong("the first object is empty", "its keys are the columns"));
        }
        rows.header = Header::new(names);
        rows.first = Some(first);
        Ok((rows.header.clone(), rows))
    }

    fn wrong(&self, what: impl Into<String>, mend: &str) -> SourceError {
        SourceError::malformed(&self.path, Place::line(self.line), what, mend)
    }

    /// The next object; blank lines are passed over.
    fn object(&mut self) -> Result<Option<Object>, SourceError> {
        loop {
            let mut text = Vec::new();
            let read = (&mut self.reader).take(LONGEST_LINE + 1).read_until(b'\n', &mut text);
            let read = read.map_err(|error| SourceError::unreadable(&self.path, error))?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if text.len() as u64 > LONGEST_LINE {
                return Err(self.wrong("a line is longer than 4 MiB", "write one object a line"));
            }
            let text = std::str::from_utf8(&text).map_err(|_| {
                SourceError::charset(
                    &self.path,
                    Place::line(self.line),
                    "this is not UTF-8",
                    "JSON is UTF-8: save it so",
                )
            })?;
            let text = if self.line == 1 { text.trim_start_matches('\u{feff}') } else { text };
            if text.trim().is_empty() {
                continue;
            }
            return serde_json::from_str(text).map(Some).map_err(|error| {
                self.wrong(format!("this is not a JSON object ({})", kind(&error)), "write one object a line")
            });
        }
    }

    fn push(&self, object: &Object, block: &mut Block) -> Result<(), SourceError> {
        let mut fields = vec![String::new(); self.header.len()];
        let mut seen = vec![false; self.header.len()];
        for (name, value) in &object.0 {
            let Some(column) = self.header.position(name) else {
                return Err(
                    self.wrong(format!("the key {name} is not in the first object"), "give every object the same keys")
                );
            };
            if std::mem::replace(&mut seen[column], true) {
                return Err(self.wrong(format!("the key {name} stands twice"), "keep one of them"));
            }
            fields[column] = plain(value.get()).ok_or_else(|| {
                self.wrong(
                    format!("the value of {name} is a list or an object"),
                    "write a text, a number, true, false or null",
                )
            })?;
        }
        block.push_row(self.line, fields.iter().map(String::as_str));
        Ok(())
    }

    fn block(&mut self) -> Result<Option<Block>, SourceError> {
        let mut block = Block::with_room(self.header.len());
        while !block.is_full() {
            let next = match self.first.take() {
                Some(first) => Some(first),
                None => self.object()?,
            };
            let Some(object) = next else { break };
            self.push(&object, &mut block)?;
        }
        Ok(Some(block).filter(|block| !block.is_empty()))
    }
}

impl Iterator for JsonLines {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let block = self.block();
        self.over = !matches!(block, Ok(Some(_)));
        block.transpose()
    }
}

/// A plain value as text; `None` for a list or an object.
fn plain(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'[' | b'{' => None,
        b'n' => Some(String::new()),
        _ => Some(json.to_owned()),
    }
}

/// What kind of fault it is; serde_json's own sentence could quote a value.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends in the middle",
        _ => "it is not well formed",
    }
}
