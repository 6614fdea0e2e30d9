//! Slots into runs, as `store::planning` does it.

use super::super::database::{Done, Row};
use super::{Accounted, Kept, Memory, Run, account_of};
use crate::support::TOKYO;
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::calendar::Calendar;
use renkei::domain::plan::{
    DueTimer, Fate, LeaderFacts, OpenRuns, Pair, PastSlot, Snapshot, Target, look_again, next_slot, plan,
};
use renkei::domain::run::{RunState, SlotState};
use renkei::domain::timer::{Switch, Timer};
use std::collections::{BTreeMap, BTreeSet};

impl Memory {
    pub(super) fn plan_due(&mut self, now: DateTime<Utc>) -> Done<Option<DateTime<Utc>>> {
        let mut due: Vec<(&String, &Kept)> =
            self.timers.iter().filter(|(_, kept)| kept.next.is_some_and(|next| next <= now)).collect();
        if !due.is_empty() {
            due.sort_by_key(|(id, kept)| (kept.next, *id));
            let due = due.into_iter().map(|(id, _)| id.clone()).collect();
            self.commit()?;
            self.account(due, now);
        }
        Ok(self.timers.values().filter_map(|kept| kept.next).min())
    }

    pub(super) fn save_timers(&mut self, timers: Vec<Timer>, now: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        let before: Vec<Option<Kept>> = timers.iter().map(|timer| self.timers.get(timer.id()).cloned()).collect();
        let touched = timers.iter().map(Timer::id).filter(|id| self.timers.contains_key(*id)).map(str::to_owned);
        self.account(touched.collect(), now);
        for timer in &timers {
            self.timers.remove(timer.id());
        }
        for (timer, before) in timers.into_iter().zip(before) {
            if let Some(before) = &before {
                self.supersede(before, &timer, now);
            }
            let cursor = before.map_or(now, |before| before.cursor.max(now));
            let next = look_again(&timer, TOKYO, &Calendar::default(), cursor);
            self.timers.insert(timer.id().to_owned(), Kept { timer, cursor, next });
        }
        Ok(())
    }

    fn supersede(&mut self, before: &Kept, new: &Timer, now: DateTime<Utc>) {
        let Some(at) = next_slot(&before.timer, TOKYO, &Calendar::default(), before.cursor.max(now)) else { return };
        if next_slot(new, TOKYO, &Calendar::default(), at - TimeDelta::seconds(1)) == Some(at) {
            return;
        }
        let row = Row { at, first: at, slots: 1, state: SlotState::Superseded, reason: None, run: None };
        self.ledger.entry(new.id().to_owned()).or_default().entry(at).or_insert(row);
    }

    fn snapshot(&self, timers: &[String]) -> Snapshot {
        let due = |id: &String| {
            let kept = &self.timers[id];
            let form = kept.timer.form();
            let target = Target {
                pair: (form.menu.clone(), form.integration.clone()),
                account: account_of(&form.integration),
                paused: self.pauses.contains(&form.integration),
            };
            DueTimer { timer: kept.timer.clone(), zone: TOKYO, cursor: kept.cursor, target: Some(target) }
        };
        let mut open: BTreeMap<Pair, OpenRuns> = BTreeMap::new();
        for run in self.open.iter().map(|&seq| self.run(seq)) {
            let waits = matches!(run.state, RunState::Queued | RunState::Waiting);
            if waits || matches!(run.state, RunState::Running | RunState::Confirming) {
                let runs = open.entry(run.pair.clone()).or_default();
                runs.open += 1;
                runs.queued += u64::from(waits);
            }
        }
        let mut leaders = BTreeMap::new();
        for id in timers.iter().flat_map(|id| &self.timers[id].timer.form().after) {
            if let Some(kept) = self.timers.get(id) {
                let since = timers.iter().map(|id| self.timers[id].cursor).min().unwrap() - TimeDelta::days(2);
                let rows = self.ledger.get(id).into_iter().flat_map(|rows| rows.range(since..)).map(|(_, row)| row);
                let rows = rows.filter(|row| row.state != SlotState::Superseded);
                let past = rows.map(|row| PastSlot { at: row.at, skipped: row.reason }).collect();
                leaders.insert(id.clone(), LeaderFacts { on: kept.timer.is_on(), past });
            }
        }
        let earliest = timers.iter().map(|id| self.timers[id].cursor).min();
        let mut stops: Vec<_> = self
            .stops
            .values()
            .filter(|stop| earliest.is_some_and(|earliest| stop.until > earliest))
            .cloned()
            .collect();
        stops.sort_by_key(|stop| stop.from);
        Snapshot { timers: timers.iter().map(due).collect(), stops, open, leaders }
    }

    /// Accounts for the slots of these timers, and of the leaders of theirs that are due.
    fn account(&mut self, mut timers: Vec<String>, now: DateTime<Utc>) {
        let mut known: BTreeSet<String> = timers.iter().cloned().collect();
        let mut looked_at = 0;
        while looked_at < timers.len() {
            let leaders = self.timers[&timers[looked_at]].timer.form().after.clone();
            looked_at += 1;
            for id in leaders.into_iter().filter(|id| !known.contains(id)).collect::<Vec<_>>() {
                if self.timers.get(&id).is_some_and(|kept| kept.next.is_some_and(|next| next <= now)) {
                    timers.push(id.clone());
                }
                known.insert(id);
            }
        }
        let snapshot = self.snapshot(&timers);
        let mut event = Accounted {
            now,
            timers: timers.iter().cloned().collect(),
            rows: Vec::new(),
            first_run: self.runs.len() as i64 + 1,
            open: self.open.iter().map(|&seq| (self.run(seq).pair.clone(), self.run(seq).state)).collect(),
            paused: self.pauses.clone(),
            stops: self.stops.values().cloned().collect(),
        };
        for plan in plan(&snapshot, &Calendar::default(), now) {
            let id = &timers[plan.index];
            if plan.reopened {
                let kept = self.timers.get_mut(id).unwrap();
                kept.timer = kept.timer.switched(Switch::On, None).unwrap().0;
            }
            for (slot, fate) in &plan.slots {
                let reason = match fate {
                    Fate::Skip(reason) => Some(*reason),
                    Fate::Run(_) => None,
                };
                let run = match fate {
                    Fate::Skip(_) => None,
                    Fate::Run(orders) => {
                        let form = self.timers[id].timer.form().clone();
                        let newest = |leader: &str, at: Option<DateTime<Utc>>| {
                            at.and_then(|at| self.of_slot.get(&(leader.to_owned(), at)).copied())
                        };
                        let leaders = orders.leaders.iter().map(|one| newest(&one.timer, one.slot)).collect();
                        let mut run = self.fresh((form.menu.clone(), form.integration.clone()), now);
                        (run.timer, run.slot, run.priority) = (Some(id.clone()), Some(slot.at), form.priority);
                        (run.start_by, run.leaders) = (orders.start_by, leaders);
                        Some(self.insert(run))
                    }
                };
                let state = if run.is_some() { SlotState::Planned } else { SlotState::Skipped };
                let row = Row { at: slot.at, first: slot.first, slots: slot.count, state, reason, run };
                let rows = self.ledger.entry(id.clone()).or_default();
                if slot.count > 1 {
                    rows.retain(|at, row| *at < slot.first || *at >= slot.at || row.state != SlotState::Superseded);
                }
                let before = rows.insert(slot.at, row.clone());
                assert!(before.is_none_or(|before| before.state == SlotState::Superseded), "{id} {} twice", slot.at);
                event.rows.push((id.clone(), row));
            }
            let kept = self.timers.get_mut(id).unwrap();
            (kept.cursor, kept.next) = (plan.cursor, plan.next);
        }
        self.accounted.push(event);
    }

    pub(super) fn fresh(&self, pair: Pair, now: DateTime<Utc>) -> Run {
        Run {
            seq: self.runs.len() as i64 + 1,
            account: account_of(&pair.1),
            pair,
            timer: None,
            slot: None,
            priority: renkei::engine::orders::BY_HAND,
            start_by: None,
            state: RunState::Queued,
            lane: None,
            queued_at: now,
            started_at: None,
            finished_at: None,
            resume_at: None,
            trouble_since: None,
            tries: 0,
            exported: false,
            export_number: None,
            records: 0,
            tripped: false,
            batches: Vec::new(),
            attempts: Vec::new(),
            leaders: Vec::new(),
            code: None,
            retry_of: None,
            forced: false,
            only_failed: false,
            cancel: false,
        }
    }

    pub(super) fn insert(&mut self, run: Run) -> i64 {
        let seq = run.seq;
        if let Some(slot) = run.timer.clone().zip(run.slot) {
            self.of_slot.insert(slot, seq);
        }
        self.open.insert(seq);
        self.runs.push(run);
        seq
    }
}
