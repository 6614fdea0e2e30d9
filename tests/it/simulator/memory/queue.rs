//! Queue, claims and recovery, as `store::queue`, `engine::dispatcher` and `engine::recovery` do it.

use super::super::database::{Done, INTEGRATIONS, Spool};
use super::{Memory, Run};
use chrono::{DateTime, Utc};
use renkei::domain::admit::BootInstant;
use renkei::domain::failure::Code;
use renkei::domain::gate::{Cause, Conditions, Gate, Leader, gate};
use renkei::domain::order::{Candidate, next};
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::verdict::Verdict;
use std::collections::BTreeSet;

impl Memory {
    pub(super) fn conditions(&self, run: &Run, now: DateTime<Utc>) -> Conditions {
        let concerned = self
            .stops
            .values()
            .filter(|stop| stop.covers(now) && stop.concerns(run.timer.as_deref(), Some(&run.account)));
        let form = run.timer.as_ref().and_then(|id| self.timers.get(id)).map(|kept| kept.timer.form());
        let leader = |&seq: &i64| {
            let newest = self.newest_of(seq);
            Leader {
                seq: newest.seq,
                run: String::new(),
                timer: String::new(),
                state: newest.state,
                ended_at: newest.finished_at,
            }
        };
        Conditions {
            started: run.started_at.is_some(),
            start_by: run.start_by,
            leaders: run.leaders.iter().flatten().map(leader).collect(),
            settle: form.filter(|_| !run.leaders.is_empty()).map(|form| form.settle).unwrap_or_default(),
            after_partial: form.map(|form| form.after_partial).unwrap_or_default(),
            paused: self.pauses.contains(&run.pair.1),
            stopped_until: concerned.map(|stop| stop.until).max(),
        }
    }

    fn candidate(&self, run: &Run, now: DateTime<Utc>) -> Candidate {
        Candidate {
            seq: run.seq,
            account: run.account.clone(),
            priority: run.priority,
            records: self.carried.get(&run.pair).copied(),
            due: run.slot.unwrap_or(run.queued_at),
            conditions: self.conditions(run, now),
        }
    }

    pub(super) fn claim_next(&mut self, now: DateTime<Utc>) -> Done<Option<i64>> {
        let ripe = |run: &&Run| run.resume_at.is_some_and(|at| at <= now);
        let woken: Vec<i64> = self.open_in(RunState::Waiting).filter(ripe).map(|run| run.seq).collect();
        if !woken.is_empty() {
            self.commit()?;
            for seq in woken {
                let run = self.run_mut(seq);
                (run.state, run.resume_at) = (RunState::Queued, None);
            }
        }
        loop {
            let candidates: Vec<Candidate> =
                self.open_in(RunState::Queued).map(|run| self.candidate(run, now)).collect();
            let mut skipped = false;
            for candidate in &candidates {
                let Gate::Skip(cause) = gate(&candidate.conditions, now) else { continue };
                let code = match cause {
                    Cause::TooLate(_) => Code::TooLate,
                    Cause::Leader(_) => Code::Leader,
                };
                self.ends(candidate.seq, RunState::Queued, RunState::Skipped, Some(code), now)?;
                self.lost.push((candidate.seq, now));
                self.overtakes(candidate.seq, now)?;
                skipped = true;
            }
            if skipped {
                continue;
            }
            let busy: BTreeSet<String> = self.open_in(RunState::Running).filter_map(|run| run.lane.clone()).collect();
            let Some(chosen) = next(&candidates, &busy, self.lanes, now) else { return Ok(None) };
            let lane = self.lanes.lane_of(&chosen.account);
            self.commit()?;
            let run = self.run_mut(chosen.seq);
            (run.state, run.lane, run.resume_at) = (RunState::Running, Some(lane), None);
            run.started_at = run.started_at.or(Some(now));
            return Ok(Some(chosen.seq));
        }
    }

    pub(super) fn stands_open(&self, seq: i64, now: DateTime<Utc>) -> bool {
        gate(&Conditions { started: true, ..self.conditions(self.run(seq), now) }, now) == Gate::Open
    }

    pub(super) fn recover_all(&mut self, spool: &Spool, boot: &BootInstant, now: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        for slot in self.request_slots.values_mut().filter(|slot| slot.taken) {
            (slot.taken, slot.released) = (false, Some(boot.clone()));
        }
        let running: Vec<i64> = self.open_in(RunState::Running).map(|run| run.seq).collect();
        for seq in running {
            let open: Vec<(u32, u32)> = self
                .run(seq)
                .attempts
                .iter()
                .filter(|attempt| attempt.verdict.is_none())
                .map(|attempt| (attempt.batch, attempt.number))
                .collect();
            for (batch, attempt) in open {
                let verdict = spool.get(&(seq, batch, attempt)).copied().unwrap_or(Verdict::Unknown);
                self.concluded(seq, batch, attempt, verdict)?;
            }
            let run = self.run(seq);
            let in_doubt = run.batches.iter().any(|one| matches!(one, BatchState::Unknown | BatchState::Sending));
            let harmless = INTEGRATIONS.iter().any(|one| one.0 == run.pair.1 && one.3);
            if !in_doubt || harmless {
                self.transit(seq, RunState::Running, RunState::Queued, now)?;
            } else {
                self.ends(seq, RunState::Running, RunState::Unknown, Some(Code::Interrupted), now)?;
                self.overtakes(seq, now)?;
            }
        }
        Ok(())
    }
}
