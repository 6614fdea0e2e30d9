//! One run on its way, step by step, as `engine::executor` carries it: at most one transaction a step.

use super::super::checks::Checks;
use super::super::database::{Database, Export, INTEGRATIONS};
use super::super::receiver::{Flight, Receiver};
use super::{Blow, Life, Roll, commit, most};
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::admit::Admission;
use renkei::domain::ending::{end_state, stopped_state};
use renkei::domain::failure::Code;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::verdict::{Next, Verdict, backoff};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Prepare,
    Export,
    Push,
    /// Looks for the next batch from this one, and for a request slot.
    Batch(u32),
    Send(u32),
    PutBack,
    Answer,
    Conclude,
    Release,
    After,
    Leave(Exit),
    Overtake,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Exit {
    End(RunState, Option<Code>),
    Wait(DateTime<Utc>, Code),
    Hold,
    Requeue,
}

#[derive(Debug, Clone)]
pub(super) struct Carrier {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) step: Step,
    deadline: Option<DateTime<Utc>>,
    slot: u32,
    attempt: u32,
    flight: Option<Flight>,
}

impl Carrier {
    pub(super) fn new(seq: i64, at: i64) -> Self {
        Self { seq, at, step: Step::Prepare, deadline: None, slot: 0, attempt: 0, flight: None }
    }

    /// The request that has been sent and not been answered.
    pub(super) fn under_way(self) -> Option<Flight> {
        self.flight.filter(|_| self.step == Step::Answer)
    }
}

impl<D: Database> Life<D> {
    /// One step; `None` when the run has left its lane.
    pub(super) async fn advance(&mut self, mut carrier: Carrier) -> Result<Option<Carrier>, Blow> {
        let (seq, now) = (carrier.seq, self.now());
        carrier.step = match carrier.step.clone() {
            Step::Prepare => self.prepare(&mut carrier).await?,
            Step::Export => self.export(seq).await?,
            Step::Push => {
                let forced = self.db.facts(seq).await.forced;
                if !forced && self.db.newer_sent(seq).await {
                    Step::Leave(Exit::End(RunState::Cancelled, Some(Code::Overtaken)))
                } else {
                    Step::Batch(1)
                }
            }
            Step::Batch(from) => self.batch(&mut carrier, from).await?,
            Step::Send(_) if !self.db.may_send(seq, now).await => Step::PutBack,
            Step::Send(batch) => self.send(&mut carrier, batch).await?,
            Step::PutBack => {
                self.release(&carrier).await?;
                Step::Leave(Exit::Requeue)
            }
            Step::Answer => {
                let flight = carrier.flight.clone().unwrap();
                self.receiver.arrived(&flight, most(&flight.account)).map_err(Blow::Broken)?;
                Receiver::judged(&flight).map_err(Blow::Broken)?;
                // It has arrived: a crash from here on must not let it arrive again.
                let own = self.carriers.iter_mut().find(|one| one.seq == seq).unwrap();
                own.step = Step::Conclude;
                self.strike()?;
                self.spool.insert((seq, flight.batch, carrier.attempt), flight.verdict);
                self.strike()?;
                Step::Conclude
            }
            Step::Conclude => {
                let flight = carrier.flight.clone().unwrap();
                self.log(|| format!("run {seq} batch {}: {}", flight.batch, flight.verdict));
                commit!(self, self.db.conclude(seq, flight.batch, carrier.attempt, flight.verdict, now))?;
                Step::Release
            }
            Step::Release => {
                self.release(&carrier).await?;
                Step::After
            }
            Step::After => self.after(&carrier).await,
            Step::Leave(exit) => match self.leave(seq, exit).await? {
                Some(step) => step,
                None => return Ok(None),
            },
            Step::Overtake => {
                commit!(self, self.db.overtake(seq, now))?;
                return Ok(None);
            }
        };
        Ok(Some(carrier))
    }

    async fn prepare(&mut self, carrier: &mut Carrier) -> Result<Step, Blow> {
        let run = self.db.facts(carrier.seq).await;
        let limit = run.timer.as_ref().and_then(|timer| self.kinds.get(timer)).and_then(|kind| kind.time_limit);
        carrier.deadline = run.started_at.zip(limit).map(|(start, limit)| start + TimeDelta::minutes(limit));
        if run.exported {
            return Ok(if run.tripped { Step::Leave(Exit::Hold) } else { Step::Push });
        }
        if let Some(earlier) = run.retry_of {
            let facts = self.db.facts(earlier).await;
            if facts.exported {
                let kept = |state: &BatchState| run.only_failed && *state == BatchState::Accepted;
                let state = |state| if kept(state) { BatchState::Accepted } else { BatchState::Ready };
                let batches = facts.batches.iter().map(state).collect();
                let export = Export { batches, records: facts.records, adopted: facts.export_number, tripped: false };
                let now = self.now();
                self.stamps.insert(carrier.seq, self.stamps[&earlier]);
                commit!(self, self.db.record_export(carrier.seq, &export, now))?;
                return Ok(Step::Push);
            }
        }
        carrier.at = self.t
            + match self.chance.below(60) {
                0 => self.chance.between(300_000, 3_600_000),
                1..6 => self.chance.between(10_000, 300_000),
                _ => self.chance.between(5, 5_000),
            };
        Ok(Step::Export)
    }

    async fn export(&mut self, seq: i64) -> Result<Step, Blow> {
        let now = self.now();
        if self.chance.odds(300) {
            return Ok(Step::Leave(Exit::End(RunState::Failed, Some(Code::SourceMissing))));
        }
        let tripped = self.chance.odds(300);
        let count = match self.chance.below(12) {
            0 => self.chance.between(10, 45),
            1..4 => self.chance.between(2, 6),
            _ => 1,
        };
        let batches = (0..count).map(|_| BatchState::Ready).collect();
        let records = self.chance.below(4) as u64 * 100;
        self.exports += 1;
        self.stamps.insert(seq, self.exports);
        if tripped {
            self.undecided.insert(seq);
        } else {
            self.undecided.remove(&seq);
        }
        commit!(self, self.db.record_export(seq, &Export { batches, records, adopted: None, tripped }, now))?;
        Ok(if tripped { Step::Leave(Exit::Hold) } else { Step::Push })
    }

    async fn batch(&mut self, carrier: &mut Carrier, from: u32) -> Result<Step, Blow> {
        let (seq, now, boot) = (carrier.seq, self.now(), self.boot());
        let run = self.db.facts(seq).await;
        let rest = run.batches.iter().zip(1..).skip(from as usize - 1);
        let Some((_, batch)) = rest.into_iter().find(|(state, _)| **state != BatchState::Accepted) else {
            return Ok(Step::Leave(Exit::End(end_state(&run.batches, false), None)));
        };
        if run.cancel {
            return Ok(Step::Leave(Exit::End(stopped_state(&run.batches), Some(Code::Cancelled))));
        }
        if self.stopping {
            return Ok(Step::Leave(Exit::Requeue));
        }
        if carrier.deadline.is_some_and(|deadline| deadline <= now) {
            return Ok(Step::Leave(Exit::End(end_state(&run.batches, false), Some(Code::TimeLimit))));
        }
        let limit = u32::try_from(most(&run.account)).unwrap();
        Ok(match commit!(self, self.db.take_slot(&run.account, limit, &boot))? {
            Admission::Go(slot) => {
                carrier.slot = slot;
                Step::Send(batch)
            }
            Admission::Wait(wait) => {
                carrier.at = self.t + i64::try_from(wait.as_millis()).unwrap().max(1);
                Step::Batch(batch)
            }
        })
    }

    /// Intent, then bytes.
    async fn send(&mut self, carrier: &mut Carrier, batch: u32) -> Result<Step, Blow> {
        let (seq, now) = (carrier.seq, self.now());
        carrier.attempt = commit!(self, self.db.intend(seq, batch, now))?;
        self.strike()?;
        let run = self.db.facts(seq).await;
        let undecided = self.undecided.contains(&seq);
        if let Some(memory) = self.db.memory() {
            self.checks.sending(memory, seq, undecided, now).map_err(Blow::Broken)?;
        }
        let flight = Flight {
            account: run.account,
            pair: run.pair,
            run: seq,
            batch,
            stamp: self.stamps[&seq],
            forced: run.forced,
            arrives: None,
            answered: self.t,
            taken: false,
            verdict: Verdict::Unknown,
            retry_after: None,
        };
        let flight = self.receiver.send(&mut self.chance, self.t, flight);
        carrier.at = flight.answered;
        carrier.flight = Some(flight);
        // Known as under way before the next blow.
        carrier.step = Step::Answer;
        let own = self.carriers.iter_mut().find(|one| one.seq == seq).unwrap();
        *own = carrier.clone();
        self.strike()?;
        Ok(Step::Answer)
    }

    async fn release(&mut self, carrier: &Carrier) -> Result<(), Blow> {
        let (run, boot) = (self.db.facts(carrier.seq).await, self.boot());
        commit!(self, self.db.release_slot(&run.account, carrier.slot, &boot))
    }

    async fn after(&mut self, carrier: &Carrier) -> Step {
        let flight = carrier.flight.as_ref().unwrap();
        let (run, now) = (self.db.facts(carrier.seq).await, self.now());
        let terms = INTEGRATIONS.iter().find(|one| one.0 == run.pair.1).unwrap();
        let again = match flight.verdict.next() {
            Next::GoOn => return Step::Batch(flight.batch + 1),
            Next::Stop => false,
            Next::TryAgain => true,
            Next::TryAgainIfHarmless => terms.3,
        };
        let code = flight.verdict.code().unwrap();
        let jitter = f64::from(u32::try_from(self.chance.below(1_000)).unwrap()) / 1_000.0;
        let until = now + TimeDelta::from_std(backoff(run.tries + 1, jitter, flight.retry_after)).unwrap();
        let until = DateTime::from_timestamp_millis(until.timestamp_millis()).unwrap();
        let end = run.trouble_since.unwrap_or(now) + TimeDelta::minutes(i64::from(terms.4));
        let end = carrier.deadline.map_or(end, |deadline| deadline.min(end));
        if again && until <= end {
            return Step::Leave(Exit::Wait(until, code));
        }
        Step::Leave(Exit::End(end_state(&run.batches, false), Some(code)))
    }

    async fn leave(&mut self, seq: i64, exit: Exit) -> Result<Option<Step>, Blow> {
        let now = self.now();
        self.log(|| format!("run {seq} leaves: {exit:?}"));
        match exit {
            Exit::End(state, code) => {
                commit!(self, self.db.end(seq, state, code, now))?;
                if let Some(memory) = self.db.memory() {
                    Checks::end(memory, seq, &self.receiver.taken).map_err(Blow::Broken)?;
                }
                return Ok(Some(Step::Overtake));
            }
            Exit::Wait(until, code) => commit!(self, self.db.wait(seq, until, code, now))?,
            Exit::Hold => commit!(self, self.db.hold(seq, now))?,
            Exit::Requeue => commit!(self, self.db.requeue(seq, now))?,
        }
        Ok(None)
    }
}
