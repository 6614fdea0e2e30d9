//! The books in memory: what the store keeps, without SQL. The decisions are the real ones of the domain; the
//! transactions around them are written again, so that the two tell on each other.

mod orders;
mod planning;
mod pushing;
mod queue;

use super::database::{Database, Done, Export, Facts, INTEGRATIONS, Refusal, Row, Spool};
use chrono::{DateTime, Utc};
use renkei::domain::admit::{Admission, BootInstant, RequestSlot};
use renkei::domain::failure::Code;
use renkei::domain::integration::Account;
use renkei::domain::order::Lanes;
use renkei::domain::plan::Pair;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::stop::Stop;
use renkei::domain::timer::Timer;
use renkei::domain::trouble::{Telling, Trouble};
use renkei::domain::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// A timer with its cursor.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) timer: Timer,
    pub(super) cursor: DateTime<Utc>,
    pub(super) next: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) batch: u32,
    pub(super) number: u32,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) seq: i64,
    pub(super) pair: Pair,
    pub(super) account: Account,
    pub(super) timer: Option<String>,
    pub(super) slot: Option<DateTime<Utc>>,
    pub(super) priority: u16,
    pub(super) start_by: Option<DateTime<Utc>>,
    pub(super) state: RunState,
    pub(super) lane: Option<String>,
    pub(super) queued_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) resume_at: Option<DateTime<Utc>>,
    pub(super) trouble_since: Option<DateTime<Utc>>,
    pub(super) tries: u32,
    pub(super) exported: bool,
    pub(super) export_number: Option<i64>,
    pub(super) records: u64,
    pub(super) tripped: bool,
    pub(super) batches: Vec<BatchState>,
    pub(super) attempts: Vec<Attempt>,
    /// The run of each leading timer's slot; `None` where there is none to wait for.
    pub(super) leaders: Vec<Option<i64>>,
    pub(super) code: Option<Code>,
    pub(super) retry_of: Option<i64>,
    pub(super) forced: bool,
    pub(super) only_failed: bool,
    pub(super) cancel: bool,
}

/// What one transaction has accounted for; the checks drain it.
#[derive(Debug)]
pub(super) struct Accounted {
    pub(super) now: DateTime<Utc>,
    pub(super) timers: BTreeSet<String>,
    pub(super) rows: Vec<(String, Row)>,
    /// The first of the runs that it queued.
    pub(super) first_run: i64,
    /// The states of the open runs before it.
    pub(super) open: Vec<(Pair, RunState)>,
    pub(super) paused: BTreeSet<String>,
    pub(super) stops: Vec<Stop>,
}

pub(super) struct Memory {
    pub(super) lanes: Lanes,
    pub(super) timers: BTreeMap<String, Kept>,
    pub(super) runs: Vec<Run>,
    pub(super) open: BTreeSet<i64>,
    pub(super) of_slot: BTreeMap<(String, DateTime<Utc>), i64>,
    pub(super) ledger: BTreeMap<String, BTreeMap<DateTime<Utc>, Row>>,
    pub(super) stops: BTreeMap<i64, Stop>,
    pub(super) pauses: BTreeSet<String>,
    request_slots: BTreeMap<(Account, u32), RequestSlot>,
    /// The runs by the age of their bytes.
    exports: BTreeMap<Pair, BTreeMap<i64, Vec<i64>>>,
    pub(super) carried: BTreeMap<Pair, u64>,
    troubles: BTreeMap<Pair, Trouble>,
    pub(super) accounted: Vec<Accounted>,
    /// The runs that have lost their sense; the checks drain it.
    pub(super) lost: Vec<(i64, DateTime<Utc>)>,
    pub(super) told: Vec<(Pair, Code, DateTime<Utc>, Telling)>,
    /// So many commits, and the process dies.
    pub(super) fuse: Option<u32>,
}

impl Memory {
    pub(super) fn new(lanes: Lanes) -> Self {
        Self {
            lanes,
            timers: BTreeMap::new(),
            runs: Vec::new(),
            open: BTreeSet::new(),
            of_slot: BTreeMap::new(),
            ledger: BTreeMap::new(),
            stops: BTreeMap::new(),
            pauses: BTreeSet::new(),
            request_slots: BTreeMap::new(),
            exports: BTreeMap::new(),
            carried: BTreeMap::new(),
            troubles: BTreeMap::new(),
            accounted: Vec::new(),
            lost: Vec::new(),
            told: Vec::new(),
            fuse: None,
        }
    }

    /// Whether the next commit succeeds.
    fn commit(&mut self) -> Done<()> {
        match &mut self.fuse {
            Some(0) => Err(Refusal::Died),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn run(&self, seq: i64) -> &Run {
        &self.runs[usize::try_from(seq - 1).unwrap()]
    }

    fn run_mut(&mut self, seq: i64) -> &mut Run {
        &mut self.runs[usize::try_from(seq - 1).unwrap()]
    }

    pub(super) fn open_in(&self, state: RunState) -> impl Iterator<Item = &Run> {
        self.open.iter().map(|&seq| self.run(seq)).filter(move |run| run.state == state)
    }

    /// The newest run of the slot of a run.
    pub(super) fn newest_of(&self, seq: i64) -> &Run {
        let run = self.run(seq);
        let slot = run.timer.clone().zip(run.slot);
        self.run(slot.and_then(|slot| self.of_slot.get(&slot).copied()).unwrap_or(seq).max(seq))
    }

    /// A guarded move from one state to another.
    fn transit(&mut self, seq: i64, from: RunState, to: RunState, now: DateTime<Utc>) -> Done<()> {
        if self.run(seq).state != from || !from.may_become(to) {
            return Err(Refusal::Refused);
        }
        self.commit()?;
        let run = self.run_mut(seq);
        run.state = to;
        if to != RunState::Running {
            run.lane = None;
        }
        run.resume_at = None;
        if to.is_ended() {
            run.finished_at = Some(now);
            self.open.remove(&seq);
        }
        Ok(())
    }
}

/// The account of an integration of every life.
pub(super) fn account_of(integration: &str) -> Account {
    let tenant = INTEGRATIONS.iter().find(|one| one.0 == integration).unwrap().1;
    Account::from_stored(format!("127.0.0.1:9/{tenant}"))
}

impl Database for Memory {
    async fn save(&mut self, timers: Vec<Timer>, now: DateTime<Utc>) -> Done<()> {
        self.save_timers(timers, now)
    }
    async fn pause(&mut self, integration: &str, _: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        if self.pauses.insert(integration.to_owned()) { Ok(()) } else { Err(Refusal::Refused) }
    }
    async fn resume(&mut self, integration: &str, _: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        if self.pauses.remove(integration) { Ok(()) } else { Err(Refusal::Refused) }
    }
    async fn add_stop(&mut self, stop: &Stop, _: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        let number = self.stops.keys().next_back().copied().unwrap_or(0) + 1;
        self.stops.insert(number, stop.clone());
        Ok(())
    }
    async fn end_stop(&mut self, number: i64, now: DateTime<Utc>) -> Done<()> {
        self.commit()?;
        match self.stops.get_mut(&number) {
            Some(stop) if stop.from >= now => {
                self.stops.remove(&number);
                Ok(())
            }
            Some(stop) if stop.until > now => {
                stop.until = now;
                Ok(())
            }
            _ => Err(Refusal::Refused),
        }
    }
    async fn plan(&mut self, now: DateTime<Utc>) -> Done<Option<DateTime<Utc>>> {
        self.plan_due(now)
    }
    async fn claim(&mut self, now: DateTime<Utc>) -> Done<Option<i64>> {
        self.claim_next(now)
    }
    async fn recover(&mut self, spool: &Spool, boot: &BootInstant, now: DateTime<Utc>) -> Done<()> {
        self.recover_all(spool, boot, now)
    }
    async fn facts(&mut self, seq: i64) -> Facts {
        self.facts_of(seq)
    }
    async fn newer_sent(&mut self, seq: i64) -> bool {
        self.newer_than(seq)
    }
    async fn may_send(&mut self, seq: i64, now: DateTime<Utc>) -> bool {
        self.stands_open(seq, now)
    }
    async fn record_export(&mut self, seq: i64, export: &Export, _: DateTime<Utc>) -> Done<()> {
        self.exported(seq, export)
    }
    async fn take_slot(&mut self, account: &Account, limit: u32, boot: &BootInstant) -> Done<Admission> {
        self.take(account, limit, boot)
    }
    async fn release_slot(&mut self, account: &Account, number: u32, boot: &BootInstant) -> Done<()> {
        self.release(account, number, boot)
    }
    async fn intend(&mut self, seq: i64, batch: u32, _: DateTime<Utc>) -> Done<u32> {
        self.intent(seq, batch)
    }
    async fn conclude(&mut self, seq: i64, batch: u32, attempt: u32, verdict: Verdict, _: DateTime<Utc>) -> Done<()> {
        self.concluded(seq, batch, attempt, verdict)
    }
    async fn wait(&mut self, seq: i64, until: DateTime<Utc>, code: Code, now: DateTime<Utc>) -> Done<()> {
        self.waits(seq, until, code, now)
    }
    async fn hold(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        self.transit(seq, RunState::Running, RunState::Held, now)
    }
    async fn requeue(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        self.transit(seq, RunState::Running, RunState::Queued, now)
    }
    async fn end(&mut self, seq: i64, state: RunState, code: Option<Code>, now: DateTime<Utc>) -> Done<()> {
        self.ends(seq, RunState::Running, state, code, now)
    }
    async fn overtake(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        self.overtakes(seq, now)
    }
    async fn start(&mut self, menu: &str, integration: &str, now: DateTime<Utc>) -> Done<()> {
        self.started_by_hand(menu, integration, now)
    }
    async fn retry(
        &mut self,
        seq: i64,
        only_failed: bool,
        forced: bool,
        followers: bool,
        now: DateTime<Utc>,
    ) -> Done<()> {
        self.repeated(seq, only_failed, forced, followers, now)
    }
    async fn cancel(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()> {
        self.cancelled(seq, now)
    }
    async fn decide(&mut self, seq: i64, approve: bool, now: DateTime<Utc>) -> Done<()> {
        self.decided(seq, approve, now)
    }
    async fn recent(&mut self, limit: u32) -> Vec<(i64, RunState)> {
        self.runs.iter().rev().take(limit as usize).map(|run| (run.seq, run.state)).collect()
    }
    async fn ledger(&mut self, timer: &str) -> Vec<Row> {
        self.ledger.get(timer).map(|rows| rows.values().cloned().collect()).unwrap_or_default()
    }
    fn memory(&mut self) -> Option<&mut Memory> {
        Some(self)
    }
}
