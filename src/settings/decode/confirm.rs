//! `confirm:` of an integration as written.

use super::desk::Desk;
use super::integration::{headers, param, params};
use crate::domain::integration::confirm::{
    Condition, ConfirmForm, Method, Pointer, RowsForm, usual_interval, usual_limit,
};
use crate::settings::keys;
use crate::yaml::{Fields, Node, Value as Tree};

/// Reads how the import is asked after. What is missing or wrong is told, and stands for nothing in the form.
pub(super) fn confirm(desk: &mut Desk<'_>, node: &Node) -> Option<ConfirmForm> {
    let fields = desk.fields(node, "confirm", keys::CONFIRM)?;
    let url = desk.needed(&fields, "url", "url: https://DOMAIN/ACCOUNT/…", Desk::text);
    let method =
        desk.field(&fields, "method", |desk, node| desk.choice(node, &[("post", Method::Post), ("get", Method::Get)]));
    let headers = desk.field(&fields, "headers", headers).unwrap_or_default();
    let body = desk.field(&fields, "body", params).unwrap_or_default();
    let id = desk.needed(&fields, "id", "id: /items/importId, say", pointer);
    let finished = desk.field(&fields, "finished", condition);
    let example = "{ at: /items/state, is: completed }, say";
    let success = desk.needed(&fields, "success", &format!("success: {example}"), condition);
    let failure =
        desk.needed(&fields, "failure", &format!("failure: {}", example.replace("completed", "error")), condition);
    let partial = desk.field(&fields, "partial", condition);
    let imported = desk.field(&fields, "imported", pointer);
    let rows = desk.field(&fields, "rows", rows);
    let interval = desk.field(&fields, "interval", Desk::span).unwrap_or_else(usual_interval);
    let limit = desk.field(&fields, "limit", Desk::span).unwrap_or_else(usual_limit);
    Some(ConfirmForm {
        url: url.unwrap_or_default(),
        method: method.unwrap_or_default(),
        headers,
        body,
        id: id.unwrap_or_default(),
        finished,
        success: success.unwrap_or_else(nothing),
        failure: failure.unwrap_or_else(nothing),
        partial,
        imported,
        rows,
        interval,
        limit,
    })
}

/// In the place of a condition that could not be read.
fn nothing() -> Condition {
    Condition { at: Pointer::default(), is: Vec::new() }
}

fn pointer(desk: &mut Desk<'_>, node: &Node) -> Option<Pointer> {
    let text = desk.text(node)?;
    match Pointer::parse(&text) {
        Ok(pointer) => Some(pointer),
        Err(error) => {
            desk.refuse(node.place, error.to_string(), "");
            None
        }
    }
}

fn condition(desk: &mut Desk<'_>, node: &Node) -> Option<Condition> {
    let fields = desk.fields(node, "this", keys::CONDITION)?;
    let at = desk.needed(&fields, "at", "at: /items/state, say", pointer);
    let is = desk.needed(&fields, "is", "is: completed, or is: [done, ok]", |desk, node| match &node.value {
        Tree::List(_) => desk.list(node, "[done, ok]", param),
        _ => param(desk, node).map(|value| vec![value]),
    });
    Some(Condition { at: at.unwrap_or_default(), is: is.unwrap_or_default() })
}

fn rows(desk: &mut Desk<'_>, node: &Node) -> Option<RowsForm> {
    let fields = desk.fields(node, "rows", keys::CONFIRM_ROWS)?;
    let at = desk.needed(&fields, "at", "at: /items/refused, say", pointer);
    let inner = |desk: &mut Desk<'_>, key: &str, fields: &Fields<'_>| desk.field(fields, key, pointer);
    let (key, line) = (inner(desk, "key", &fields), inner(desk, "line", &fields));
    let (column, reason) = (inner(desk, "column", &fields), inner(desk, "reason", &fields));
    Some(RowsForm { at: at.unwrap_or_default(), key, line, column, reason })
}
