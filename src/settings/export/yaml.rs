//! Writes YAML that people like to read: maps in blocks, short ones and short lists in one line, texts without quotes
//! where no reader of YAML 1.1 or 1.2 could take them for something else.

use serde_json::{Map, Value};

/// The longest flow form of a map or list, in characters.
const SHORT: usize = 96;

/// A list item that is a map, at the first level.
pub(super) fn item(out: &mut String, entity: &Value) {
    let Value::Object(entries) = entity else { return };
    for (index, (key, value)) in entries.iter().enumerate() {
        let lead = if index == 0 { "  - " } else { "    " };
        out.push_str(lead);
        entry(out, key, value, 4);
    }
}

/// A map at the first level.
pub(super) fn map(out: &mut String, entity: &Value) {
    let Value::Object(entries) = entity else { return };
    block(out, entries, 2);
}

/// `key: value`, the cursor standing at the key.
fn entry(out: &mut String, key: &str, value: &Value, indent: usize) {
    out.push_str(&scalar(key));
    out.push(':');
    let tall = matches!(key, "headers");
    match value {
        // The one word that is no text: a reader of YAML 1.1 makes true or false of it, and both are read again.
        Value::String(text) if key == "switch" => out.push_str(&format!(" {text}\n")),
        Value::Object(entries) if !entries.is_empty() && (tall || !is_short(value, indent + key.chars().count())) => {
            out.push('\n');
            block(out, entries, indent + 2);
        }
        Value::Array(items) if !items.is_empty() && !is_short(value, indent + key.chars().count()) => {
            out.push('\n');
            list(out, items, indent + 2);
        }
        other => {
            out.push(' ');
            out.push_str(&flow(other));
            out.push('\n');
        }
    }
}

fn block(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    for (key, value) in entries {
        out.push_str(&" ".repeat(indent));
        entry(out, key, value, indent);
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push_str("- ");
        match item {
            Value::Object(entries) if !entries.is_empty() && !is_short(item, indent) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push_str(&" ".repeat(indent + 2));
                    }
                    entry(out, key, value, indent + 2);
                }
            }
            other => {
                out.push_str(&flow(other));
                out.push('\n');
            }
        }
    }
}

/// Whether a value reads well in one line. A list of maps gets a line each.
fn is_short(value: &Value, before: usize) -> bool {
    let rows = matches!(value, Value::Array(items) if items.iter().any(Value::is_object));
    !rows && before + flow(value).chars().count() <= SHORT
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar_value(text),
        other => other.to_string(),
    }
}

/// A key; `on` of a weekly schedule stays a bare word.
fn scalar(text: &str) -> String {
    if text == "on" { text.to_owned() } else { scalar_value(text) }
}

fn scalar_value(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text may stand without quotes in a flow map, for every reader.
fn is_plain(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '/');
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '・' | '（' | '）');
    // A colon is safe in an address, where no blank follows it.
    let colon = text.match_indices(':').all(|(at, _)| text[at + 1..].starts_with("//"));
    // Words of YAML 1.1 and 1.2 that are no texts; also hexadecimal-looking and exponent-looking numbers start with a
    // digit and are quoted for that.
    let taken = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    // Lengths of time, such as 26h, are what people write most.
    let span = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['s', 'm', 'h', 'd'])
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"smhd".contains(&byte));
    if span {
        return true;
    }
    first && colon && text.chars().all(|c| word(c) || c == ':') && !taken.contains(&text.to_lowercase().as_str())
}

/// In double quotes, with what YAML does not print escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
