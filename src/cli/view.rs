//! Runs as JSON: the form that others rely on. Times are RFC 3339 with the offset of the configured zone.

use crate::domain::statement::Occurrence;
use crate::store::runs::RunDetail;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A run with its files and history.
pub(super) fn run(detail: &RunDetail, zone: Tz) -> Value {
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

/// A line of the ledger.
pub(super) fn occurrence(slot: &Occurrence, zone: Tz) -> Value {
    json!({
        "scheduled_at": local(slot.scheduled_at, zone), "first_at": local(slot.first_at, zone), "slots": slot.slots,
        "state": slot.state, "reason": slot.reason, "run": slot.run, "run_state": slot.run_state,
        "started_at": slot.started_at.map(|at| local(at, zone)),
        "late_seconds": slot.lateness().map(|late| late.num_seconds()),
    })
}

/// A run's history.
pub(super) fn events(detail: &RunDetail, zone: Tz) -> Vec<Value> {
    let event = |event: &crate::store::runs::Event| json!({ "at": local(event.at, zone), "kind": event.kind, "text": event.text });
    detail.events.iter().map(event).collect()
}

/// An instant with the zone's offset.
pub(super) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
