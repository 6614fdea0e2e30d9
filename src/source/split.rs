//! Splits delimited text into rows, strictly: what other readers guess at is an error here, with its line. It takes
//! the text in pieces of any size and copies each field once, into the packed form of a block.
//!
//! Accepted: CRLF and LF, mixed; line breaks and delimiters inside quotes; `""` inside quotes; a last line without its
//! end; blank lines (no byte between two line ends), which are skipped; a quote inside a field that does not begin
//! with one, which is an ordinary character. Refused: text after a closing quote, a quote that is never closed, a
//! carriage return alone outside quotes, a byte order mark at the start of a row, fields and records without end.

use super::packed::Packed;

/// The most bytes of a field, in UTF-8.
pub const MOST_FIELD_BYTES: usize = 1024 * 1024;
/// The most bytes of a record, in UTF-8, its delimiters and quotes apart.
pub const MOST_RECORD_BYTES: usize = 4 * 1024 * 1024;
/// The most columns, which is what a spreadsheet can hold.
pub const MOST_COLUMNS: usize = 16_384;

/// What made splitting impossible, and the line at which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    AfterQuote,
    Unclosed,
    LoneReturn,
    Mark,
    LongField,
    LongRecord,
    Columns,
}

impl How {
    /// What was found, and how to mend it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AfterQuote => (
                "a quoted field goes on after its closing quote",
                "write a quote inside a field twice (\"\"), or set quote: \"\" if the file does not quote at all",
            ),
            Self::Unclosed => (
                "the quote that opens here is never closed",
                "let the file be written completely, write a quote inside a field twice (\"\"), or set quote: \"\" if \
                 the file does not quote at all",
            ),
            Self::LoneReturn => (
                "a carriage return stands without a line feed",
                "end lines with CRLF or LF, and quote a field that holds one",
            ),
            Self::Mark => (
                "a byte order mark stands at the start of a row",
                "the file looks joined from several: join them without their marks (and without repeated header lines)",
            ),
            Self::LongField => (
                "a field is longer than 1 MiB",
                "look for a quote that is not closed, or for a file that is no CSV; correct the delimiter or the quote",
            ),
            Self::LongRecord => (
                "a record is longer than 4 MiB",
                "look for a quote that is not closed, or for line ends that are missing",
            ),
            Self::Columns => ("a record has more than 16384 fields", "correct the delimiter or the file"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RowStart,
    BlankReturn,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteSeen,
    Return,
}

/// The splitter's state between two pieces of text.
#[derive(Debug)]
pub(super) struct Splitter {
    delimiter: u8,
    quote: Option<u8>,
    /// Which bytes end a run of ordinary text outside quotes, and inside.
    outside: [bool; 256],
    inside: [bool; 256],
    state: State,
    /// The line that is being read, from 1; where the row began; where the open quote stands.
    line: u64,
    row_line: u64,
    quote_line: u64,
}

impl Splitter {
    pub(super) fn new(delimiter: u8, quote: Option<u8>) -> Self {
        let mut outside = [false; 256];
        let mut inside = [false; 256];
        for byte in [delimiter, b'\n', b'\r'] {
            outside[usize::from(byte)] = true;
        }
        inside[usize::from(b'\n')] = true;
        if let Some(quote) = quote {
            inside[usize::from(quote)] = true;
        }
        Self { delimiter, quote, outside, inside, state: State::RowStart, line: 1, row_line: 1, quote_line: 1 }
    }

    /// The line that is being read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The line at which the row that has just ended began.
    pub(super) fn row_line(&self) -> u64 {
        self.row_line
    }

    /// Reads on from `at`; true when a row has ended, false when the text has.
    pub(super) fn split(&mut self, text: &str, at: &mut usize, rows: &mut Packed) -> Result<bool, Broken> {
        let bytes = text.as_bytes();
        let mut here = *at;
        loop {
            let Some(&byte) = bytes.get(here) else {
                *at = here;
                self.bound(rows)?;
                return Ok(false);
            };
            match self.state {
                State::RowStart => match byte {
                    b'\n' => {
                        here += 1;
                        self.line += 1;
                    }
                    b'\r' => {
                        here += 1;
                        self.state = State::BlankReturn;
                    }
                    0xef if bytes[here..].starts_with("\u{feff}".as_bytes()) => return self.broken(How::Mark),
                    _ => {
                        self.row_line = self.line;
                        self.state = State::FieldStart;
                    }
                },
                State::BlankReturn => {
                    if byte != b'\n' {
                        return self.broken(How::LoneReturn);
                    }
                    here += 1;
                    self.line += 1;
                    self.state = State::RowStart;
                }
                State::FieldStart => {
                    if Some(byte) == self.quote {
                        here += 1;
                        self.quote_line = self.line;
                        self.state = State::Quoted;
                    } else {
                        self.state = State::Unquoted;
                    }
                }
                State::Unquoted => {
                    let run = bytes[here..].iter().position(|&byte| self.outside[usize::from(byte)]);
                    let end = run.map_or(bytes.len(), |run| here + run);
                    rows.push_text(&text[here..end]);
                    here = end;
                    if here < bytes.len() {
                        here += 1;
                        if self.end_of_field(bytes[end], rows)? {
                            *at = here;
                            return Ok(true);
                        }
                    }
                }
                State::Quoted => {
                    let run = bytes[here..].iter().position(|&byte| self.inside[usize::from(byte)]);
                    let end = run.map_or(bytes.len(), |run| here + run);
                    rows.push_text(&text[here..end]);
                    here = end;
                    if here < bytes.len() {
                        here += 1;
                        if bytes[end] == b'\n' {
                            rows.push_text("\n");
                            self.line += 1;
                            // An unclosed quote takes in all that follows: stop before the whole file is one field.
                            self.bound(rows)?;
                        } else {
                            self.state = State::QuoteSeen;
                        }
                    }
                }
                State::QuoteSeen => {
                    here += 1;
                    if Some(byte) == self.quote {
                        rows.push_text(char::from(byte).encode_utf8(&mut [0; 4]));
                        self.state = State::Quoted;
                    } else if self.outside[usize::from(byte)] {
                        if self.end_of_field(byte, rows)? {
                            *at = here;
                            return Ok(true);
                        }
                    } else {
                        return self.broken(How::AfterQuote);
                    }
                }
                State::Return => {
                    if byte != b'\n' {
                        return self.broken(How::LoneReturn);
                    }
                    *at = here + 1;
                    self.line += 1;
                    self.state = State::RowStart;
                    return Ok(true);
                }
            }
        }
    }

    /// Ends a field at its delimiter or line end; true when the row has ended with it.
    fn end_of_field(&mut self, byte: u8, rows: &mut Packed) -> Result<bool, Broken> {
        self.bound(rows)?;
        rows.end_field();
        if byte == self.delimiter {
            self.state = State::FieldStart;
            if rows.row_width() >= MOST_COLUMNS {
                return self.broken(How::Columns);
            }
            Ok(false)
        } else if byte == b'\n' {
            self.line += 1;
            self.state = State::RowStart;
            Ok(true)
        } else {
            self.state = State::Return;
            Ok(false)
        }
    }

    /// The text is over: true when a row has ended with it.
    pub(super) fn finish(&mut self, rows: &mut Packed) -> Result<bool, Broken> {
        let state = std::mem::replace(&mut self.state, State::RowStart);
        match state {
            State::RowStart => Ok(false),
            State::BlankReturn | State::Return => self.broken(How::LoneReturn),
            State::Quoted => Err(Broken { line: self.quote_line, how: How::Unclosed }),
            State::FieldStart | State::Unquoted | State::QuoteSeen => {
                self.bound(rows)?;
                rows.end_field();
                // Old systems end a text file with a control-Z, on a line of its own.
                if rows.row_width() == 1 && rows.row().eq(["\u{1a}"]) {
                    rows.drop_row();
                    return Ok(false);
                }
                Ok(true)
            }
        }
    }

    fn bound(&self, rows: &Packed) -> Result<(), Broken> {
        if rows.field_bytes() > MOST_FIELD_BYTES {
            return Err(Broken { line: self.row_line, how: How::LongField });
        }
        if rows.row_bytes() > MOST_RECORD_BYTES {
            return Err(Broken { line: self.row_line, how: How::LongRecord });
        }
        Ok(())
    }

    fn broken<T>(&self, how: How) -> Result<T, Broken> {
        Err(Broken { line: self.line, how })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Rows = Vec<(u64, Vec<String>)>;

    /// Splits a text that arrives in pieces of so many characters.
    fn split(text: &str, piece: usize) -> Result<Rows, Broken> {
        let mut splitter = Splitter::new(b',', Some(b'"'));
        let mut rows = Packed::default();
        let mut out = Rows::new();
        let letters: Vec<char> = text.chars().collect();
        let mut take = |splitter: &Splitter, rows: &mut Packed| {
            out.push((splitter.row_line(), rows.row().map(str::to_owned).collect()));
            rows.keep_row(splitter.row_line());
        };
        for piece in letters.chunks(piece.max(1)) {
            let piece: String = piece.iter().collect();
            let mut at = 0;
            while splitter.split(&piece, &mut at, &mut rows)? {
                take(&splitter, &mut rows);
            }
        }
        if splitter.finish(&mut rows)? {
            take(&splitter, &mut rows);
        }
        Ok(out)
    }

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let whole = split(text, usize::MAX).unwrap();
        assert_eq!(split(text, 1).unwrap(), whole, "in single letters");
        whole
    }

    fn fails(text: &str, line: u64, how: How) {
        assert_eq!(split(text, usize::MAX), Err(Broken { line, how }), "{text:?}");
        assert_eq!(split(text, 1), Err(Broken { line, how }), "{text:?} in single letters");
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|&field| field.to_owned()).collect())
    }

    #[test]
    fn rows_know_the_line_where_they_begin() {
        assert_eq!(
            rows("a,b\r\n\r\n\"x\ny\",\"1\"\"2\"\n,\n佐藤,5\"\nlast,"),
            [
                row(1, &["a", "b"]),
                row(3, &["x\ny", "1\"2"]),
                row(5, &["", ""]),
                row(6, &["佐藤", "5\""]),
                row(7, &["last", ""]),
            ]
        );
        assert_eq!(rows("\"\"\n\"\",\"\""), [row(1, &[""]), row(2, &["", ""])]);
        assert_eq!(rows("a\r\n\u{1a}"), [row(1, &["a"])]);
        assert_eq!(rows("\n\r\n"), []);
    }

    #[test]
    fn what_others_guess_at_is_refused_with_its_line() {
        fails("a\n\"b\"c,d", 2, How::AfterQuote);
        fails("a\n\"b\" ,d", 2, How::AfterQuote);
        fails("a\n\"x\ny\"\"", 2, How::Unclosed);
        fails("a\rb", 1, How::LoneReturn);
        fails("a\n\rb", 2, How::LoneReturn);
        fails("a\r\r\n", 1, How::LoneReturn);
        fails("a\r", 1, How::LoneReturn);
        fails("\"a\"\r,", 1, How::LoneReturn);
        fails("a\n\u{feff}b\n", 2, How::Mark);
    }

    #[test]
    fn nothing_grows_without_end() {
        let long = "x".repeat(MOST_FIELD_BYTES);
        assert_eq!(split(&long, usize::MAX).unwrap().len(), 1);
        let broken = |text: &str| split(text, 8192).unwrap_err().how;
        assert_eq!(broken(&format!("{long}x")), How::LongField);
        assert_eq!(broken(&format!("\"{}", "x\n".repeat(MOST_FIELD_BYTES))), How::LongField);
        assert_eq!(broken(&format!("{long},").repeat(5)), How::LongRecord);
        assert_eq!(broken(&",".repeat(MOST_COLUMNS)), How::Columns);
    }

    proptest! {
        #[test]
        fn a_text_is_split_alike_in_whatever_pieces_it_comes(text in "[a,\"\r\n佐]{0,24}", piece in 1_usize..6) {
            prop_assert_eq!(split(&text, piece), split(&text, usize::MAX));
        }
    }
}
