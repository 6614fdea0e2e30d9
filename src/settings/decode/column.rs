//! A menu's column as written.

use super::desk::Desk;
use crate::domain::menu::{Case, Column, DateForm, OnLong, Pad, Side, Width};
use crate::settings::keys;
use crate::yaml::Node;

/// Reads a column; `None` when it is no map, or has no header.
pub(super) fn column(desk: &mut Desk<'_>, node: &Node) -> Option<Column> {
    let fields = desk.fields(node, "a column", keys::COLUMN)?;
    let widths = [("full", Width::Full), ("half", Width::Half)];
    let header = desk.needed(&fields, "header", "header: 社員コード", Desk::text);
    let column = Column {
        header: header.clone().unwrap_or_default(),
        field: desk.field(&fields, "field", Desk::text),
        constant: desk.field(&fields, "constant", Desk::text),
        trim: desk.field(&fields, "trim", Desk::flag).unwrap_or_default(),
        collapse_spaces: desk.field(&fields, "collapse_spaces", Desk::flag).unwrap_or_default(),
        default: desk.field(&fields, "default", Desk::text),
        case: desk.field(&fields, "case", |desk, node| {
            desk.choice(node, &[("upper", Case::Upper), ("lower", Case::Lower)])
        }),
        width: desk.field(&fields, "width", |desk, node| desk.choice(node, &widths)),
        kana: desk.field(&fields, "kana", |desk, node| desk.choice(node, &widths)),
        date: desk.field(&fields, "date", date),
        pad: desk.field(&fields, "pad", pad),
        max_chars: desk.field(&fields, "max_chars", Desk::number),
        max_bytes: desk.field(&fields, "max_bytes", Desk::number),
        on_long: desk
            .field(&fields, "on_long", |desk, node| {
                desk.choice(node, &[("reject", OnLong::Reject), ("truncate", OnLong::Truncate)])
            })
            .unwrap_or_default(),
        required: desk.field(&fields, "required", Desk::flag).unwrap_or_default(),
    };
    header.map(|_| column)
}

fn pad(desk: &mut Desk<'_>, node: &Node) -> Option<Pad> {
    let fields = desk.fields(node, "a padding", keys::PAD)?;
    let to = desk.needed(&fields, "to", "to: 6", Desk::number);
    let with = desk.field(&fields, "with", Desk::text).unwrap_or_else(|| "0".to_owned());
    let side = desk.field(&fields, "side", |desk, node| {
        desk.choice(node, &[("left", Side::Left), ("right", Side::Right)])
    });
    Some(Pad { to: to?, with, side: side.unwrap_or_default() })
}

fn date(desk: &mut Desk<'_>, node: &Node) -> Option<DateForm> {
    let fields = desk.fields(node, "a date's form", keys::DATE)?;
    let from = desk.needed(&fields, "from", "from: \"%Y%m%d\"", Desk::text);
    let to = desk.needed(&fields, "to", "to: \"%Y/%m/%d\"", Desk::text);
    Some(DateForm { from: from?, to: to? })
}
