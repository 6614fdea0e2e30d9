//! The order and the gate, said a second time.

use super::super::memory::{Memory, Run};
use super::{Checks, Held};
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::run::RunState;
use renkei::domain::stop::StopScope;
use std::cmp::Reverse;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Ready,
    Waits,
    Lost,
}

impl Checks {
    /// Whether a stop or a pause forbids this run to send.
    pub(super) fn closed(&self, memory: &Memory, run: &Run, now: DateTime<Utc>) -> bool {
        let stopped = memory.stops.values().any(|stop| {
            let ours = match &stop.scope {
                StopScope::All => true,
                StopScope::Account(account) => *account == run.account,
                StopScope::Timer(timer) => Some(timer) == run.timer.as_ref(),
            };
            ours && stop.from <= now && now < stop.until
        });
        stopped || memory.pauses.contains(&run.pair.1)
    }

    fn standing(&self, memory: &Memory, run: &Run, now: DateTime<Utc>) -> Standing {
        let kind = run.timer.as_ref().and_then(|timer| self.watches.get(timer)).map(|watch| &watch.kind);
        if run.started_at.is_none() {
            let mut waits = false;
            for &leader in run.leaders.iter().flatten() {
                let leader = memory.newest_of(leader);
                let settle = kind.map_or(TimeDelta::zero(), |kind| kind.settle);
                let settled = leader.finished_at.is_some_and(|at| now - at >= settle);
                let partial = kind.is_some_and(|kind| kind.runs_after_partial);
                match leader.state {
                    RunState::Accepted => waits |= !settled,
                    RunState::Partial if partial => waits |= !settled,
                    RunState::Imported => {}
                    state if state.is_ended() => return Standing::Lost,
                    _ => waits = true,
                }
            }
            if run.start_by.is_some_and(|by| now > by) {
                return Standing::Lost;
            }
            if waits {
                return Standing::Waits;
            }
        }
        if self.closed(memory, run, now) { Standing::Waits } else { Standing::Ready }
    }

    /// What was skipped had lost its sense.
    pub(in super::super) fn skipped(&self, memory: &mut Memory) -> Held {
        for (seq, now) in std::mem::take(&mut memory.lost) {
            if self.standing(memory, memory.run(seq), now) != Standing::Lost {
                return Err(format!("run {seq} was skipped and had not lost its sense"));
            }
        }
        Ok(())
    }

    /// The priority of a run, or that of who waits for it.
    fn priority(memory: &Memory, followers: &[&Run], run: &Run) -> u16 {
        let behind = followers.iter().filter(|one| {
            one.seq != run.seq && one.leaders.iter().flatten().any(|&leader| memory.newest_of(leader).seq == run.seq)
        });
        behind.map(|one| Self::priority(memory, followers, one)).max().unwrap_or(0).max(run.priority)
    }

    /// After the dispatcher has looked: who was claimed was the right one, and who was not has a reason to wait.
    pub(in super::super) fn claimed(&self, memory: &Memory, chosen: Option<i64>, now: DateTime<Utc>) -> Held {
        let mut queued: Vec<&Run> = memory.open_in(RunState::Queued).collect();
        queued.extend(chosen.map(|seq| memory.run(seq)));
        let lane = |run: &Run| memory.lanes.lane_of(&run.account);
        let going = memory.open_in(RunState::Running).filter(|run| Some(run.seq) != chosen);
        let busy: Vec<String> = going.map(lane).collect();
        let mut ready = Vec::new();
        for run in &queued {
            // A run that is claimed now carries the time of its start already.
            let fresh = Some(run.seq) == chosen && run.started_at == Some(now);
            let standing = if fresh {
                self.standing(memory, &Run { started_at: None, ..(*run).clone() }, now)
            } else {
                self.standing(memory, run, now)
            };
            match standing {
                Standing::Lost => return Err(format!("run {} has lost its sense and is not skipped", run.seq)),
                Standing::Ready if !busy.contains(&lane(run)) => ready.push(*run),
                _ if Some(run.seq) == chosen => return Err(format!("run {} may not start", run.seq)),
                _ => {}
            }
        }
        let followers: Vec<&Run> = queued.iter().copied().filter(|run| !run.leaders.is_empty()).collect();
        let first = ready.iter().min_by_key(|run| {
            let records = memory.carried.get(&run.pair).copied().unwrap_or(u64::MAX);
            (Reverse(Self::priority(memory, &followers, run)), records, run.slot.unwrap_or(run.queued_at), run.seq)
        });
        if first.map(|run| run.seq) != chosen {
            return Err(format!("{chosen:?} was claimed, but {:?} is next", first.map(|run| run.seq)));
        }
        let late = |run: &&Run| run.resume_at.is_none_or(|at| at <= now);
        if let Some(run) = memory.open_in(RunState::Waiting).find(late) {
            return Err(format!("run {} waits though its time has come", run.seq));
        }
        if let Some(run) = memory.open_in(RunState::Confirming).next() {
            return Err(format!("run {} is being confirmed by nobody", run.seq));
        }
        Ok(())
    }
}
