//! The morning page: gathered here for every door, told once a day to the log and, where `mail.digest` says when, to the
//! administrators. That a day was told stands in the database, so that a restart tells nobody twice and a daemon that
//! comes late still tells.

use super::{Engine, reconciling};
use crate::domain::failure::Code;
use crate::domain::gate::{Gate, gate};
use crate::domain::morning::{Morning, Need, NeedKind, Note, NoteKind, TimerDay};
use crate::domain::run::RunState;
use crate::domain::schedule::first_instant;
use crate::domain::statement::{Book, Judgement, Standing, Statement};
use crate::domain::stop::StopScope;
use crate::report::compose_digest;
use crate::store::outbox::NewMail;
use crate::store::runs::Run;
use crate::store::{Store, StoreError};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use tracing::info;

/// What a page tells of where nobody says another time: every daily slot exactly once, the night included.
pub const DAY: TimeDelta = TimeDelta::hours(24);
/// How long a run that was not made good, and a mail that was given up, is told.
const LOOK_BACK: TimeDelta = TimeDelta::days(7);
/// A longer gap between two mails is not made up for in one.
const LONGEST: TimeDelta = TimeDelta::days(4);
/// When the log has its line of the day where no mail is wished.
const LINE_AT: NaiveTime = NaiveTime::from_hms_opt(8, 30, 0).expect("a time of day");
/// More slots of one timer than anybody reads.
const MOST_SLOTS: usize = 200_000;

/// Gathers the page over the slots in (`from`, `to`]; what needs a person is what stands now.
///
/// # Errors
/// The database could not be asked.
pub async fn gather(
    store: &Store,
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Morning, StoreError> {
    let (mut statement, mut timers) = (Statement::default(), Vec::new());
    for (book, judgement) in reconciling::judged(store, zone, from, to, MOST_SLOTS, now).await? {
        statement.add(&judgement);
        timers.push(day_of(&book, judgement, zone));
    }
    statement.findings.extend(reconciling::strays(store, now).await?);
    let date = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive() - TimeDelta::days(1);
    let (by_hand, by_hand_good) = store.runs_by_hand(date(from), from, to).await?;
    let at_rest = store.runs_at_rest().await?;
    let not_good = store.runs_not_made_good(date(now - LOOK_BACK)).await?;
    let mut needs = ledger_needs(&statement, zone);
    needs.extend(at_rest.iter().filter(|run| run.state == RunState::Held).map(|run| need(NeedKind::Held, run)));
    needs.extend(not_made_good(not_good));
    needs.extend(pauses(store).await?);
    for mail in store.lost_mails(now - LOOK_BACK).await? {
        needs.push(Need {
            kind: NeedKind::Mail,
            about: mail.subject,
            run: None,
            since: mail.created_at,
            count: 1,
            detail: mail.error,
        });
    }
    needs.sort_by_key(|need| (need.kind, need.since));
    let notes = notes(store, &at_rest, now).await?;
    Ok(Morning { from, to, statement, timers, by_hand, by_hand_good, needs, notes })
}

fn day_of(book: &Book, judgement: Judgement, zone: Tz) -> TimerDay {
    let mut states: BTreeMap<RunState, u64> = BTreeMap::new();
    for state in book.rows.iter().filter_map(|row| row.run_state) {
        *states.entry(state).or_default() += 1;
    }
    TimerDay {
        name: book.timer.name().to_owned(),
        standing: judgement.standing,
        switched_at: book.switched_at,
        on_again: book.timer.on_again_at(zone),
        next: book.next_at.filter(|_| book.timer.is_on()),
        tally: judgement.tally,
        reasons: judgement.reasons,
        states,
        last: book.rows.last().cloned(),
    }
}

fn ledger_needs(statement: &Statement, zone: Tz) -> Vec<Need> {
    let need = |finding: &crate::domain::statement::Finding| Need {
        kind: NeedKind::Ledger,
        about: finding.timer.clone().or_else(|| finding.run.clone()).unwrap_or_default(),
        run: finding.run.clone(),
        since: finding.first,
        count: finding.count,
        detail: finding.told(zone),
    };
    statement.findings.iter().map(need).collect()
}

fn need(kind: NeedKind, run: &Run) -> Need {
    let detail = run.failure.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message));
    Need {
        kind,
        about: format!("{} → {}", run.menu, run.integration),
        run: Some(run.id.clone()),
        since: run.finished_at.or(run.started_at).unwrap_or(run.queued_at),
        count: 1,
        detail: detail.unwrap_or_default(),
    }
}

/// One need for each menu and integration and kind, about its newest run. What was skipped behind a leader is not told
/// beside the leader.
fn not_made_good(runs: Vec<Run>) -> Vec<Need> {
    let mut needs: BTreeMap<(String, String, NeedKind), Need> = BTreeMap::new();
    for run in runs {
        let code = run.failure.as_ref().map(|failure| failure.code);
        let kind = match run.state {
            RunState::Unknown => NeedKind::Unknown,
            RunState::Partial => NeedKind::Partial,
            RunState::Failed => NeedKind::Failed,
            _ if code == Some(Code::TooLate) => NeedKind::TooLate,
            _ => continue,
        };
        let key = (run.menu_id.clone(), run.integration_id.clone(), kind);
        needs.entry(key).and_modify(|need| need.count += 1).or_insert_with(|| need(kind, &run));
    }
    needs.into_values().collect()
}

async fn pauses(store: &Store) -> Result<Vec<Need>, StoreError> {
    let pauses = store.pauses().await?;
    let mut needs = Vec::with_capacity(pauses.len());
    for pause in pauses {
        let name = store.integration_name(&pause.integration).await?.unwrap_or(pause.integration);
        needs.push(Need {
            kind: NeedKind::Paused,
            about: name,
            run: None,
            since: pause.since,
            count: 1,
            detail: pause.reason,
        });
    }
    Ok(needs)
}

async fn notes(store: &Store, at_rest: &[Run], now: DateTime<Utc>) -> Result<Vec<Note>, StoreError> {
    let mut notes = Vec::new();
    for stored in store.stops(now).await?.into_iter().filter(|stored| stored.stop.covers(now)) {
        let about = match stored.stop.scope {
            StopScope::All => "all".to_owned(),
            StopScope::Account(account) => account.as_str().to_owned(),
            StopScope::Timer(id) => id,
        };
        notes.push(Note { kind: NoteKind::Stop, about, until: Some(stored.stop.until), detail: stored.reason });
    }
    for run in at_rest.iter().filter(|run| run.state == RunState::Waiting) {
        let need = need(NeedKind::Failed, run);
        notes.push(Note { kind: NoteKind::Waiting, about: run.id.clone(), until: run.resume_at, detail: need.detail });
    }
    if at_rest.iter().any(|run| run.state == RunState::Queued) {
        for candidate in store.candidates(now).await? {
            let Gate::Waits(obstacle) = gate(&candidate.conditions, now) else { continue };
            let Some(run) = at_rest.iter().find(|run| run.seq == candidate.seq) else { continue };
            let detail = obstacle.to_string();
            notes.push(Note { kind: NoteKind::Queued, about: run.id.clone(), until: None, detail });
        }
    }
    Ok(notes)
}

/// Tells the page of the day, if its time has come and it was not told; says whether it was.
///
/// # Errors
/// The database could not be asked or written; the page is told later then.
pub async fn step(engine: &Engine) -> Result<bool, StoreError> {
    let (now, zone) = (engine.clock.now(), engine.config.timezone);
    let day = now.with_timezone(&zone).date_naive();
    let mail = engine.config.mail.as_ref().filter(|mail| mail.digest.is_some());
    let time = mail.and_then(|mail| mail.digest).map_or(LINE_AT, |time| time.local());
    if first_instant(zone, day.and_time(time)).is_none_or(|at| now < at) {
        return Ok(false);
    }
    let last = engine.store.last_morning().await?;
    if last.is_some_and(|(last, _)| last >= day) {
        return Ok(false);
    }
    // From where the last page ended, so that no slot falls between two of them.
    let from = last.map(|(_, to)| to).filter(|to| *to < now && *to > now - LONGEST).unwrap_or(now - DAY);
    let morning = gather(&engine.store, zone, from, now, now).await?;
    let letter = mail.map(|mail| {
        let letter = compose_digest(&morning, engine.config.locale, zone);
        let host = mail.from.rsplit_once('@').map_or("renkei", |(_, host)| host);
        NewMail {
            message_id: format!("morning-{day}@{host}"),
            recipients: mail.administrators.clone(),
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
        }
    });
    if !engine.store.tell_morning(day, from, now, letter.as_ref(), now).await? {
        return Ok(false);
    }
    let tally = morning.statement.tally;
    info!(
        due = tally.due,
        run = tally.run,
        skipped = tally.skipped,
        superseded = tally.superseded,
        unexplained = tally.unexplained,
        ended = tally.ended,
        open = tally.open,
        good = tally.good,
        needs = morning.needs.len(),
        timers_off = morning.statement.timers(Standing::Off),
        "the day's slots: {tally}"
    );
    engine.bells.outbox.notify_one();
    Ok(true)
}
