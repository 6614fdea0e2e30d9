//! The fates of slots, said a second time: which slots were due by arithmetic, that each has one row, and that its
//! reason is true.

use super::super::database::Row;
use super::super::memory::{Accounted, Memory};
use super::super::rules::{Kind, date_of};
use super::{Checks, Held, Watch};
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::run::{RunState, SkipReason, SlotState};
use renkei::domain::stop::{SlotsInside, StopScope};

impl Checks {
    /// Looks at every transaction that has accounted for slots; `all` says that the planner has had its turn.
    pub(in super::super) fn slots(&mut self, memory: &mut Memory, all: Option<DateTime<Utc>>) -> Held {
        for event in std::mem::take(&mut memory.accounted) {
            for id in &event.timers {
                self.slots_of(memory, id, &event)?;
            }
        }
        let Some(now) = all else { return Ok(()) };
        // A timer without a slot up to now stays as it is: after the clock went back, another definition may have some.
        for (id, watch) in &self.watches {
            if let Some(slot) = due(watch, now).first() {
                return Err(format!("{id}: the slot {slot} is not accounted for"));
            }
        }
        Ok(())
    }

    fn slots_of(&mut self, memory: &Memory, id: &str, event: &Accounted) -> Held {
        let watch = &self.watches[id];
        let due = due(watch, event.now);
        let rows: Vec<&Row> = event.rows.iter().filter(|(timer, _)| timer == id).map(|(_, row)| row).collect();
        let wrong = |what: String| {
            let few = (
                due.len(),
                due.iter().take(5).collect::<Vec<_>>(),
                rows.len(),
                rows.iter().take(5).collect::<Vec<_>>(),
            );
            Err(format!("{id} at {}: {what}; slots and rows: {few:?}", event.now))
        };
        let single = due.len().saturating_sub(1_000);
        let mut told = 0;
        for row in &rows {
            let count = usize::try_from(row.slots).unwrap();
            let Some(span) = due.get(told..told + count) else { return wrong("too many rows".to_owned()) };
            if span.first() != Some(&row.first) || span.last() != Some(&row.at) {
                return wrong(format!("the row at {} does not say its slots", row.at));
            }
            if told < single && !(count == single && row.reason == Some(SkipReason::TooOld)) {
                return wrong("old slots are not told in one row".to_owned());
            }
            if told >= single
                && let Err(what) = self.fate(memory, id, &watch.kind, &due[single..], row, event)
            {
                return wrong(format!("{}: {what}", row.at));
            }
            told += count;
        }
        if told != due.len() {
            return wrong(format!("{} slots have no row", due.len() - told));
        }
        self.slots += told as u64;
        let watch = self.watches.get_mut(id).unwrap();
        watch.covered = watch.covered.max(event.now);
        if watch.kind.again.is_some_and(|again| again <= event.now) {
            (watch.kind.on, watch.kind.again) = (true, None);
        }
        Ok(())
    }

    fn fate(
        &self,
        memory: &Memory,
        id: &str,
        kind: &Kind,
        due: &[DateTime<Utc>],
        row: &Row,
        event: &Accounted,
    ) -> Held {
        let account = super::super::memory::account_of(kind.integration);
        let stopped = |slot: DateTime<Utc>| {
            event.stops.iter().any(|stop| {
                let ours = match &stop.scope {
                    StopScope::All => true,
                    StopScope::Account(own) => *own == account,
                    StopScope::Timer(own) => own == id,
                };
                ours && stop.slots == SlotsInside::Skip && stop.from <= slot && slot < stop.until
            })
        };
        let newest = due.iter().rev().find(|slot| !stopped(**slot)).copied();
        let missed = event.now - row.at >= TimeDelta::minutes(1);
        let timely = if stopped(row.at) {
            Some(SkipReason::Stopped)
        } else if missed && kind.misfire == "none" {
            Some(SkipReason::Missed)
        } else if missed && event.now - row.at > kind.catch_up {
            Some(SkipReason::TooOld)
        } else if kind.misfire != "all" && newest != Some(row.at) {
            Some(SkipReason::CaughtUpByLater)
        } else if event.paused.contains(kind.integration) {
            Some(SkipReason::Paused)
        } else {
            None
        };
        if timely.is_some() {
            return if row.reason == timely { Ok(()) } else { Err(format!("it should be {timely:?}")) };
        }
        // Runs of the same list that were queued in the same transaction before this one's; any, where it has none.
        let pair = (kind.menu.to_owned(), kind.integration.to_owned());
        let mine = row.run.unwrap_or(i64::MAX);
        let beside = memory.runs[usize::try_from(event.first_run - 1).unwrap()..]
            .iter()
            .take_while(|run| run.seq < mine)
            .any(|run| run.pair == pair && run.queued_at == event.now);
        let open = event.open.iter().filter(|(other, _)| *other == pair).map(|(_, state)| *state);
        let blocks = |state: &RunState| match kind.overlap {
            "skip" => *state != RunState::Held,
            _ => matches!(state, RunState::Queued | RunState::Waiting),
        };
        let before = open.filter(blocks).count() > 0;
        let behind_each_other = missed && kind.misfire == "all";
        let overlap = if kind.overlap == "skip" { SkipReason::Overlap } else { SkipReason::AlreadyQueued };
        match row.reason {
            Some(reason) if reason == overlap && !behind_each_other && (before || beside) => return Ok(()),
            _ if before && !behind_each_other => return Err(format!("it should be {overlap}")),
            None if beside && !behind_each_other => return Err(format!("it should be {overlap}")),
            _ => {}
        }
        self.leaders(memory, kind, row)
    }

    fn leaders(&self, memory: &Memory, kind: &Kind, row: &Row) -> Held {
        let mut wanted = Vec::new();
        for leader in &kind.after {
            let of_the_day = memory.ledger.get(leader).into_iter().flat_map(|rows| rows.range(..=row.at)).rev();
            let mut of_the_day = of_the_day
                .map(|(_, row)| row)
                .filter(|one| one.state != SlotState::Superseded && date_of(one.at) == date_of(row.at));
            match of_the_day.next() {
                None => wanted.push(None),
                Some(one) if one.reason.is_some() => {
                    let right = row.reason == Some(SkipReason::Leader);
                    return if right { Ok(()) } else { Err(format!("its leader {leader} was skipped")) };
                }
                Some(one) => {
                    let of_slot = |run: &&super::super::memory::Run| {
                        run.timer.as_ref() == Some(leader)
                            && run.slot == Some(one.at)
                            && row.run.is_none_or(|own| run.seq < own)
                    };
                    let from = usize::try_from(one.run.unwrap_or(1) - 1).unwrap();
                    wanted.push(memory.runs[from..].iter().rev().find(of_slot).map(|run| run.seq));
                }
            }
        }
        let Some(run) = row.run.map(|seq| memory.run(seq)) else {
            return Err("it should have a run".to_owned());
        };
        let start_by = kind.start_by.map(|minutes| row.at + TimeDelta::minutes(minutes));
        if run.leaders != wanted
            || run.start_by != start_by
            || run.priority != kind.priority
            || run.slot != Some(row.at)
        {
            return Err(format!("its run waits for {:?} until {:?}, not for {wanted:?}", run.leaders, run.start_by));
        }
        Ok(())
    }
}

/// The slots of a timer that have not been looked at, by arithmetic.
fn due(watch: &Watch, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let kind = &watch.kind;
    match kind.again {
        _ if kind.on => kind.rule.due(watch.covered, now),
        Some(again) if again <= now => kind.rule.due(watch.covered.max(again - TimeDelta::seconds(1)), now),
        _ => Vec::new(),
    }
}
