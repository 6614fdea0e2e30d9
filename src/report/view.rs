//! Runs as JSON: the form that others rely on, in the command line and in webhooks. Times are RFC 3339 with the offset of the configured zone.

use crate::domain::failure::Failure;
use crate::domain::run::RunState;
use crate::store::runs::RunDetail;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A run with its files and history.
#[must_use]
pub fn run(detail: &RunDetail, zone: Tz) -> Value {
    let run = &detail.run;
    let time = |at: Option<DateTime<Utc>>| at.map(|at| local(at, zone));
    let batches: Vec<Value> = detail
        .batches
        .iter()
        .map(|batch| {
            let attempts: Vec<_> = detail.attempts.iter().filter(|attempt| attempt.batch == batch.number).collect();
            json!({
                "number": batch.number,
                "records": batch.records,
                "bytes": batch.bytes,
                "sha256": batch.sha256,
                "state": batch.state,
                "http_status": attempts.iter().rev().find_map(|attempt| attempt.http_status),
                "attempts": attempts.len(),
            })
        })
        .collect();
    json!({
        "id": run.id,
        "menu": run.menu,
        "integration": run.integration,
        "timer": run.timer,
        "trigger": run.trigger,
        "actor": run.actor,
        "memo": run.memo,
        "state": run.state,
        "scheduled_at": time(run.scheduled_at),
        "started_at": time(run.started_at),
        "finished_at": time(run.finished_at),
        "resume_at": time(run.resume_at),
        "records": run.records,
        "skipped_rows": run.skipped_rows,
        "bytes": run.bytes,
        "source": run.source,
        "settings_version": run.settings_version,
        "batches": batches,
        "error": run.failure,
        "retry_of": run.retry_of,
        "events": events(detail, zone),
    })
}

/// A run's history.
#[must_use]
pub fn events(detail: &RunDetail, zone: Tz) -> Vec<Value> {
    let event = |event: &crate::store::runs::Event| json!({ "at": local(event.at, zone), "kind": event.kind, "text": event.text });
    detail.events.iter().map(event).collect()
}

/// A run as it leaves the house: in state `state` for the reason `failure`, without what could hold a record's key or
/// value, which are its events and what is said of single rows.
#[must_use]
pub fn outside(detail: &RunDetail, state: RunState, failure: Option<&Failure>, now: DateTime<Utc>, zone: Tz) -> Value {
    let mut detail = detail.clone();
    detail.run.state = state;
    detail.run.finished_at = state.is_ended().then_some(now);
    let mut value = run(&detail, zone);
    if let Value::Object(entries) = &mut value {
        entries.remove("events");
        entries.insert("error".to_owned(), failure.map_or(Value::Null, error_outside));
    }
    value
}

fn error_outside(failure: &Failure) -> Value {
    if failure.rows.is_empty() {
        return json!({ "code": failure.code, "message": failure.message });
    }
    json!({ "code": failure.code, "message": failure.code.meaning().trim(), "rows_total": failure.rows_total })
}

/// An instant with the zone's offset.
#[must_use]
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
