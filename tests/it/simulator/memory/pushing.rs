//! What an executor writes, as `store::batches`, `store::slots`, `store::life` and `engine::ending` do it.

use super::super::database::{Done, Export, Facts, Refusal};
use super::{Attempt, Memory, Run};
use chrono::{DateTime, Utc};
use renkei::domain::admit::{Admission, BootInstant, RequestSlot, admit};
use renkei::domain::failure::Code;
use renkei::domain::integration::Account;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::trouble::{Outcome, tell};
use renkei::domain::verdict::Verdict;

impl Memory {
    pub(super) fn facts_of(&self, seq: i64) -> Facts {
        let run = self.run(seq).clone();
        Facts {
            pair: run.pair,
            account: run.account,
            timer: run.timer,
            started_at: run.started_at,
            trouble_since: run.trouble_since,
            tries: run.tries,
            exported: run.exported,
            export_number: run.export_number,
            records: run.records,
            tripped: run.tripped,
            retry_of: run.retry_of,
            forced: run.forced,
            only_failed: run.only_failed,
            cancel: run.cancel,
            batches: run.batches,
        }
    }

    pub(super) fn newer_than(&self, seq: i64) -> bool {
        let run = self.run(seq);
        let Some(number) = run.export_number else { return false };
        let newer = self.exports.get(&run.pair).into_iter().flat_map(|exports| exports.range(number + 1..));
        newer.flat_map(|(_, runs)| runs).any(|&other| has_sent(self.run(other)))
    }

    pub(super) fn exported(&mut self, seq: i64, export: &Export) -> Done<()> {
        if self.run(seq).state != RunState::Running || self.run(seq).exported {
            return Err(Refusal::Refused);
        }
        self.commit()?;
        let pair = self.run(seq).pair.clone();
        let exports = self.exports.entry(pair.clone()).or_default();
        let number = export.adopted.unwrap_or_else(|| exports.keys().next_back().map_or(1, |newest| newest + 1));
        exports.entry(number).or_default().push(seq);
        let run = self.run_mut(seq);
        (run.exported, run.export_number, run.records) = (true, Some(number), export.records);
        (run.batches, run.tripped) = (export.batches.clone(), export.tripped);
        self.carried.insert(pair, export.records);
        Ok(())
    }

    pub(super) fn take(&mut self, account: &Account, limit: u32, boot: &BootInstant) -> Done<Admission> {
        self.commit()?;
        let mut slots = Vec::new();
        for (_, slot) in self.request_slots.iter_mut().filter(|((own, _), _)| own == account) {
            let stale = |then: &BootInstant| then.boot_id != boot.boot_id || then.millis > boot.millis;
            if slot.released.as_ref().is_some_and(stale) {
                slot.released = Some(boot.clone());
            }
            slots.push(slot.clone());
        }
        let admission = admit(&slots, limit, boot);
        if let Admission::Go(number) = admission {
            let slot = RequestSlot { number, taken: true, released: None };
            self.request_slots.insert((account.clone(), number), slot);
        }
        Ok(admission)
    }

    pub(super) fn release(&mut self, account: &Account, number: u32, boot: &BootInstant) -> Done<()> {
        self.commit()?;
        let slot = self.request_slots.get_mut(&(account.clone(), number)).unwrap();
        (slot.taken, slot.released) = (false, Some(boot.clone()));
        Ok(())
    }

    pub(super) fn intent(&mut self, seq: i64, batch: u32) -> Done<u32> {
        let run = self.run(seq);
        let state = run.batches[batch as usize - 1];
        if run.state != RunState::Running || state == BatchState::Accepted {
            return Err(Refusal::Refused);
        }
        self.commit()?;
        let run = self.run_mut(seq);
        run.batches[batch as usize - 1] = BatchState::Sending;
        let number = run.attempts.iter().filter(|attempt| attempt.batch == batch).count() as u32 + 1;
        run.attempts.push(Attempt { batch, number, verdict: None });
        Ok(number)
    }

    pub(super) fn concluded(&mut self, seq: i64, batch: u32, number: u32, verdict: Verdict) -> Done<()> {
        let run = self.run(seq);
        let found = run.attempts.iter().position(|one| one.batch == batch && one.number == number);
        let Some(attempt) = found.filter(|&at| run.attempts[at].verdict.is_none()) else {
            return Err(Refusal::Refused);
        };
        self.commit()?;
        let run = self.run_mut(seq);
        run.attempts[attempt].verdict = Some(verdict);
        let unknown =
            |one: &Attempt| one.batch == batch && one.number != number && one.verdict == Some(Verdict::Unknown);
        run.batches[batch as usize - 1] = verdict.batch_state_after(run.attempts.iter().any(unknown));
        Ok(())
    }

    pub(super) fn waits(&mut self, seq: i64, until: DateTime<Utc>, code: Code, now: DateTime<Utc>) -> Done<()> {
        self.transit(seq, RunState::Running, RunState::Waiting, now)?;
        let run = self.run_mut(seq);
        (run.resume_at, run.code, run.tries) = (Some(until), Some(code), run.tries + 1);
        run.trouble_since = run.trouble_since.or(Some(now));
        Ok(())
    }

    pub(super) fn ends(
        &mut self,
        seq: i64,
        from: RunState,
        state: RunState,
        code: Option<Code>,
        now: DateTime<Utc>,
    ) -> Done<()> {
        self.transit(seq, from, state, now)?;
        self.run_mut(seq).code = code;
        let pair = self.run(seq).pair.clone();
        let outcome = match (state, code) {
            (RunState::Cancelled, _) => Outcome::Neither,
            (state, _) if state.is_good() => Outcome::Good,
            (_, code) => Outcome::Bad(code.unwrap_or(Code::Internal)),
        };
        let (telling, trouble) = tell(self.troubles.get(&pair).copied(), outcome, now);
        if let Outcome::Bad(code) = outcome {
            self.told.push((pair.clone(), code, now, telling));
        }
        match trouble {
            Some(trouble) => self.troubles.insert(pair.clone(), trouble),
            None => self.troubles.remove(&pair),
        };
        if matches!(code, Some(Code::DeniedToken | Code::DeniedRoute)) {
            self.pauses.insert(pair.1);
        }
        Ok(())
    }

    pub(super) fn overtakes(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        let run = self.run(seq);
        if !has_sent(run) {
            return Ok(());
        }
        let older = |held: &&Run| held.pair == run.pair && held.export_number < run.export_number;
        let held: Vec<i64> = self.open_in(RunState::Held).filter(older).map(|held| held.seq).collect();
        for seq in held {
            self.ends(seq, RunState::Held, RunState::Cancelled, Some(Code::Overtaken), now)?;
        }
        Ok(())
    }
}

/// Whether bytes of a run are or may be with the receiver.
fn has_sent(run: &Run) -> bool {
    run.batches.iter().any(|one| matches!(one, BatchState::Accepted | BatchState::Unknown | BatchState::Sending))
}
