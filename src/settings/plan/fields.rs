//! An entity as a list of fields that people may see: paths and masked texts. Nothing secret comes out of this file.

use super::FieldChange;
use crate::domain::secret::{MASK, Part, SecretText, names_a_secret};
use crate::settings::secrets::{header_pieces, proxy_pieces};
use serde_json::Value;

/// A field: what is compared, and what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    path: String,
    /// The value as stored; never shown.
    value: Value,
    shown: String,
}

impl Field {
    /// The fields of an entity's written form, in order.
    pub(super) fn of(entity: &Value) -> Vec<Self> {
        let mut fields = Vec::new();
        walk("", entity, &mut fields);
        fields
    }
}

/// What differs, in the order of the new fields; what is gone comes last.
pub(super) fn difference(old: &[Field], new: &[Field]) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for field in new {
        let before = old.iter().find(|before| before.path == field.path);
        if before.is_some_and(|before| before.value == field.value) {
            continue;
        }
        let mut shown = field.shown.clone();
        if before.is_some_and(|before| before.shown == shown) {
            shown.push_str(" (another value)");
        }
        let old = before.map(|before| before.shown.clone());
        changes.push(FieldChange { path: field.path.clone(), old, new: Some(shown) });
    }
    for field in old.iter().filter(|field| !new.iter().any(|after| after.path == field.path)) {
        changes.push(FieldChange { path: field.path.clone(), old: Some(field.shown.clone()), new: None });
    }
    changes
}

fn walk(path: &str, value: &Value, fields: &mut Vec<Field>) {
    let below = |key: &str| match path {
        "" => plain(key),
        path => format!("{path}.{}", plain(key)),
    };
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let path = below(key);
                match value.as_str().filter(|_| holds_secrets(&path)) {
                    Some(text) => fields.push(secret(path, key, text)),
                    None => walk(&path, value, fields),
                }
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let titles: Vec<String> = items.iter().enumerate().map(|(index, item)| title(index, item)).collect();
            // Rows with a title are compared by it, so that one more in front does not change all others.
            fields.push(Field {
                path: path.to_owned(),
                value: titles.iter().map(String::as_str).collect(),
                shown: format!("[{}]", titles.join(", ")),
            });
            for (title, item) in titles.iter().zip(items) {
                walk_row(&format!("{path}[{title}]"), item, fields);
            }
        }
        _ => fields.push(Field { path: path.to_owned(), value: value.clone(), shown: shown(value) }),
    }
}

/// Where references and sealed texts stand.
fn holds_secrets(path: &str) -> bool {
    path.starts_with("headers.") || path.starts_with("confirm.headers.") || path == "route.proxy" || path == "ping"
}

/// A row without the header that its path says already.
fn walk_row(path: &str, item: &Value, fields: &mut Vec<Field>) {
    match item {
        Value::Object(entries) => {
            for (key, value) in entries.iter().filter(|(key, _)| *key != "header") {
                walk(&format!("{path}.{}", plain(key)), value, fields);
            }
        }
        other => walk(path, other, fields),
    }
}

fn title(index: usize, item: &Value) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match (text("header").or(text("on")), text("from"), text("to")) {
        (Some(one), _, _) => plain(one),
        (None, Some(from), Some(to)) => plain(&format!("{from} to {to}")),
        _ => index.to_string(),
    }
}

fn secret(path: String, key: &str, notation: &str) -> Field {
    let value = Value::String(notation.to_owned());
    let Ok(text) = SecretText::parse(notation) else {
        return Field { path, value, shown: MASK.to_owned() };
    };
    let pieces = if path == "route.proxy" {
        proxy_pieces(&text)
    } else if path == "ping" {
        // An address by which anybody could play the daemon.
        text.parts().iter().map(|part| (part.clone(), true)).collect()
    } else if names_a_secret(key) {
        header_pieces(&text)
    } else {
        text.parts().iter().map(|part| (part.clone(), false)).collect()
    };
    let shown = pieces.iter().map(|(part, secret)| match part {
        Part::Literal(_) if *secret => MASK.to_owned(),
        part => SecretText::from_parts(vec![part.clone()]).to_string(),
    });
    let shown = plain(&shown.collect::<String>());
    Field { path, value, shown }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => plain(text),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// A text in one line that does nothing to a terminal.
fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
