//! Which delimiter and which quote does a file use? Each candidate splits the beginning of the text, and the one under
//! which all rows have the same number of fields is taken. Where none fits, the nearest is taken and the strict reading
//! then names the row that does not; nothing is ever split loosely.

use super::packed::Packed;
use super::split::Splitter;
use crate::domain::menu::CsvSourceForm;
use std::fmt;

/// How a file separates and quotes its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Stands between two fields.
    pub delimiter: u8,
    /// Stands around a field; `None` where quotes are ordinary characters.
    pub quote: Option<u8>,
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delimiter {
            b',' => out.write_str("commas")?,
            b'\t' => out.write_str("tabs")?,
            b';' => out.write_str("semicolons")?,
            other => write!(out, "{:?} between fields", char::from(other))?,
        }
        match self.quote {
            Some(b'"') => Ok(()),
            Some(other) => write!(out, ", {:?} around them", char::from(other)),
            None => out.write_str(", no quotes"),
        }
    }
}

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// How many rows are looked at.
const ROWS: usize = 300;

/// One character of a setting, `\t` being a tab.
fn single(text: &str) -> Option<u8> {
    match text {
        "\\t" => Some(b'\t'),
        text => text.bytes().next(),
    }
}

/// Settles the dialect from the settings and, for what they do not say, from the beginning of the text; `whole` tells
/// that there is no more of it.
pub(super) fn settle(form: &CsvSourceForm, sample: &str, whole: bool) -> Dialect {
    let delimiters: Vec<u8> = match &form.delimiter {
        Some(text) => single(text).into_iter().collect(),
        None => DELIMITERS.to_vec(),
    };
    let columns = (!form.columns.is_empty()).then_some(form.columns.len());
    let best = |quote: Option<u8>| {
        let trials = delimiters.iter().map(|&delimiter| Trial::split(Dialect { delimiter, quote }, sample, whole));
        trials
            .enumerate()
            .max_by_key(|(index, trial)| (trial.rank(columns), usize::MAX - index))
            .map(|(_, trial)| trial)
    };
    let written = form.quote.as_deref().map(single);
    let quoting = best(written.unwrap_or(Some(b'"')));
    // Quotes are ordinary characters only if they cannot be read as quotes, several fields begin with one, none of
    // these has a second, and all rows are alike. A single one that is never closed is that of a file that was cut.
    if let (None, Some(quoting)) = (written, &quoting)
        && quoting.broken
        && !closes_a_field(sample, quoting.dialect)
        && let Some(plain) = best(None)
        && (plain.is_alike() && plain.begun >= 2 && plain.paired == 0)
    {
        return plain.dialect;
    }
    quoting.map_or(Dialect { delimiter: b',', quote: None }, |trial| trial.dialect)
}

/// The sample split under one dialect.
struct Trial {
    dialect: Dialect,
    /// The first row's width.
    width: usize,
    /// How many rows there are, and how many have that width.
    rows: usize,
    alike: usize,
    broken: bool,
    /// Fields that begin with a quote which is an ordinary character, and those of them that have another.
    begun: usize,
    paired: usize,
}

impl Trial {
    fn split(dialect: Dialect, sample: &str, whole: bool) -> Self {
        let mut splitter = Splitter::new(dialect.delimiter, dialect.quote);
        let mut packed = Packed::default();
        let mut at = 0;
        let mut trial = Self { dialect, width: 0, rows: 0, alike: 0, broken: false, begun: 0, paired: 0 };
        loop {
            let row = match splitter.split(sample, &mut at, &mut packed) {
                Ok(false) if whole => splitter.finish(&mut packed),
                other => other,
            };
            match row {
                Ok(true) => trial.count(&packed),
                Ok(false) => break,
                Err(_) => {
                    trial.broken = true;
                    break;
                }
            }
            packed.drop_row();
            if trial.rows >= ROWS {
                break;
            }
        }
        trial
    }

    fn count(&mut self, row: &Packed) {
        let width = row.row_width();
        if self.dialect.quote.is_none() {
            for rest in row.row().filter_map(|field| field.strip_prefix('"')) {
                self.begun += 1;
                self.paired += usize::from(rest.contains('"'));
            }
        }
        if self.rows == 0 {
            self.width = width;
        }
        self.rows += 1;
        self.alike += usize::from(width == self.width);
    }

    /// The better, the greater: the width that was asked for, every row alike, most rows alike, most columns.
    fn rank(&self, columns: Option<usize>) -> (bool, bool, bool, usize, usize) {
        let wanted = columns.is_none_or(|columns| columns == self.width);
        let share = if self.width > 1 { self.alike * 1000 / self.rows.max(1) } else { 0 };
        (wanted, self.is_alike(), self.width > 1, share, self.width)
    }

    /// Several columns, and as many in every row.
    fn is_alike(&self) -> bool {
        self.width > 1 && !self.broken && self.alike == self.rows
    }
}

/// Whether a quote is followed by a delimiter or a line end, as after a field that it closes.
fn closes_a_field(sample: &str, dialect: Dialect) -> bool {
    let ends = |byte: u8| byte == dialect.delimiter || byte == b'\n' || byte == b'\r';
    sample.as_bytes().windows(2).any(|pair| Some(pair[0]) == dialect.quote && ends(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sample: &str) -> (char, bool) {
        let form: CsvSourceForm = serde_json::from_str(r#"{"path": "x"}"#).unwrap();
        let dialect = settle(&form, sample, true);
        (char::from(dialect.delimiter), dialect.quote.is_some())
    }

    #[test]
    fn the_delimiter_is_the_one_under_which_all_rows_are_alike() {
        for (sample, expected) in [
            ("a,b\n1,2\n", ','),
            ("a\tb\n1,5\t2\n", '\t'),
            ("a;b;c\n1,5;2,0;x\n", ';'),
            ("a|b\n1|2\n", '|'),
            ("a,b;c\n1,\"2;3\"\n", ','),
            ("a,b,c\n\"x\ty\",1,2\n", ','),
            ("name\n佐藤\n", ','),
            ("a,b\n1,2,3\n1,2\n", ','),
        ] {
            assert_eq!(found(sample), (expected, true), "{sample:?}");
        }
    }

    #[test]
    fn quotes_are_ordinary_characters_only_where_none_closes_a_field() {
        assert_eq!(found("a\tb\n\"x\t1\n\"y\t2\n"), ('\t', false), "quotes without a partner");
        assert_eq!(found("a,b\n\"x\",1\n\"y,2\n"), (',', true), "a file that quotes, with a fault");
        assert_eq!(found("a,b\n1,2\n3,\"x"), (',', true), "a file that was cut within its only quotes");
        assert_eq!(found("a,b\n1,\"2\"3\n2,\"4\"5\n"), (',', true), "text after a closing quote");
    }

    #[test]
    fn given_columns_choose_the_delimiter_that_makes_so_many_fields() {
        let mut form: CsvSourceForm = serde_json::from_str(r#"{"path": "x"}"#).unwrap();
        form.columns = vec!["a".into(), "b".into()];
        assert_eq!(settle(&form, "1|2,3|4\n5|6,7|8\n", true).delimiter, b',');
    }
}
