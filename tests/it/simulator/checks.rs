//! What must hold after every step, said a second time: nothing here asks the decisions that are tried.

mod order;
mod slots;

use super::memory::Memory;
use super::rules::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::failure::Code;
use renkei::domain::plan::Pair;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::trouble::Telling;
use std::collections::{BTreeMap, BTreeSet};

/// What the life knows of a timer: its definition, and up to when its slots have been looked at.
struct Watch {
    kind: Kind,
    covered: DateTime<Utc>,
}

#[derive(Default)]
pub(super) struct Checks {
    watches: BTreeMap<String, Watch>,
    last_told: BTreeMap<Pair, (Code, DateTime<Utc>)>,
    pub(super) slots: u64,
}

pub(super) type Held = Result<(), String>;

impl Checks {
    /// A timer was saved at `now`.
    pub(super) fn saved(&mut self, id: &str, kind: Kind, now: DateTime<Utc>) {
        let covered = self.watches.get(id).map_or(now, |watch| watch.covered.max(now));
        self.watches.insert(id.to_owned(), Watch { kind, covered });
    }

    /// No two runs share a lane, and every running one has its executor.
    pub(super) fn lanes(memory: &Memory, carried: &BTreeSet<i64>) -> Held {
        let mut lanes = BTreeSet::new();
        for run in memory.open_in(RunState::Running) {
            if !lanes.insert(memory.lanes.lane_of(&run.account)) {
                return Err(format!("run {} is the second one in its lane", run.seq));
            }
            if !carried.contains(&run.seq) {
                return Err(format!("run {} is running and nobody carries it", run.seq));
            }
        }
        Ok(())
    }

    /// What is being sent now may be sent: neither a stop nor a pause stands in the way, and no check waits for a person.
    pub(super) fn sending(&self, memory: &Memory, seq: i64, undecided: bool, now: DateTime<Utc>) -> Held {
        let run = memory.run(seq);
        if self.closed(memory, run, now) {
            return Err(format!("run {seq} sends in a stop or pause"));
        }
        if undecided {
            return Err(format!("run {seq} sends what a check has held, and nobody approved it"));
        }
        if run.state != RunState::Running {
            return Err(format!("run {seq} sends and is {}", run.state));
        }
        Ok(())
    }

    /// What a run's end says of its bytes is true; the truth is the receiver's.
    pub(super) fn end(memory: &Memory, seq: i64, taken: &BTreeSet<(i64, u32)>) -> Held {
        let run = memory.run(seq);
        let took = taken.range((seq, 0)..=(seq, u32::MAX)).count();
        let right = match run.state {
            RunState::Failed | RunState::Skipped => took == 0,
            RunState::Accepted => run.batches.iter().zip(1..).all(|(batch, number)| {
                *batch == BatchState::Accepted && (taken.contains(&(seq, number)) || run.only_failed)
            }),
            RunState::Partial => run.batches.contains(&BatchState::Accepted),
            RunState::Unknown => run.batches.contains(&BatchState::Unknown),
            // Newer data stands for what an overtaken run has sent; a person is told the truth.
            RunState::Cancelled => took == 0 || run.code != Some(Code::Cancelled),
            state => return Err(format!("run {seq} ended as {state}")),
        };
        let what = || format!("run {seq} is {} with {:?}, but the receiver took {took} files", run.state, run.batches);
        if right && run.finished_at.is_some() { Ok(()) } else { Err(what()) }
    }

    /// The same failure is told at most hourly, another one at once.
    pub(super) fn told(&mut self, memory: &mut Memory) -> Held {
        for (pair, code, now, telling) in memory.told.drain(..) {
            let quiet = self
                .last_told
                .get(&pair)
                .is_some_and(|(before, at)| *before == code && now >= *at && now - *at < TimeDelta::hours(1));
            match telling {
                Telling::Hush if quiet => continue,
                Telling::Again(_) if !quiet => {}
                // After all was well, as if nothing had been.
                Telling::AsUsual => {}
                _ => return Err(format!("{pair:?}: {code} is {telling:?}, quiet: {quiet}")),
            }
            self.last_told.insert(pair, (code, now));
        }
        Ok(())
    }

    /// At the end of a life: every verdict that reached the spool stands in the books, and every end is true.
    pub(super) fn last(memory: &Memory, spool: &super::database::Spool, taken: &BTreeSet<(i64, u32)>) -> Held {
        for (&(seq, batch, number), verdict) in spool {
            let run = memory.run(seq);
            let attempt = run.attempts.iter().find(|one| one.batch == batch && one.number == number);
            let known = attempt.and_then(|one| one.verdict);
            if known != Some(*verdict) && !(known.is_none() && run.state == RunState::Running) {
                return Err(format!("run {seq} batch {batch} try {number}: {verdict} was lost, it is {known:?}"));
            }
        }
        for run in memory.runs.iter().filter(|run| run.state.is_ended()) {
            Self::end(memory, run.seq, taken)?;
        }
        let ended = memory.runs.iter().filter(|run| run.state.is_ended()).count();
        if ended + memory.open.len() != memory.runs.len() {
            return Err("runs are not ended + open".to_owned());
        }
        Ok(())
    }
}
