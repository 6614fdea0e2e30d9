//! What the decision `plan` came to, as rows: runs, ledger, cursors. Each statement takes many rows, and each checks
//! that nobody else was quicker.

use super::super::people::{AuditEntry, audit};
use super::super::runs::{self, NewRun};
use super::super::settings::{self, StoredTimer};
use super::super::{StoreError, StoreResult, Transaction, bulk, millis};
use super::targets::Targets;
use crate::domain::plan::{Fate, LeaderSlot, Orders, Slot, TimerPlan};
use crate::domain::run::{SkipReason, SlotState, Trigger};
use crate::domain::timer::Switch;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// One slot on its way into the ledger.
struct Line<'p> {
    timer: &'p str,
    slot: Slot,
    skipped: Option<SkipReason>,
    run: Option<i64>,
}

/// The runs of slots: which run a timer's slot got.
type RunOfSlot<'p> = BTreeMap<(&'p str, DateTime<Utc>), i64>;

/// Writes plans and gives the number of runs that were queued.
pub(super) async fn write(
    tx: &mut Transaction,
    timers: &[StoredTimer],
    plans: &[TimerPlan],
    targets: &Targets,
    zone: Tz,
    now: DateTime<Utc>,
) -> StoreResult<u32> {
    let mut version = targets.version;
    for plan in plans.iter().filter(|plan| plan.reopened) {
        version = reopen(tx, &timers[plan.index], now).await?;
    }
    let (mut new, mut lines, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    for plan in plans {
        let stored = &timers[plan.index];
        for (slot, fate) in &plan.slots {
            let mut line = Line { timer: stored.timer.id(), slot: *slot, skipped: None, run: None };
            match fate {
                Fate::Skip(reason) => line.skipped = Some(*reason),
                Fate::Run(given) => {
                    let run = run_of(stored, targets, version, slot, given);
                    new.push(run.ok_or_else(|| StoreError::content("a slot was planned without a target"))?);
                    orders.push((lines.len(), given));
                }
            }
            lines.push(line);
        }
    }
    let day = now.with_timezone(&zone).date_naive();
    let queued = runs::insert_all(tx, &new, day, now).await?;
    let mut run_of_slot = RunOfSlot::new();
    for ((line, _), (seq, _)) in orders.iter().zip(&queued) {
        lines[*line].run = Some(*seq);
        run_of_slot.insert((lines[*line].timer, lines[*line].slot.at), *seq);
    }
    for ((_, orders), (seq, _)) in orders.iter().zip(&queued) {
        wait_for(tx, *seq, &orders.leaders, &run_of_slot, now).await?;
    }
    note(tx, &lines, now).await?;
    move_cursors(tx, timers, plans).await?;
    Ok(u32::try_from(queued.len()).unwrap_or(u32::MAX))
}

/// Turns the switch of a timer on again, as was asked for when it was switched off: a change of settings like any
/// other. Gives the new version.
async fn reopen(tx: &mut Transaction, stored: &StoredTimer, now: DateTime<Utc>) -> StoreResult<i64> {
    let on = stored.timer.switched(Switch::On, None);
    let (timer, _) = on.map_err(|_| StoreError::content(format!("timer {:?} cannot be on", stored.timer.name())))?;
    let until = stored.timer.form().until.map(|until| until.to_string()).unwrap_or_default();
    let entry = AuditEntry {
        action: "switch".to_owned(),
        entity: format!("timer {}", timer.name()),
        old: Some(format!("switch: off until {until}")),
        new: Some("switch: on".to_owned()),
    };
    let version = settings::redefine_timer(tx, &timer, stored.cursor_at.max(now), &stored.set_by, now).await?;
    audit(tx, &entry, &stored.set_by, now).await?;
    Ok(version)
}

fn run_of(stored: &StoredTimer, targets: &Targets, version: i64, slot: &Slot, orders: &Orders) -> Option<NewRun> {
    let form = stored.timer.form();
    let (menu, integration) = (targets.menu(&form.menu)?, targets.integration(&form.integration)?);
    Some(NewRun {
        menu: (menu.id.clone(), menu.name.clone()),
        integration: (integration.id.clone(), integration.name.clone()),
        timer: Some((stored.timer.id().to_owned(), stored.timer.name().to_owned())),
        account: integration.account.clone(),
        settings_version: version,
        trigger: Trigger::Timer,
        actor: stored.set_by.clone(),
        memo: None,
        priority: form.priority,
        scheduled_at: Some(slot.at),
        start_by: orders.start_by,
        wanted_keys: None,
        retry_of: None,
        forced: false,
        only_failed: false,
        behind: None,
    })
}

/// Writes what a run waits for. Of a leader's slot it is the newest run: the timer's, or what a person repeated since.
async fn wait_for(
    tx: &mut Transaction,
    seq: i64,
    leaders: &[LeaderSlot],
    run_of_slot: &RunOfSlot<'_>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    for leader in leaders {
        let leader_seq = match leader.slot {
            None => None,
            Some(at) => match run_of_slot.get(&(leader.timer.as_str(), at)) {
                Some(&seq) => Some(seq),
                None => runs::newest_of_slot(tx, &leader.timer, at).await?,
            },
        };
        let lost = "its run is no longer known";
        let note = leader.note.or(leader_seq.is_none().then_some(lost));
        sqlx::query("INSERT INTO run_leaders (run_seq, timer_id, leader_seq, note) VALUES ($1, $2, $3, $4)")
            .bind(seq)
            .bind(&leader.timer)
            .bind(leader_seq)
            .bind(note)
            .execute(&mut **tx)
            .await?;
        let text = match note {
            None => format!("waits for the timer {}", leader.timer),
            Some(note) => format!("does not wait for the timer {}: {note}", leader.timer),
        };
        runs::note(tx, seq, now, "follows", &text).await?;
    }
    Ok(())
}

/// Writes the ledger. A slot that was superseded may come back when the timer is edited again; nothing else changes.
async fn note(tx: &mut Transaction, lines: &[Line<'_>], now: DateTime<Utc>) -> StoreResult<()> {
    for line in lines.iter().filter(|line| line.slot.count > 1) {
        // The row counts every slot of its span: one that had been superseded in there would be counted twice.
        sqlx::query(
            "DELETE FROM occurrences WHERE timer_id = $1 AND scheduled_at >= $2 AND scheduled_at < $3 AND state = 'superseded'",
        )
        .bind(line.timer)
        .bind(millis(line.slot.first))
        .bind(millis(line.slot.at))
        .execute(&mut **tx)
        .await?;
    }
    for lines in lines.chunks(bulk::ROWS) {
        let sql = format!(
            "INSERT INTO occurrences (timer_id, scheduled_at, state, reason, slots, first_at, run_seq, noted_at) \
             VALUES {} ON CONFLICT (timer_id, scheduled_at) DO UPDATE SET \
             state = excluded.state, reason = excluded.reason, slots = excluded.slots, first_at = excluded.first_at, \
             run_seq = excluded.run_seq, noted_at = excluded.noted_at WHERE occurrences.state = 'superseded'",
            bulk::values(lines.len(), 8)
        );
        // Placeholders only.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for line in lines {
            let state = if line.run.is_some() { SlotState::Planned } else { SlotState::Skipped };
            query = query
                .bind(line.timer)
                .bind(millis(line.slot.at))
                .bind(state.as_str())
                .bind(line.skipped.map(SkipReason::as_str))
                .bind(i64::try_from(line.slot.count).unwrap_or(i64::MAX))
                .bind(millis(line.slot.first))
                .bind(line.run)
                .bind(millis(now));
        }
        if query.execute(&mut **tx).await?.rows_affected() != lines.len() as u64 {
            let timers: Vec<&str> = lines.iter().map(|line| line.timer).take(3).collect();
            return Err(StoreError::Conflict(format!("a slot of {timers:?} is accounted for already")));
        }
    }
    Ok(())
}

async fn move_cursors(tx: &mut Transaction, timers: &[StoredTimer], plans: &[TimerPlan]) -> StoreResult<()> {
    for plans in plans.chunks(bulk::ROWS) {
        let sql = format!(
            "UPDATE timers SET cursor_at = v.column2, next_at = v.column3 FROM (VALUES {}) AS v \
             WHERE timers.id = v.column1 AND timers.cursor_at = v.column4",
            bulk::typed_values(plans.len(), &["TEXT", "BIGINT", "BIGINT", "BIGINT"])
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for plan in plans {
            let stored = &timers[plan.index];
            query = query
                .bind(stored.timer.id())
                .bind(millis(plan.cursor))
                .bind(plan.next.map(millis))
                .bind(millis(stored.cursor_at));
        }
        if query.execute(&mut **tx).await?.rows_affected() != plans.len() as u64 {
            return Err(StoreError::Conflict("timers were planned by somebody else meanwhile".to_owned()));
        }
    }
    Ok(())
}
