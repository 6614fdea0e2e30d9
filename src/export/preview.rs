//! The first rows as they would be sent, for a person at a screen (`menu preview`). Nothing is written. The check for
//! duplicates and the order of the rows need the whole source and are left to the export.

use super::ExportError;
use super::faults::Fate;
use super::line::{Liner, Outcome};
use super::plan::Plan;
use crate::domain::failure::RowFault;
use crate::domain::integration::Charset;
use crate::domain::record::Block;
use encoding_rs::SHIFT_JIS;

/// The beginning of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// The headers in order.
    pub headers: Vec<String>,
    /// The rows, in the source's order.
    pub rows: Vec<PreviewRow>,
    /// Whether the source has more rows.
    pub more: bool,
}

/// One row as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRow {
    /// Where it stands in the source.
    pub line: u64,
    /// The text of each column: as the receiver would read it, or, for a row that would not be sent, as the source has
    /// it after the columns' steps.
    pub values: Vec<String>,
    /// What is wrong with it.
    pub faults: Vec<RowFault>,
    /// Whether it would be sent.
    pub is_sent: bool,
}

/// Looks at the first `limit` rows.
///
/// # Errors
///
/// The source's error.
pub fn preview<E>(
    plan: &Plan,
    blocks: impl IntoIterator<Item = Result<Block, E>>,
    limit: usize,
) -> Result<Preview, ExportError<E>> {
    let mut liner = Liner::new(plan, true);
    let headers = plan.headers().into_iter().map(str::to_owned).collect();
    let mut preview = Preview { headers, ..Preview::default() };
    for block in blocks {
        let block = block.map_err(ExportError::Source)?;
        for row in block.rows() {
            if preview.rows.len() == limit {
                preview.more = true;
                return Ok(preview);
            }
            let faults = match liner.line(row) {
                Outcome::NotMeant | Outcome::NotWanted => continue,
                Outcome::Written => Vec::new(),
                Outcome::Faulty => liner.fault(row.line()).rows,
            };
            let is_sent = liner.fate() <= Fate::Substituted;
            let as_sent = if is_sent { read_back(plan, liner.written(row.line()).bytes) } else { None };
            let values = as_sent.unwrap_or_else(|| liner.values(row).map(str::to_owned).collect());
            preview.rows.push(PreviewRow { line: row.line(), values, faults, is_sent });
        }
    }
    liner.all_wanted_found()?;
    Ok(preview)
}

/// A line's fields as the receiver would read them.
fn read_back(plan: &Plan, line: &[u8]) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
    let record = reader.byte_records().next()?.ok()?;
    Some(record.iter().map(|field| decode(plan, field)).collect())
}

/// A field of a written file as text.
pub(super) fn decode(plan: &Plan, field: &[u8]) -> String {
    match plan.charset {
        Charset::Sjis => SHIFT_JIS.decode_without_bom_handling(field).0.into_owned(),
        Charset::Utf8 | Charset::Utf8Bom => String::from_utf8_lossy(field).into_owned(),
    }
}
