//! Slots into runs: the ledger of occurrences. A slot's row and its run are inserted in the transaction that moves the
//! timer's cursor, so that a slot is never lost and never doubled, whenever a process ends.

use super::row::Columns;
use super::runs::{self, NewRun};
use super::settings::{self, Settings, StoredTimer};
use super::{Store, StoreResult, Transaction, millis};
use crate::domain::calendar::Calendar;
use crate::domain::plan::{LATE, Slot, plan};
use crate::domain::run::{SkipReason, SlotState, Trigger};
use crate::domain::timer::{Misfire, Overlap, Timer};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// How many timers one transaction plans, so that others need not wait long for the writer.
const TIMERS_AT_ONCE: u32 = 200;

/// What became of one slot, or of several that share a fate (起動予定・結果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When it was due; the last one where the row stands for several.
    pub scheduled_at: DateTime<Utc>,
    /// The first slot that the row stands for.
    pub first_at: DateTime<Utc>,
    /// How many slots the row stands for.
    pub slots: u64,
    /// What became of it.
    pub state: SlotState,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// Its run.
    pub run: Option<String>,
}

/// Accounts for the slots of a timer up to now, under the definition that is given, and moves its cursor. The cursor
/// never goes back, whatever the wall clock does: the slots before it have had their fate.
pub(super) async fn account(
    tx: &mut Transaction,
    stored: &StoredTimer,
    targets: &Settings,
    zone: Tz,
    now: DateTime<Utc>,
) -> StoreResult<u32> {
    let timer = &stored.timer;
    let plan = plan(timer, timer.zone(zone), &targets.calendar, stored.cursor_at, now);
    let mut planned = 0;
    for slot in &plan.slots {
        let skipped = match slot.skipped {
            Some(reason) => Some(reason),
            None => match run_of(stored, targets, slot) {
                None => Some(SkipReason::Settings),
                Some(new) => match overlap(tx, stored, &new, slot, now).await? {
                    Some(reason) => Some(reason),
                    None => {
                        let day = now.with_timezone(&zone).date_naive();
                        let (seq, _) = runs::insert(tx, &new, day, now).await?;
                        occur(tx, timer.id(), slot, SlotState::Planned, None, Some(seq), now).await?;
                        planned += 1;
                        continue;
                    }
                },
            },
        };
        occur(tx, timer.id(), slot, SlotState::Skipped, skipped, None, now).await?;
    }
    let changed = sqlx::query("UPDATE timers SET cursor_at = $1, next_at = $2 WHERE id = $3 AND cursor_at = $4")
        .bind(millis(stored.cursor_at.max(now)))
        .bind(plan.next.map(millis))
        .bind(timer.id())
        .bind(millis(stored.cursor_at))
        .execute(&mut **tx)
        .await?;
    if changed.rows_affected() == 1 {
        return Ok(planned);
    }
    Err(super::StoreError::Conflict(format!("timer {:?} was planned by somebody else meanwhile", timer.name())))
}

fn run_of(stored: &StoredTimer, targets: &Settings, slot: &Slot) -> Option<NewRun> {
    let form = stored.timer.form();
    let (menu, integration) = (targets.menu(&form.menu)?, targets.integration(&form.integration)?);
    Some(NewRun {
        menu: (menu.id().to_owned(), menu.name().to_owned()),
        integration: (integration.id().to_owned(), integration.name().to_owned()),
        timer: Some((stored.timer.id().to_owned(), stored.timer.name().to_owned())),
        account: integration.account().clone(),
        settings_version: targets.version,
        trigger: Trigger::Timer,
        actor: stored.set_by.clone(),
        memo: None,
        priority: form.priority,
        scheduled_at: Some(slot.at),
        wanted_keys: None,
        retry_of: None,
        forced: false,
        only_failed: false,
    })
}

/// Whether an open run of the same menu and integration stands in the slot's way. A held run is no overlap. Slots that
/// are caught up one by one (`misfire: all`) queue behind each other.
async fn overlap(
    tx: &mut Transaction,
    stored: &StoredTimer,
    new: &NewRun,
    slot: &Slot,
    now: DateTime<Utc>,
) -> StoreResult<Option<SkipReason>> {
    let form = stored.timer.form();
    if form.misfire == Misfire::All && now - slot.at >= LATE {
        return Ok(None);
    }
    let row = sqlx::query(
        "SELECT CAST(COUNT(*) AS BIGINT) AS open, \
         CAST(COALESCE(SUM(CASE WHEN state IN ('queued', 'waiting') THEN 1 ELSE 0 END), 0) AS BIGINT) AS queued \
         FROM runs WHERE menu_id = $1 AND integration_id = $2 AND finished_at IS NULL \
         AND state IN ('queued', 'running', 'waiting', 'confirming')",
    )
    .bind(&new.menu.0)
    .bind(&new.integration.0)
    .fetch_one(&mut **tx)
    .await?;
    let (open, queued) = (row.number("open")?, row.number("queued")?);
    Ok(match form.overlap {
        Overlap::Skip if open > 0 => Some(SkipReason::Overlap),
        Overlap::QueueOne if queued > 0 => Some(SkipReason::AlreadyQueued),
        _ => None,
    })
}

/// Writes a slot's row. A slot that was superseded may come back when the timer is edited again; nothing else changes.
async fn occur(
    tx: &mut Transaction,
    timer: &str,
    slot: &Slot,
    state: SlotState,
    reason: Option<SkipReason>,
    run: Option<i64>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    if slot.count > 1 {
        // The row counts every slot of its span: one that had been superseded in there would be counted twice.
        sqlx::query(
            "DELETE FROM occurrences WHERE timer_id = $1 AND scheduled_at >= $2 AND scheduled_at < $3 AND state = 'superseded'",
        )
        .bind(timer)
        .bind(millis(slot.first))
        .bind(millis(slot.at))
        .execute(&mut **tx)
        .await?;
    }
    let changed = sqlx::query(
        "INSERT INTO occurrences (timer_id, scheduled_at, state, reason, slots, first_at, run_seq, noted_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (timer_id, scheduled_at) DO UPDATE SET \
         state = excluded.state, reason = excluded.reason, slots = excluded.slots, first_at = excluded.first_at, \
         run_seq = excluded.run_seq, noted_at = excluded.noted_at WHERE occurrences.state = 'superseded'",
    )
    .bind(timer)
    .bind(millis(slot.at))
    .bind(state.as_str())
    .bind(reason.map(|reason| reason.as_str().to_owned()))
    .bind(i64::try_from(slot.count).unwrap_or(i64::MAX))
    .bind(millis(slot.first))
    .bind(run)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    Err(super::StoreError::Conflict(format!("the slot {} of timer {timer:?} is accounted for already", slot.at)))
}

/// Where the cursor of a timer starts that is saved now: never before a slot that has had its fate, be it that the
/// clock went back or that a timer of this id lived before.
pub(super) async fn cursor_of(
    tx: &mut Transaction,
    timer: &str,
    before: Option<&StoredTimer>,
    now: DateTime<Utc>,
) -> StoreResult<DateTime<Utc>> {
    if let Some(stored) = before {
        return Ok(stored.cursor_at.max(now));
    }
    let last = sqlx::query(
        "SELECT CAST(MAX(scheduled_at) AS BIGINT) AS last FROM occurrences WHERE timer_id = $1 AND state <> 'superseded'",
    )
    .bind(timer)
    .fetch_one(&mut **tx)
    .await?
    .time_or_null("last")?;
    Ok(last.map_or(now, |last| last.max(now)))
}

/// Writes the next slot of a timer as superseded (設定変更により取りやめ) unless its new definition has that slot too. Of the
/// calendars the first held before the change, the second holds after it.
pub(super) async fn supersede(
    tx: &mut Transaction,
    stored: &StoredTimer,
    new: Option<&Timer>,
    zone: Tz,
    calendars: (&Calendar, &Calendar),
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let cursor = stored.cursor_at.max(now);
    let Some(at) = next_slot(&stored.timer, zone, calendars.0, cursor) else { return Ok(()) };
    if new.and_then(|new| next_slot(new, zone, calendars.1, at - TimeDelta::seconds(1))) == Some(at) {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO occurrences (timer_id, scheduled_at, state, first_at, noted_at) VALUES ($1, $2, 'superseded', $3, $4) \
         ON CONFLICT (timer_id, scheduled_at) DO NOTHING",
    )
    .bind(stored.timer.id())
    .bind(millis(at))
    .bind(millis(at))
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The first slot after `cursor` of a timer that is on.
pub(super) fn next_slot(timer: &Timer, zone: Tz, calendar: &Calendar, cursor: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let schedule = timer.form().schedule.as_ref().filter(|_| timer.is_on())?;
    schedule.next_after(timer.zone(zone), calendar, cursor)
}

impl Store {
    /// Plans every timer whose next slot has come and gives the number of runs that were queued.
    pub async fn plan_due(&self, zone: Tz, now: DateTime<Utc>) -> StoreResult<u32> {
        let mut planned = 0;
        let mut known = None;
        loop {
            let mut tx = self.write().await?;
            let due = settings::due_timers(&mut tx, now, TIMERS_AT_ONCE).await?;
            if due.is_empty() {
                return Ok(planned);
            }
            let targets = settings::targets(&mut tx, known).await?;
            for stored in &due {
                planned += account(&mut tx, stored, &targets, zone, now).await?;
            }
            tx.commit().await?;
            known = Some(targets);
        }
    }

    /// Computes every timer's next slot anew from its cursor and says how many were another: a daemon asks for it as it
    /// starts, since the default zone, the zones' data or the rules of schedules may have changed while none ran.
    pub async fn realign_timers(&self, zone: Tz) -> StoreResult<u32> {
        let mut tx = self.write().await?;
        let calendar = super::calendar::load(&mut tx).await?;
        let mut moved = 0;
        for stored in settings::timers(&mut tx).await? {
            let next = next_slot(&stored.timer, zone, &calendar, stored.cursor_at);
            if next != stored.next_at {
                sqlx::query("UPDATE timers SET next_at = $1 WHERE id = $2")
                    .bind(next.map(millis))
                    .bind(stored.timer.id())
                    .execute(&mut *tx)
                    .await?;
                moved += 1;
            }
        }
        tx.commit().await?;
        Ok(moved)
    }

    /// The earliest next slot of all timers.
    pub async fn next_due(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let sql = "SELECT CAST(MIN(next_at) AS BIGINT) AS next_at FROM timers WHERE next_at IS NOT NULL";
        sqlx::query(sql).fetch_one(self.reader()).await?.time_or_null("next_at")
    }

    /// A timer's ledger between two instants, both included, in order of time.
    pub async fn occurrences(
        &self,
        timer: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> StoreResult<Vec<Occurrence>> {
        let rows = sqlx::query(
            "SELECT o.scheduled_at, o.first_at, o.slots, o.state, o.reason, r.id AS run FROM occurrences o \
             LEFT JOIN runs r ON r.seq = o.run_seq WHERE o.timer_id = $1 AND o.scheduled_at >= $2 AND o.first_at <= $3 \
             ORDER BY o.scheduled_at",
        )
        .bind(timer)
        .bind(millis(from))
        .bind(millis(to))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Occurrence {
                    scheduled_at: row.time("scheduled_at")?,
                    first_at: row.time("first_at")?,
                    slots: row.count("slots")?,
                    state: row.word("state")?,
                    reason: row.word_or_null("reason")?,
                    run: row.text_or_null("run")?,
                })
            })
            .collect()
    }
}
