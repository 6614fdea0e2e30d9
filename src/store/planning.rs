//! Slots into runs: what the decision `plan` rests on is read (`snapshot`), and what it decides is written (`writing`),
//! both in the transaction that moves the timers' cursors. So a slot is never lost and never doubled, whenever a
//! process ends.

mod snapshot;
mod targets;
mod writing;

pub(super) use targets::{LastTargets, Targets};

use super::row::Columns;
use super::settings::{self, StoredTimer};
use super::{Store, StoreResult, Transaction, millis};
use crate::domain::calendar::Calendar;
use crate::domain::plan::{look_again, next_slot, plan};
use crate::domain::timer::Timer;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// How many timers one transaction plans, so that others need not wait long for the writer.
const TIMERS_AT_ONCE: u32 = 2_000;

/// Accounts for the slots of timers up to now, under the settings as they stand, and moves their cursors; a leader that
/// is due comes before its followers. A cursor never goes back, whatever the wall clock does: the slots before it
/// have had their fate. Gives the number of runs that were queued.
pub(super) async fn account(
    tx: &mut Transaction,
    timers: Vec<StoredTimer>,
    targets: &Targets,
    zone: Tz,
    now: DateTime<Utc>,
) -> StoreResult<u32> {
    let timers = snapshot::with_due_leaders(tx, timers, now).await?;
    let snapshot = snapshot::read(tx, &timers, targets, zone).await?;
    let plans = plan(&snapshot, &targets.calendar, now);
    writing::write(tx, &timers, &plans, targets, zone, now).await
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
    let Some(at) = next_slot(&stored.timer, stored.timer.zone(zone), calendars.0, cursor) else { return Ok(()) };
    let before = at - TimeDelta::seconds(1);
    if new.and_then(|new| next_slot(new, new.zone(zone), calendars.1, before)) == Some(at) {
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

/// When the planner has to look at a timer again; what stands in its row.
pub(super) fn next_at(timer: &Timer, zone: Tz, calendar: &Calendar, cursor: DateTime<Utc>) -> Option<DateTime<Utc>> {
    look_again(timer, timer.zone(zone), calendar, cursor)
}

impl Store {
    /// Plans every timer whose next slot has come and gives the number of runs that were queued.
    pub async fn plan_due(&self, zone: Tz, now: DateTime<Utc>) -> StoreResult<u32> {
        let mut planned = 0;
        loop {
            let mut tx = self.write().await?;
            let due = settings::due_timers(&mut tx, now, TIMERS_AT_ONCE).await?;
            let is_last = due.len() < TIMERS_AT_ONCE as usize;
            if !due.is_empty() {
                let targets = Targets::read_again(&mut tx, &self.targets).await?;
                planned += account(&mut tx, due, &targets, zone, now).await?;
                tx.commit().await?;
            }
            if is_last {
                return Ok(planned);
            }
        }
    }

    /// Computes every timer's next slot anew from its cursor and says how many were another: a daemon asks for it as it
    /// starts, since the default zone, the zones' data or the rules of schedules may have changed while none ran.
    pub async fn realign_timers(&self, zone: Tz) -> StoreResult<u32> {
        let mut tx = self.write().await?;
        let calendar = super::calendar::load(&mut tx).await?;
        let mut moved = 0;
        for stored in settings::timers(&mut tx).await? {
            let next = next_at(&stored.timer, zone, &calendar, stored.cursor_at);
            if next != stored.next_at {
                sqlx::query("UPDATE timers SET next_at = $1, rules_from = cursor_at WHERE id = $2")
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
}
