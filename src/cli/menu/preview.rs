//! `renkei menu preview`: the first rows as they would be sent, and what a run would do with the whole list.

use super::super::session::Session;
use super::super::{BAD, GOOD, output};
use super::{look, rows_of, scratch};
use crate::domain::run::RunState;
use crate::engine::outlook::{Outlook, outlook};
use crate::export::Preview;
use serde_json::{Value, json};

/// Ends with 0 if a run would reach its first request.
pub(super) async fn run(
    session: &Session,
    name: &str,
    integration: Option<&str>,
    n: usize,
    as_json: bool,
) -> anyhow::Result<u8> {
    let (form, context) = look(session, name, integration).await?;
    let found = outlook(&session.app.store, form, &context, n, &scratch(session, "preview")).await?;
    if as_json {
        output::json(&json(&found))?;
    } else {
        if let Some(preview) = &found.preview {
            show(preview);
        }
        tell(&found);
    }
    Ok(if found.would_go() { GOOD } else { BAD })
}

fn json(found: &Outlook) -> Value {
    let preview = found.preview.clone().unwrap_or_default();
    let rows: Vec<Value> = preview
        .rows
        .iter()
        .map(|row| json!({ "line": row.line, "values": row.values, "sent": row.is_sent, "faults": row.faults }))
        .collect();
    json!({
        "headers": preview.headers, "rows": rows, "more": preview.more,
        "run": {
            "would_go": found.would_go(), "state": found.state, "records": found.records, "bytes": found.bytes,
            "files": found.files, "substituted": found.substituted_total, "error": found.failure,
        },
    })
}

fn show(preview: &Preview) {
    output::grid(&preview.headers, preview.rows.iter().map(|row| row.values.as_slice()));
    if preview.more {
        output::line("…");
    }
}

/// What a run would do, on standard error, so that the rows alone are on standard output.
fn tell(found: &Outlook) {
    let sent = format!("{} records in {} file(s), {} bytes", found.records, found.files, found.bytes);
    let reason = found
        .failure
        .as_ref()
        .map_or_else(String::new, |failure| format!("{failure}{}", rows_of(&failure.rows, failure.rows_total)));
    output::aside(match found.state {
        RunState::Accepted => format!("a run would send {sent}"),
        RunState::Partial => format!("a run would send {sent}, and end partial: {reason}"),
        RunState::Held => format!("a run would be held, until somebody approves {sent}: {reason}"),
        _ => format!("a run would fail before its first request: {reason}"),
    });
    if found.substituted_total > 0 {
        let rows = rows_of(&found.substituted, found.substituted_total);
        output::aside(format!("{} rows would be sent with a mark for a letter:{rows}", found.substituted_total));
    }
}
