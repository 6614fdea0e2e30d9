//! The reconciler: every minute it holds the ledger of slots against the schedules and says what does not fit, once. It
//! repairs nothing: what does not fit is a fault of the program or of somebody's hand, and a person has to know.

use super::Engine;
use crate::domain::gate::{Gate, gate};
use crate::domain::statement::{Book, Finding, FindingKey, FindingKind, Judgement, Statement, judge};
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tracing::{error, info};

/// How far the statement looks back.
const WINDOW: TimeDelta = TimeDelta::hours(48);
/// About how many slots of one timer the statement looks at; the newest ones of a timer that runs more often.
const MOST_SLOTS: usize = 300;
/// A run that is queued for longer, and that nothing keeps, is forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::days(1);

/// What has been told already.
#[derive(Debug, Default)]
pub struct Told(Mutex<BTreeSet<FindingKey>>);

/// The statement over the last two days, as readiness, doctor and the log have it.
///
/// # Errors
/// The database could not be asked.
pub async fn statement(engine: &Engine) -> Result<Statement, StoreError> {
    statement_of(&engine.store, engine.config.timezone, engine.clock.now()).await
}

/// The same without the loops.
///
/// # Errors
/// The database could not be asked.
pub async fn statement_of(store: &Store, zone: Tz, now: DateTime<Utc>) -> Result<Statement, StoreError> {
    let mut statement = Statement::default();
    for (_, judgement) in judged(store, zone, now - WINDOW, now, MOST_SLOTS, now).await? {
        statement.add(&judgement);
    }
    statement.findings.extend(strays(store, now).await?);
    Ok(statement)
}

/// Every timer with what was found of it, over the slots in (`from`, `to`].
pub(super) async fn judged(
    store: &Store,
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
    now: DateTime<Utc>,
) -> Result<Vec<(Book, Judgement)>, StoreError> {
    let (books, calendar) = store.books(zone, from, to, most).await?;
    let judge = |book: Book| {
        let judgement = judge(&book, zone, &calendar, now);
        (book, judgement)
    };
    Ok(books.into_iter().map(judge).collect())
}

/// Runs that the ledger does not know, and runs that are queued for no reason.
pub(super) async fn strays(store: &Store, now: DateTime<Utc>) -> Result<Vec<Finding>, StoreError> {
    let mut findings = store.runs_without_slot().await?;
    if store.queued_since().await?.is_some_and(|since| since < now - FORGOTTEN) {
        let busy = !store.busy_lanes().await?.is_empty();
        let candidates = store.candidates(now).await?;
        for candidate in candidates.iter().filter(|one| !busy && gate(&one.conditions, now) == Gate::Open) {
            let run = store.run_by_seq(candidate.seq).await?;
            if run.queued_at < now - FORGOTTEN {
                findings.push(Finding::of_run(FindingKind::Forgotten, run.timer, run.id, run.queued_at));
            }
        }
    }
    Ok(findings)
}

/// What the readiness calls the ledger.
const LEDGER: &str = "ledger";

/// Makes the statement and logs what is new in it.
///
/// # Errors
/// The database could not be asked.
pub async fn step(engine: &Engine, told: &Told) -> Result<Statement, StoreError> {
    let statement = statement(engine).await?;
    let mut told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    let had_findings = !told.is_empty();
    let now_known: BTreeSet<_> = statement.findings.iter().map(Finding::key).collect();
    for finding in &statement.findings {
        if !told.contains(&finding.key()) {
            let timer = finding.timer.as_deref().unwrap_or("-");
            let run = finding.run.as_deref().unwrap_or("-");
            let text = finding.told(engine.config.timezone);
            error!(kind = %finding.kind, timer, run, slots = finding.count, "the ledger does not fit: {text}");
        }
    }
    if had_findings && now_known.is_empty() {
        info!("the ledger fits again: {}", statement.tally);
    }
    match statement.findings.first() {
        None => engine.board.well(LEDGER, engine.clock.now()),
        Some(first) => {
            let count = statement.findings.len();
            let why = format!("{count} findings, the first: {}; see renkei doctor", first.told(engine.config.timezone));
            engine.board.trouble(LEDGER, &why, engine.clock.now());
        }
    }
    *told = now_known;
    Ok(statement)
}
