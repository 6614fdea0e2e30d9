//! Runs as JSON: the form that others rely on, in the command line and in webhooks. Times are RFC 3339 with the offset of the configured zone.

use crate::domain::failure::{Failure, RowFault};
use crate::domain::run::{RunState, Trigger};
use crate::domain::statement::Occurrence;
use crate::store::confirmations::Confirmation;
use crate::store::runs::{Run, RunDetail};
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
                "confirmation": detail.confirmations.iter().find(|one| one.batch == batch.number).map(|one| confirmation(one, zone)),
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
        "imported": detail.imported(),
        "bytes": run.bytes,
        "source": run.source,
        "settings_version": run.settings_version,
        "batches": batches,
        "error": run.failure.as_ref().map(error),
        "retry_of": run.retry_of,
        "events": events(detail, zone),
    })
}

/// Why a run is not good, as JSON; nothing is left out, and a row's reason is a sentence.
fn error(failure: &Failure) -> Value {
    let mut error = json!({ "code": failure.code, "message": failure.message });
    if !failure.rows.is_empty() {
        error["rows"] = failure.rows.iter().map(row_fault).collect();
        error["rows_total"] = failure.rows_total.into();
    }
    error
}

/// What is wrong with a row, as JSON.
#[must_use]
pub fn row_fault(row: &RowFault) -> Value {
    json!({ "key": row.name(), "line": row.line, "column": row.column, "reason": row.reason.to_string() })
}

/// Who caused a run, in a word for a list: a timer by its name, else the person.
#[must_use]
pub fn by(run: &Run) -> String {
    match (run.trigger, &run.timer) {
        (Trigger::Timer, Some(timer)) => timer.clone(),
        (Trigger::Retry, _) => format!("{} (retry)", run.actor),
        _ => run.actor.clone(),
    }
}

/// When a run was due: a timer's at its slot, a person's when it was asked for.
#[must_use]
pub fn due(run: &Run) -> DateTime<Utc> {
    run.scheduled_at.filter(|_| run.trigger == Trigger::Timer).unwrap_or(run.queued_at)
}

/// What becomes of a batch's import.
fn confirmation(one: &Confirmation, zone: Tz) -> Value {
    let finding = one.finding.as_ref();
    json!({
        "outcome": finding.map(|finding| finding.outcome),
        "imported": finding.map(|finding| finding.imported),
        "asked": one.asked,
        "next_at": one.next_at.map(|at| local(at, zone)),
        "until_at": local(one.until_at, zone),
        "http_status": one.http_status,
        "note": one.note,
    })
}

/// A line of the ledger.
pub fn occurrence(slot: &Occurrence, zone: Tz) -> Value {
    json!({
        "scheduled_at": local(slot.scheduled_at, zone), "first_at": local(slot.first_at, zone), "slots": slot.slots,
        "state": slot.state, "reason": slot.reason, "run": slot.run, "run_state": slot.run_state,
        "started_at": slot.started_at.map(|at| local(at, zone)),
        "late_seconds": slot.lateness().map(|late| late.num_seconds()),
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
        let batches = entries.get_mut("batches").and_then(Value::as_array_mut);
        for confirmation in batches.into_iter().flatten().filter_map(|batch| batch["confirmation"].as_object_mut()) {
            // It quotes what the receiver said.
            confirmation.remove("note");
        }
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
