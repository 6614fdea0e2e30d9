//! What people ask of runs, as `engine::orders` takes it.

use super::super::database::{Done, Refusal};
use super::Memory;
use chrono::{DateTime, Utc};
use renkei::domain::ending::stopped_state;
use renkei::domain::failure::Code;
use renkei::domain::run::RunState;

impl Memory {
    pub(super) fn started_by_hand(&mut self, menu: &str, integration: &str, now: DateTime<Utc>) -> Done<()> {
        if self.pauses.contains(integration) {
            return Err(Refusal::Refused);
        }
        self.commit()?;
        let run = self.fresh((menu.to_owned(), integration.to_owned()), now);
        self.insert(run);
        Ok(())
    }

    pub(super) fn repeated(
        &mut self,
        seq: i64,
        only_failed: bool,
        forced: bool,
        followers: bool,
        now: DateTime<Utc>,
    ) -> Done<()> {
        let again = self.repeat(seq, only_failed, forced, None, now)?;
        let mut leaders = vec![(seq, again)];
        while let Some((old, new)) = leaders.pop().filter(|_| followers) {
            let skipped: Vec<i64> = self
                .runs
                .iter()
                .filter(|run| run.leaders.contains(&Some(old)) && run.state == RunState::Skipped)
                .filter(|run| run.code == Some(Code::Leader))
                .filter(|run| !self.runs.iter().any(|other| other.retry_of == Some(run.seq)))
                .map(|run| run.seq)
                .collect();
            for follower in skipped {
                let again = self.repeat(follower, false, false, Some(new), now)?;
                leaders.push((follower, again));
            }
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        seq: i64,
        only_failed: bool,
        forced: bool,
        behind: Option<i64>,
        now: DateTime<Utc>,
    ) -> Done<i64> {
        let earlier = self.run(seq).clone();
        let older = earlier.exported && !forced && self.newer_than(seq);
        let nothing = only_failed && earlier.state.is_good();
        if !earlier.state.is_ended() || older || nothing || self.pauses.contains(&earlier.pair.1) {
            return Err(Refusal::Refused);
        }
        self.commit()?;
        let mut run = self.fresh(earlier.pair, now);
        (run.timer, run.slot, run.retry_of) = (earlier.timer, earlier.slot, Some(seq));
        (run.forced, run.only_failed) = (forced, only_failed);
        run.leaders.extend(behind.map(Some));
        Ok(self.insert(run))
    }

    pub(super) fn cancelled(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        let state = self.run(seq).state;
        if state == RunState::Running {
            self.commit()?;
            self.run_mut(seq).cancel = true;
            return Ok(());
        }
        let end = stopped_state(&self.run(seq).batches);
        self.ends(seq, state, end, Some(Code::Cancelled), now)?;
        self.overtakes(seq, now)
    }

    pub(super) fn decided(&mut self, seq: i64, approve: bool, now: DateTime<Utc>) -> Done<()> {
        if self.run(seq).state != RunState::Held {
            return Err(Refusal::Refused);
        }
        if !approve {
            self.ends(seq, RunState::Held, RunState::Cancelled, Some(Code::Refused), now)?;
            return self.overtakes(seq, now);
        }
        if self.newer_than(seq) {
            return Err(Refusal::Refused);
        }
        self.transit(seq, RunState::Held, RunState::Queued, now)?;
        self.run_mut(seq).tripped = false;
        Ok(())
    }
}
