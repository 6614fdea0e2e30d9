//! A menu's column as written.

use super::desk::Desk;
use super::integration::pairs;
use crate::domain::menu::{Case, Column, DateForm, OnLong, Otherwise, Pad, Replace, Side, Width};
use crate::settings::keys;
use crate::yaml::{Node, Value, short};

/// Reads a column; `None` when it is no map, or has no header.
pub(super) fn column(desk: &mut Desk<'_>, node: &Node) -> Option<Column> {
    let fields = desk.fields(node, "a column", keys::COLUMN)?;
    let widths = [("full", Width::Full), ("half", Width::Half)];
    let header = desk.needed(&fields, "header", "header: 社員コード", Desk::text);
    let column = Column {
        header: header.clone().unwrap_or_default(),
        field: desk.field(&fields, "field", Desk::text),
        constant: desk.field(&fields, "constant", Desk::text),
        concat: desk.field(&fields, "concat", |desk, node| desk.list(node, "[sei, mei]", Desk::text)),
        between: desk.field(&fields, "between", Desk::text),
        trim: desk.field(&fields, "trim", Desk::flag).unwrap_or_default(),
        collapse_spaces: desk.field(&fields, "collapse_spaces", Desk::flag).unwrap_or_default(),
        default: desk.field(&fields, "default", Desk::text),
        replace: desk.field(&fields, "replace", replace),
        case: desk
            .field(&fields, "case", |desk, node| desk.choice(node, &[("upper", Case::Upper), ("lower", Case::Lower)])),
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
        pattern: desk.field(&fields, "pattern", Desk::text),
        unique: desk.field(&fields, "unique", Desk::flag).unwrap_or_default(),
    };
    header.map(|_| column)
}

fn replace(desk: &mut Desk<'_>, node: &Node) -> Option<Replace> {
    let fields = desk.fields(node, "a replacement", keys::REPLACE)?;
    let map =
        desk.needed(&fields, "map", "map: { \"1\": 正社員 }", |desk, node| pairs(desk, node, "a map", Desk::text));
    let otherwise = desk.field(&fields, "otherwise", otherwise);
    Some(Replace { map: map?, otherwise: otherwise.unwrap_or_default() })
}

fn otherwise(desk: &mut Desk<'_>, node: &Node) -> Option<Otherwise> {
    match &node.value {
        Value::Map(_) => {
            let fields = desk.fields(node, "otherwise", keys::OTHERWISE)?;
            desk.needed(&fields, "text", "text: その他", Desk::text).map(Otherwise::Text)
        }
        Value::Scalar(scalar) if scalar.text == "keep" => Some(Otherwise::Keep),
        Value::Scalar(scalar) if scalar.text == "reject" => Some(Otherwise::Reject),
        _ => {
            let what = match &node.value {
                Value::Scalar(scalar) => format!("{:?} is not known here", short(&scalar.text)),
                _ => format!("here stands {}, not a word", node.kind()),
            };
            desk.refuse(node.place, what, "write keep, reject or { text: その他 }");
            None
        }
    }
}

fn pad(desk: &mut Desk<'_>, node: &Node) -> Option<Pad> {
    let fields = desk.fields(node, "a padding", keys::PAD)?;
    let to = desk.needed(&fields, "to", "to: 6", Desk::number);
    let with = desk.field(&fields, "with", Desk::text).unwrap_or_else(|| "0".to_owned());
    let side =
        desk.field(&fields, "side", |desk, node| desk.choice(node, &[("left", Side::Left), ("right", Side::Right)]));
    Some(Pad { to: to?, with, side: side.unwrap_or_default() })
}

fn date(desk: &mut Desk<'_>, node: &Node) -> Option<DateForm> {
    let fields = desk.fields(node, "a date's form", keys::DATE)?;
    let from = desk.needed(&fields, "from", "from: \"%Y%m%d\"", Desk::text);
    let to = desk.needed(&fields, "to", "to: \"%Y/%m/%d\"", Desk::text);
    Some(DateForm { from: from?, to: to? })
}
