//! What an export does, settled before the first row: which source column goes where, through which steps, in which
//! charset. Whatever of it cannot work is refused here, every missing column at once.

use super::characters::{Encoder, Mark, Replacements};
use super::order::OrderKey;
use super::quoting::{push_field, text_lines};
use super::similar::closest;
use super::steps::Steps;
use crate::domain::failure::{Code, Failure, RowFault};
use crate::domain::integration::{Charset, CsvForm, Limits, OnUnmappable};
use crate::domain::menu::{Column, Condition, Menu, OnBadRow};
use crate::domain::record::{Header, Row};
use std::collections::BTreeSet;

/// How much an export keeps in memory before it passes data through the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// Bytes of rows that `order_by` sorts at once.
    pub sort_bytes: usize,
    /// Keys that the search for duplicates sorts at once (16 bytes each).
    pub key_entries: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { sort_bytes: 8 << 20, key_entries: 1 << 18 }
    }
}

/// A menu, made ready for the rows of one source.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) columns: Vec<Mapped>,
    /// The key's columns, by place in `columns`.
    pub(super) key: Vec<usize>,
    pub(super) order: Vec<OrderKey>,
    /// The columns in which no two rows have one value, by place in `columns`.
    pub(super) unique: Vec<usize>,
    /// The key's headers as people read them.
    pub(super) key_name: String,
    /// Conditions that a row meets, each on the source's column of that place.
    conditions: Vec<(usize, Condition)>,
    pub(super) encoder: Encoder,
    /// Folds and encodes what a column's steps have already put through the replacement table.
    pub(super) folder: Encoder,
    pub(super) charset: Charset,
    pub(super) unmappable: Unmapped,
    pub(super) bad_rows: OnBadRow,
    pub(super) limits: Limits,
    pub(super) wanted: Option<BTreeSet<String>>,
    preamble: Preamble,
    tuning: Tuning,
}

/// A column of the CSV and where its text comes from.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    pub(super) header: String,
    pub(super) origin: Origin,
    pub(super) steps: Option<Steps>,
}

/// Where a column's text comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The source's column of that place.
    Source(usize),
    /// The same in every row.
    Constant(String),
    /// Several of the source's columns; such a column always has steps.
    Joined(Joined),
}

/// Several of the source's columns, one after another.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    places: Vec<usize>,
    between: String,
}

impl Joined {
    /// Writes those that are not empty to `out`, which it empties before.
    pub(super) fn write(&self, row: Row<'_>, trim: bool, out: &mut String) {
        out.clear();
        for &place in &self.places {
            let part = row.field(place);
            let part = if trim { part.trim() } else { part };
            if !part.is_empty() && !out.is_empty() {
                out.push_str(&self.between);
            }
            out.push_str(part);
        }
    }
}

/// What to do with a letter that the charset does not have.
#[derive(Debug, Clone)]
pub(super) enum Unmapped {
    Reject,
    SkipRow,
    Substitute(Mark),
}

/// What each file begins with: the byte order mark and the header line, where the settings ask for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Preamble {
    bytes: Vec<u8>,
    lines: u64,
}

impl Preamble {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }
}

impl Plan {
    /// Makes the plan. `keys_wanted` are the keys of `--key`: parts joined by `/`, with or without blanks around it; only
    /// rows with one of these keys are exported then.
    ///
    /// # Errors
    ///
    /// [`Code::MissingColumn`] with every column that the source lacks, and similar names; a header that the charset
    /// cannot write ([`Code::Unmappable`]); a replacement table or mark that cannot work ([`Code::SettingsInvalid`]);
    /// wanted keys for a menu without a key ([`Code::KeyNotFound`]).
    pub fn new(
        menu: &Menu,
        csv: &CsvForm,
        limits: &Limits,
        source: &Header,
        keys_wanted: Option<&[String]>,
    ) -> Result<Self, Failure> {
        let form = menu.form();
        let replacements = Replacements::new(csv.replacements.iter().cloned())
            .map_err(|error| settings(format!("csv.replacements: {error}")))?;
        let unmappable = match &csv.unmappable {
            OnUnmappable::Reject => Unmapped::Reject,
            OnUnmappable::SkipRow => Unmapped::SkipRow,
            OnUnmappable::Substitute(mark) => {
                Unmapped::Substitute(Mark::new(mark).map_err(|error| settings(format!("csv.unmappable: {error}")))?)
            }
        };
        let every_source_column: Vec<Column>;
        let columns = if form.columns.is_empty() {
            every_source_column = source.names().iter().map(|name| Column::plain(name)).collect();
            &every_source_column
        } else {
            &form.columns
        };
        let columns = resolve(menu, columns, source, csv.charset)?;
        let place = |header: &String| columns.iter().position(|column| column.header == *header);
        let unique = form.columns.iter().filter(|column| column.unique).filter_map(|column| place(&column.header));
        let unique: Vec<usize> = unique.collect();
        let key: Vec<usize> = form.key.iter().filter_map(place).collect();
        let order = form
            .order_by
            .iter()
            .filter_map(|order| Some(OrderKey::new(place(&order.header)?, order.numeric, order.descending)))
            .collect();
        let wanted = match keys_wanted {
            None => None,
            Some(_) if key.is_empty() => {
                let message = format!(
                    "the menu {} has no key, so no record can be chosen by --key. Add key: [社員コード], say, to the menu",
                    menu.name()
                );
                return Err(Failure::new(Code::KeyNotFound, message));
            }
            Some(keys) => Some(keys.iter().map(|key| one_spelling(key)).collect()),
        };
        let conditions = form.conditions.iter();
        let conditions =
            conditions.filter_map(|condition| Some((source.position(&condition.field)?, condition.clone())));
        let folder = Encoder::default();
        Ok(Self {
            preamble: preamble(&columns, csv, &folder)?,
            columns,
            key,
            order,
            unique,
            conditions: conditions.collect(),
            key_name: form.key.join(" / "),
            encoder: Encoder::new(replacements),
            folder,
            charset: csv.charset,
            unmappable,
            bad_rows: form.bad_rows,
            limits: *limits,
            wanted,
            tuning: Tuning::default(),
        })
    }

    /// The same plan with other amounts of memory; for tests, so that a few rows pass through the folder.
    #[must_use]
    pub fn tuned(mut self, tuning: Tuning) -> Self {
        self.tuning = tuning;
        self
    }

    /// The names of line 1, in order.
    #[must_use]
    pub fn headers(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.header.as_str()).collect()
    }

    pub(super) fn preamble(&self) -> &Preamble {
        &self.preamble
    }

    pub(super) fn tuning(&self) -> Tuning {
        self.tuning
    }

    pub(super) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Whether the list is about this row: it meets every condition of `where`.
    pub(super) fn is_about(&self, row: Row<'_>) -> bool {
        self.conditions.iter().all(|(place, condition)| condition.is_met_by(row.field(*place)))
    }

    /// Whether there are conditions at all.
    pub(super) fn is_selective(&self) -> bool {
        !self.conditions.is_empty()
    }

    pub(super) fn has_unique(&self) -> bool {
        !self.unique.is_empty()
    }

    pub(super) fn is_ordered(&self) -> bool {
        !self.order.is_empty()
    }

    /// A row's name for people: `社員コード 1045`, or `line 12` where there is no key.
    pub(super) fn row_name(&self, row: &RowFault) -> String {
        let name = row.name();
        if self.has_key() { format!("{} {name}", self.key_name) } else { name }
    }
}

/// `a/b` and `a / b` are one key; so are the parts of a row's key, joined.
pub(super) fn one_spelling(key: &str) -> String {
    key.split('/').map(str::trim).collect::<Vec<_>>().join(" / ")
}

fn settings(message: String) -> Failure {
    Failure::new(Code::SettingsInvalid, message)
}

fn resolve(menu: &Menu, columns: &[Column], source: &Header, charset: Charset) -> Result<Vec<Mapped>, Failure> {
    let mut missing: Vec<(&str, &str)> = Vec::new();
    let mut mapped = Vec::with_capacity(columns.len());
    for column in columns {
        let names = column.reads();
        let places: Vec<usize> = names.iter().filter_map(|name| source.position(name)).collect();
        if places.len() < names.len() {
            let lost = names.into_iter().filter(|name| source.position(name).is_none());
            missing.extend(lost.map(|name| (name, column.header.as_str())));
            continue;
        }
        let origin = match (&column.constant, places.first()) {
            (Some(constant), _) => Origin::Constant(constant.clone()),
            (None, Some(&only)) if column.concat.is_none() => Origin::Source(only),
            _ => Origin::Joined(Joined { places, between: column.between.clone().unwrap_or_default() }),
        };
        let header = column.header.clone();
        mapped.push(Mapped { header, origin, steps: Steps::of(column, charset)? });
    }
    let form = menu.form();
    let named = form.key.iter().chain(form.order_by.iter().map(|order| &order.header));
    for header in named.filter(|header| !columns.iter().any(|column| column.header == **header)) {
        if !missing.iter().any(|(name, _)| name == header) {
            missing.push((header, header));
        }
    }
    for condition in form.conditions.iter().filter(|condition| source.position(&condition.field).is_none()) {
        if !missing.iter().any(|(name, _)| *name == condition.field) {
            missing.push((&condition.field, &condition.field));
        }
    }
    if mapped.is_empty() && missing.is_empty() {
        let message = "the source has no column at all. See whether it is the right file or table";
        return Err(Failure::new(Code::MissingColumn, message));
    }
    if missing.is_empty() { Ok(mapped) } else { Err(missing_columns(&missing, source)) }
}

fn missing_columns(missing: &[(&str, &str)], source: &Header) -> Failure {
    const MOST_NAMES: usize = 30;
    let told: Vec<String> = missing
        .iter()
        .map(|(name, header)| {
            let sent_as = if name == header { String::new() } else { format!(" (sent as {header})") };
            let meant = match closest(name, source.names()) {
                None => String::new(),
                Some(similar) => format!(" (did you mean {similar}?)"),
            };
            format!("{name}{sent_as}{meant}")
        })
        .collect();
    let columns = if missing.len() == 1 { "column" } else { "columns" };
    let mut has = source.names().iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match source.len().saturating_sub(MOST_NAMES) {
        0 if source.is_empty() => has.push_str("none"),
        0 => {}
        more => has.push_str(&format!(" and {more} more")),
    }
    let message = format!(
        "the source lacks the {columns} {}. Its columns are: {has}. Correct the menu (field: under columns: and \
         where:, key:, order_by:) or the source",
        told.join(", ")
    );
    Failure::new(Code::MissingColumn, message)
}

fn preamble(columns: &[Mapped], csv: &CsvForm, folder: &Encoder) -> Result<Preamble, Failure> {
    let mut preamble = Preamble::default();
    if csv.charset == Charset::Utf8Bom {
        preamble.bytes.extend_from_slice(b"\xEF\xBB\xBF");
    }
    if !csv.header {
        return Ok(preamble);
    }
    for (index, column) in columns.iter().enumerate() {
        let mut bytes = Vec::new();
        if csv.charset == Charset::Sjis {
            folder.encode_field(&column.header, &mut bytes).map_err(|found| {
                let told = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let message = format!(
                    "the header {} cannot be written in Shift_JIS: {told}. Give the column another header",
                    column.header
                );
                Failure::new(Code::Unmappable, message)
            })?;
        } else {
            bytes.extend_from_slice(column.header.as_bytes());
        }
        if index > 0 {
            preamble.bytes.push(b',');
        }
        push_field(&bytes, columns.len() == 1, &mut preamble.bytes);
    }
    preamble.bytes.extend_from_slice(b"\r\n");
    preamble.lines = u64::from(text_lines(&preamble.bytes));
    Ok(preamble)
}
