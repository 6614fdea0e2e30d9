//! The characters of an open file, piece by piece, decoded without replacement: a byte that the charset does not have
//! ends the text, and the text before it is still given out, so that the error can name its line.

use super::charset::{self, Charset, Expected};
use super::error::{Place, SourceError};
use super::gzip::{self, Gzip};
use super::locate::{Found, Looks};
use crate::domain::menu::SourceCharset;
use encoding_rs::{Decoder, DecoderResult};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How many bytes are read at a time.
pub(super) const PIECE: usize = 128 * 1024;

/// An open file that watches over being the same from the first byte to the last. One that is packed by gzip gives out
/// what it unpacks to, and all positions are those of the unpacked bytes.
#[derive(Debug)]
pub(super) struct Watched {
    file: File,
    found: Found,
    packed: bool,
    /// Of a packed file: what unpacks it, from [`Self::rewind`] on.
    gzip: Option<Box<Gzip>>,
}

impl Watched {
    /// Opens a found file; it must still look as it did when it was found.
    pub(super) fn open(found: Found) -> Result<Self, SourceError> {
        let file = File::open(&found.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => super::locate::gone(&found.path).into(),
            _ => SourceError::unreadable(&found.path, error),
        })?;
        let mut watched = Self { file, found, packed: false, gzip: None };
        watched.unchanged()?;
        let mut first = Vec::with_capacity(gzip::MAGIC.len());
        let read = (&mut watched.file).take(gzip::MAGIC.len() as u64).read_to_end(&mut first);
        read.map_err(|error| SourceError::unreadable(watched.path(), error))?;
        watched.packed = first == gzip::MAGIC;
        watched.rewind()?;
        Ok(watched)
    }

    pub(super) fn path(&self) -> &Path {
        &self.found.path
    }

    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// Whether it is packed by gzip.
    pub(super) fn is_packed(&self) -> bool {
        self.packed
    }

    /// Back to the first byte.
    pub(super) fn rewind(&mut self) -> Result<(), SourceError> {
        self.gzip = None;
        let start = self.file.seek(SeekFrom::Start(0)).map(drop);
        start.map_err(|error| SourceError::unreadable(self.path(), error))?;
        if self.packed {
            let file = self.file.try_clone().map_err(|error| SourceError::unreadable(self.path(), error))?;
            self.gzip = Some(Box::new(Gzip::new(file)));
        }
        Ok(())
    }

    /// Reads until `piece` has [`PIECE`] more bytes or the file is over; true at its end.
    pub(super) fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, SourceError> {
        if self.packed {
            let Some(gzip) = &mut self.gzip else { return Err(SourceError::Ended) };
            return gzip.read(piece, PIECE).map_err(|broken| self.broken(broken));
        }
        let before = piece.len();
        let read = (&mut self.file).take(PIECE as u64).read_to_end(piece);
        read.map_err(|error| SourceError::unreadable(self.path(), error))?;
        Ok(piece.len() - before < PIECE)
    }

    fn broken(&self, broken: gzip::Broken) -> SourceError {
        // Data that make no sense may be those of a file that is being written: that comes first.
        if let Err(changed) = self.unchanged() {
            return changed;
        }
        let data = match broken {
            gzip::Broken::Io(error) => return SourceError::unreadable(self.path(), error),
            gzip::Broken::Data(data) => data,
        };
        let (what, mend) = data.words(self.found.looks.size);
        if data.is_too_large() {
            return SourceError::TooLarge { of: self.path().display().to_string(), what, mend: mend.to_owned() };
        }
        SourceError::malformed(self.path(), Place::WHOLE, what, mend)
    }

    /// Compares the file's looks, by the open handle and by its path, with those it was found with.
    pub(super) fn unchanged(&self) -> Result<(), SourceError> {
        let changed = |what: &str| Err(SourceError::Changed { path: self.path().to_owned(), what: what.to_owned() });
        let before = &self.found.looks;
        let ours = self.file.metadata().map_err(|error| SourceError::unreadable(self.path(), error))?;
        let ours = Looks::of(&ours);
        if ours.size < before.size {
            return changed("it was cut");
        }
        if ours.identity == before.identity && ours != *before {
            return changed("it was written to");
        }
        match std::fs::metadata(self.path()) {
            Ok(there) if Looks::of(&there) == ours && ours == *before => Ok(()),
            Ok(_) => changed("it was replaced"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SourceError::Unreadable {
                path: self.path().to_owned(),
                error: std::io::Error::new(error.kind(), "it was removed while it was being read"),
            }),
            Err(error) => Err(SourceError::unreadable(self.path(), error)),
        }
    }
}

/// Why a text ends before its file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// A byte at this offset that the charset does not have.
    Invalid(u64),
    /// A NUL.
    Nul,
}

/// Decodes a file piece by piece.
#[derive(Debug)]
pub(super) struct Text {
    file: Watched,
    charset: Charset,
    decoder: Option<Box<Decoder>>,
    /// Bytes that were read and not decoded yet.
    raw: Vec<u8>,
    /// How many bytes of the file lie before `raw`.
    offset: u64,
    over: bool,
    stop: Option<Stop>,
}

impl Text {
    /// Opens a found file and settles its charset.
    pub(super) fn open(found: Found, wanted: SourceCharset, expected: Expected) -> Result<Self, SourceError> {
        let mut file = Watched::open(found)?;
        let charset = charset::settle(&mut file, wanted, expected)?;
        Self::new(file, charset)
    }

    /// Begins after the byte order mark, if there is one.
    fn new(mut file: Watched, charset: Charset) -> Result<Self, SourceError> {
        file.rewind()?;
        let mut raw = Vec::with_capacity(PIECE + 8);
        let over = file.read(&mut raw)?;
        let mark = charset.mark();
        let skip = if raw.starts_with(mark) { mark.len() } else { 0 };
        raw.drain(..skip);
        let decoder = charset.decoder().map(Box::new);
        Ok(Self { file, charset, decoder, raw, offset: skip as u64, over, stop: None })
    }

    pub(super) fn file(&self) -> &Watched {
        &self.file
    }

    pub(super) fn charset(&self) -> Charset {
        self.charset
    }

    /// Whether the text has ended before the file did.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// To be asked when [`Self::next`] has said that there is no more, with the line that was reached: the file must be
    /// what it was when it was found, and its last byte must have been decoded.
    pub(super) fn ended(&self, line: u64) -> Result<(), SourceError> {
        // Bytes that make no sense may be those of a file that is being written: that comes first.
        self.file.unchanged()?;
        match self.stop {
            None => Ok(()),
            Some(Stop::Nul) => {
                let mend = "the file is damaged or no text: write it anew";
                Err(SourceError::malformed(self.file.path(), Place::line(line), "a NUL character", mend))
            }
            Some(Stop::Invalid(byte)) => {
                let what = format!("bytes that are no {} text", self.charset);
                let mend = "the file is cut, damaged or joined from several charsets; if the charset is another one, \
                            set charset: in the menu's source";
                Err(SourceError::charset(self.file.path(), Place::byte(line, byte), what, mend))
            }
        }
    }

    /// Fills `piece`, whose earlier text is dropped; false when there is no more.
    pub(super) fn next(&mut self, piece: &mut String) -> Result<bool, SourceError> {
        piece.clear();
        while piece.is_empty() && self.stop.is_none() {
            if self.raw.is_empty() && self.over {
                if self.decoder.is_some() {
                    self.decode(piece);
                }
                break;
            }
            if self.decoder.is_some() {
                self.decode(piece);
            } else {
                self.validate(piece);
            }
            if !self.over && self.stop.is_none() {
                self.over = self.file.read(&mut self.raw)?;
            }
        }
        if let Some(nul) = memchr::memchr(0, piece.as_bytes()) {
            piece.truncate(nul);
            self.stop = Some(Stop::Nul);
        }
        Ok(!piece.is_empty())
    }

    /// UTF-8: the bytes become the piece without being copied.
    fn validate(&mut self, piece: &mut String) {
        let mut bytes = std::mem::replace(&mut self.raw, std::mem::take(piece).into_bytes());
        if !self.over {
            let whole = bytes.len() - unfinished(&bytes);
            self.raw.extend_from_slice(&bytes[whole..]);
            bytes.truncate(whole);
        }
        let length = bytes.len() as u64;
        *piece = String::from_utf8(bytes).unwrap_or_else(|error| {
            let valid = error.utf8_error().valid_up_to();
            self.stop = Some(Stop::Invalid(self.offset + valid as u64));
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).unwrap_or_default()
        });
        self.offset += length;
    }

    fn decode(&mut self, piece: &mut String) {
        let Some(decoder) = &mut self.decoder else { return };
        let room = decoder.max_utf8_buffer_length_without_replacement(self.raw.len());
        piece.reserve(room.unwrap_or(self.raw.len() * 3 + 16));
        let (result, read) = decoder.decode_to_string_without_replacement(&self.raw, piece, self.over);
        self.offset += read as u64;
        self.raw.drain(..read);
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {
                if self.over && self.raw.is_empty() {
                    self.decoder = None;
                }
            }
            DecoderResult::Malformed(bad, after) => {
                self.stop = Some(Stop::Invalid(self.offset.saturating_sub(u64::from(bad) + u64::from(after))));
            }
        }
    }
}

/// How many bytes at the end begin a UTF-8 character that is not complete yet.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        if byte & 0xc0 == 0x80 {
            continue;
        }
        let needs = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if needs > back { back } else { 0 };
    }
    0
}
