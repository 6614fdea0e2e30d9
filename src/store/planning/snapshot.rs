//! What the decision `plan` rests on, read inside the transaction that will write what it decides.

use super::super::row::Columns;
use super::super::settings::{self, StoredTimer};
use super::super::{StoreResult, Transaction, bulk, millis, pauses, stops};
use super::targets::Targets;
use crate::domain::plan::{DueTimer, LeaderFacts, OpenRuns, Pair, PastSlot, Snapshot, Target};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// The timers, and the leaders that they follow, over any number of steps, where those are due themselves: a
/// follower's slot is decided over what became of its leaders'.
pub(super) async fn with_due_leaders(
    tx: &mut Transaction,
    mut timers: Vec<StoredTimer>,
    now: DateTime<Utc>,
) -> StoreResult<Vec<StoredTimer>> {
    let mut known: BTreeSet<String> = timers.iter().map(|stored| stored.timer.id().to_owned()).collect();
    let mut looked_at = 0;
    while looked_at < timers.len() {
        let leaders = timers[looked_at].timer.form().after.clone();
        looked_at += 1;
        for id in leaders.into_iter().filter(|id| !known.contains(id)).collect::<Vec<_>>() {
            let leader = settings::timer(tx, &id).await?;
            timers.extend(leader.filter(|stored| stored.next_at.is_some_and(|next| next <= now)));
            known.insert(id);
        }
    }
    Ok(timers)
}

pub(super) async fn read(
    tx: &mut Transaction,
    timers: &[StoredTimer],
    targets: &Targets,
    zone: Tz,
) -> StoreResult<Snapshot> {
    let earliest = timers.iter().map(|stored| stored.cursor_at).min();
    let paused: BTreeSet<String> = pauses::all(&mut **tx).await?.into_iter().map(|pause| pause.integration).collect();
    let due = |stored: &StoredTimer| DueTimer {
        zone: stored.timer.zone(zone),
        cursor: stored.cursor_at,
        target: target(stored, targets, &paused),
        timer: stored.timer.clone(),
    };
    Ok(Snapshot {
        timers: timers.iter().map(due).collect(),
        stops: match earliest {
            Some(earliest) => stops::after(&mut **tx, earliest).await?.into_iter().map(|stop| stop.stop).collect(),
            None => Vec::new(),
        },
        open: open_runs(tx, timers, targets).await?,
        leaders: leaders(tx, timers).await?,
    })
}

fn target(stored: &StoredTimer, targets: &Targets, paused: &BTreeSet<String>) -> Option<Target> {
    let form = stored.timer.form();
    let (menu, integration) = (targets.menu(&form.menu)?, targets.integration(&form.integration)?);
    Some(Target {
        pair: (menu.id.clone(), integration.id.clone()),
        account: integration.account.clone(),
        paused: paused.contains(&integration.id),
    })
}

/// The open runs of the menus that the timers name.
async fn open_runs(
    tx: &mut Transaction,
    timers: &[StoredTimer],
    targets: &Targets,
) -> StoreResult<BTreeMap<Pair, OpenRuns>> {
    let menus = timers.iter().filter_map(|stored| Some(targets.menu(&stored.timer.form().menu)?.id.as_str()));
    let menus: Vec<&str> = menus.collect::<BTreeSet<_>>().into_iter().collect();
    let mut open = BTreeMap::new();
    for menus in menus.chunks(bulk::ROWS) {
        let sql = format!(
            "SELECT menu_id, integration_id, CAST(COUNT(*) AS BIGINT) AS open, \
             CAST(SUM(CASE WHEN state IN ('queued', 'waiting') THEN 1 ELSE 0 END) AS BIGINT) AS queued \
             FROM runs WHERE finished_at IS NULL AND state IN ('queued', 'running', 'waiting', 'confirming') \
             AND menu_id IN ({}) GROUP BY menu_id, integration_id",
            bulk::list(menus.len())
        );
        // Placeholders only.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for menu in menus {
            query = query.bind(*menu);
        }
        for row in &query.fetch_all(&mut **tx).await? {
            let pair = (row.text("menu_id")?, row.text("integration_id")?);
            open.insert(pair, OpenRuns { open: row.count("open")?, queued: row.count("queued")? });
        }
    }
    Ok(open)
}

/// The timers that these follow, with their slots since the day before the followers' first.
async fn leaders(tx: &mut Transaction, timers: &[StoredTimer]) -> StoreResult<BTreeMap<String, LeaderFacts>> {
    let mut leaders = BTreeMap::new();
    let mut since: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for stored in timers {
        for leader in &stored.timer.form().after {
            let from = stored.cursor_at - TimeDelta::days(2);
            since.entry(leader).and_modify(|at| *at = from.min(*at)).or_insert(from);
        }
    }
    for (id, from) in since {
        let Some(stored) = settings::timer(tx, id).await? else { continue };
        let rows = sqlx::query(
            "SELECT scheduled_at, reason FROM occurrences WHERE timer_id = $1 AND scheduled_at >= $2 AND state <> 'superseded'",
        )
        .bind(id)
        .bind(millis(from))
        .fetch_all(&mut **tx)
        .await?;
        let past = |row: &sqlx::any::AnyRow| {
            Ok(PastSlot { at: row.time("scheduled_at")?, skipped: row.word_or_null("reason")? })
        };
        let past = rows.iter().map(past).collect::<StoreResult<_>>()?;
        leaders.insert(id.to_owned(), LeaderFacts { on: stored.timer.is_on(), past });
    }
    Ok(leaders)
}
