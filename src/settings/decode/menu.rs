//! A menu as written.

use super::column::column;
use super::desk::Desk;
use crate::domain::menu::{
    Checks, Condition, CsvSourceForm, JsonlSourceForm, MenuForm, OnBadRow, OnTrip, OrderBy, RecordsForm, SourceCharset,
    SourceForm,
};
use crate::settings::keys;
use crate::yaml::Node;

/// Reads a menu; `None` when it is no map at all.
pub(in crate::settings) fn menu(desk: &mut Desk<'_>, node: &Node) -> Option<MenuForm> {
    let fields = desk.fields(node, "a menu", keys::MENU)?;
    let headers = "[社員コード]";
    Some(MenuForm {
        name: desk.needed(&fields, "name", "name: 社員一覧", Desk::text).unwrap_or_default(),
        id: desk.field(&fields, "id", Desk::text),
        source: desk
            .needed(&fields, "source", "source: { csv: { path: employees.csv } } or source: { records: {} }", source)
            .unwrap_or(SourceForm::Records(RecordsForm::default())),
        key: desk.field(&fields, "key", |desk, node| desk.list(node, headers, Desk::text)).unwrap_or_default(),
        columns: desk
            .field(&fields, "columns", |desk, node| {
                desk.list(node, "[ { header: 社員コード, field: emp_no } ]", column)
            })
            .unwrap_or_default(),
        conditions: desk
            .field(&fields, "where", |desk, node| desk.list(node, "[ { field: 在籍, is: \"1\" } ]", condition))
            .unwrap_or_default(),
        order_by: desk
            .field(&fields, "order_by", |desk, node| desk.list(node, "[ { header: 社員コード } ]", order_by))
            .unwrap_or_default(),
        bad_rows: desk
            .field(&fields, "bad_rows", |desk, node| {
                desk.choice(node, &[("reject", OnBadRow::Reject), ("skip-row", OnBadRow::SkipRow)])
            })
            .unwrap_or_default(),
        checks: desk.field(&fields, "checks", checks).unwrap_or_default(),
        integrations: desk
            .field(&fields, "integrations", |desk, node| desk.list(node, "[社員マスタ連携]", Desk::text))
            .unwrap_or_default(),
    })
}

fn source(desk: &mut Desk<'_>, node: &Node) -> Option<SourceForm> {
    let later = |key: &str| keys::LATER_SOURCES.contains(&key);
    let fields = desk.fields_but(node, "a source", keys::SOURCE, later)?;
    let mut refused = false;
    for entry in fields.entries.iter().filter(|entry| later(&entry.key)) {
        refused = true;
        let what = format!("the source {} is not in this version", entry.key);
        let fix = "use csv (a file), jsonl (a file of JSON lines) or records (rows kept by renkei, filled by `renkei \
                   records import`)";
        desk.under(&entry.key, |desk| desk.refuse(entry.place, what, fix));
    }
    let named: Vec<_> = fields.entries.iter().filter(|entry| keys::SOURCE.contains(&entry.key.as_str())).collect();
    match named.as_slice() {
        [] if refused => None,
        [] => {
            let fix = "write source: { csv: { path: employees.csv } } or source: { records: {} }";
            desk.refuse(node.place, "the source names no kind", fix);
            None
        }
        [one] if one.key == "records" => {
            desk.under("records", |desk| records_source(desk, &one.value)).map(SourceForm::Records)
        }
        [one] if one.key == "jsonl" => {
            desk.under("jsonl", |desk| jsonl_source(desk, &one.value)).map(SourceForm::Jsonl)
        }
        [one] => desk.under("csv", |desk| csv_source(desk, &one.value)).map(SourceForm::Csv),
        [_, second, ..] => {
            desk.refuse(second.place, "the source names two kinds", "keep one of them");
            None
        }
    }
}

fn records_source(desk: &mut Desk<'_>, node: &Node) -> Option<RecordsForm> {
    if node.is_null() {
        return Some(RecordsForm::default());
    }
    let fields = desk.fields(node, "records", keys::RECORDS_SOURCE)?;
    Some(RecordsForm { most_rows: desk.field(&fields, "most_rows", Desk::number) })
}

const CHARSETS: &[(&str, SourceCharset)] = &[
    ("auto", SourceCharset::Auto),
    ("utf8", SourceCharset::Utf8),
    ("sjis", SourceCharset::Sjis),
    ("euc-jp", SourceCharset::EucJp),
    ("iso-2022-jp", SourceCharset::Iso2022Jp),
    ("utf16", SourceCharset::Utf16),
];

fn csv_source(desk: &mut Desk<'_>, node: &Node) -> Option<CsvSourceForm> {
    let fields = desk.fields(node, "a csv source", keys::CSV_SOURCE)?;
    Some(CsvSourceForm {
        path: desk.needed(&fields, "path", "path: employees.csv", pattern)?,
        charset: desk.field(&fields, "charset", |desk, node| desk.choice(node, CHARSETS)).unwrap_or_default(),
        delimiter: desk.field(&fields, "delimiter", separator),
        quote: desk.field(&fields, "quote", Desk::text),
        columns: desk
            .field(&fields, "columns", |desk, node| desk.list(node, "[emp_no, name]", Desk::text))
            .unwrap_or_default(),
        max_age: desk.field(&fields, "max_age", Desk::span),
        wait_until: desk.field(&fields, "wait_until", Desk::span),
        completion: desk.field(&fields, "completion", completion),
        most_rows: desk.field(&fields, "most_rows", Desk::number),
    })
}

fn jsonl_source(desk: &mut Desk<'_>, node: &Node) -> Option<JsonlSourceForm> {
    let fields = desk.fields(node, "a jsonl source", keys::JSONL_SOURCE)?;
    Some(JsonlSourceForm {
        path: desk.needed(&fields, "path", "path: employees.jsonl", pattern)?,
        charset: desk.field(&fields, "charset", |desk, node| desk.choice(node, CHARSETS)).unwrap_or_default(),
        columns: desk
            .field(&fields, "columns", |desk, node| desk.list(node, "[emp_no, name]", Desk::text))
            .unwrap_or_default(),
        max_age: desk.field(&fields, "max_age", Desk::span),
        wait_until: desk.field(&fields, "wait_until", Desk::span),
        completion: desk.field(&fields, "completion", completion),
        most_rows: desk.field(&fields, "most_rows", Desk::number),
    })
}

/// A tab between double quotes is a tab; the form has it as `\t`.
fn separator(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let text = desk.text(node)?;
    Some(if text == "\t" { "\\t".to_owned() } else { text })
}

fn pattern(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let text = desk.text(node)?;
    match desk.base.complete_pattern(&text) {
        Ok(path) => Some(path),
        Err((what, fix)) => {
            desk.refuse(node.place, what, fix);
            None
        }
    }
}

/// `{path}.done` stands beside the file whatever its folder.
fn completion(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let text = desk.text(node)?;
    if text.starts_with("{path}") {
        return Some(text);
    }
    desk.file(node)
}

fn condition(desk: &mut Desk<'_>, node: &Node) -> Option<Condition> {
    let fields = desk.fields(node, "a condition", keys::CONDITION_OF_ROWS)?;
    let field = desk.needed(&fields, "field", "field: 在籍", Desk::text);
    let condition = Condition {
        field: field.clone().unwrap_or_default(),
        is: desk.field(&fields, "is", Desk::text),
        is_not: desk.field(&fields, "is_not", Desk::text),
        one_of: desk.field(&fields, "in", |desk, node| desk.list(node, "[\"1\", \"2\"]", Desk::text)),
        empty: desk.field(&fields, "empty", Desk::flag),
    };
    field.map(|_| condition)
}

fn order_by(desk: &mut Desk<'_>, node: &Node) -> Option<OrderBy> {
    let fields = desk.fields(node, "an order", keys::ORDER_BY)?;
    Some(OrderBy {
        header: desk.needed(&fields, "header", "header: 社員コード", Desk::text)?,
        numeric: desk.field(&fields, "numeric", Desk::flag).unwrap_or_default(),
        descending: desk.field(&fields, "descending", Desk::flag).unwrap_or_default(),
    })
}

fn checks(desk: &mut Desk<'_>, node: &Node) -> Option<Checks> {
    let fields = desk.fields(node, "the checks", keys::CHECKS)?;
    let default = Checks::default();
    let mut check = |key, default| {
        desk.field(&fields, key, |desk, node| desk.choice(node, &[("fail", OnTrip::Fail), ("hold", OnTrip::Hold)]))
            .unwrap_or(default)
    };
    Some(Checks {
        empty: check("empty", default.empty),
        duplicate_keys: check("duplicate_keys", default.duplicate_keys),
        missing_column: check("missing_column", default.missing_column),
    })
}
