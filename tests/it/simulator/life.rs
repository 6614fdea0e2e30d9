//! A random life of the daemon, in true time: what wakes it, what strikes it, and what it does then. The same seed
//! yields the same life over any database that behaves the same.

mod carrier;
mod people;

use super::chance::Chance;
use super::checks::{Checks, Held};
use super::database::{Database, Done, INTEGRATIONS, Refusal, Spool};
use super::memory::account_of;
use super::receiver::{MOODS, Mood, Receiver};
use super::rules::{Kind, name};
use carrier::Carrier;
use chrono::{DateTime, TimeDelta, Utc};
use renkei::domain::admit::BootInstant;
use renkei::domain::run::RunState;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const DAY: i64 = 86_400_000;

/// Which life, and what may happen in it; shrinking takes from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lot {
    pub(super) seed: u64,
    pub(super) days: i64,
    pub(super) timers: usize,
    /// How much more often than usual people, moods and blows come.
    pub(super) pace: u64,
    pub(super) crashes: bool,
    /// Crashes inside a step of several commits too: only where the books are in memory.
    pub(super) fine: bool,
    pub(super) errors: bool,
    pub(super) jumps: bool,
    pub(super) moods: bool,
    pub(super) people: bool,
    /// Whether to write down what happens.
    pub(super) traced: bool,
}

/// What strikes a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blow {
    /// The process is gone.
    Crash,
    /// The database failed; nothing was changed.
    Database,
    /// It made no sense.
    Refused,
    /// What must never be.
    Broken(String),
}

impl From<Refusal> for Blow {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Died => Self::Crash,
            Refusal::Refused => Self::Refused,
        }
    }
}

enum Roll {
    Fine,
    Before,
    After,
    Fuse(u32),
    Failed,
}

/// A transaction under the blows of chance.
macro_rules! commit {
    ($life:expr, $call:expr) => {{
        match $life.roll() {
            Roll::Fine => $call.await.map_err(Blow::from),
            Roll::Before => Err(Blow::Crash),
            Roll::Failed => Err(Blow::Database),
            Roll::After => {
                let _ = $call.await;
                Err(Blow::Crash)
            }
            Roll::Fuse(commits) => {
                $life.light(commits);
                let _ = $call.await;
                $life.quench();
                Err(Blow::Crash)
            }
        }
    }};
}
pub(super) use commit;

pub(super) struct Life<D> {
    pub(super) db: D,
    lot: Lot,
    chance: Chance,
    /// True time in milliseconds since the beginning.
    t: i64,
    origin: DateTime<Utc>,
    /// What the wall clock shows beyond true time.
    offset: i64,
    up: bool,
    stopping: bool,
    start_at: i64,
    boots: u32,
    booted: i64,
    planner_at: i64,
    dispatcher_at: i64,
    people_at: i64,
    mood_at: i64,
    frenzy: bool,
    carriers: Vec<Carrier>,
    spool: Spool,
    pub(super) receiver: Receiver,
    kinds: BTreeMap<String, Kind>,
    /// When each run's bytes were exported, counted over all.
    stamps: BTreeMap<i64, u64>,
    exports: u64,
    /// Runs that a check has held, and that nobody has approved.
    undecided: BTreeSet<i64>,
    pub(super) checks: Checks,
    pub(super) trace: Vec<String>,
    seen: BTreeMap<i64, RunState>,
    pub(super) crashes: u64,
}

impl<D: Database> Life<D> {
    pub(super) fn new(db: D, lot: Lot) -> Self {
        Self {
            db,
            chance: Chance::new(lot.seed.wrapping_mul(0x5851_f42d_4c95_7f2d)),
            t: 0,
            origin: origin(lot.seed),
            lot,
            offset: 0,
            up: false,
            stopping: false,
            start_at: 0,
            boots: 1,
            booted: 0,
            planner_at: 0,
            dispatcher_at: 0,
            people_at: 3_600_000,
            mood_at: 7_200_000,
            frenzy: false,
            carriers: Vec::new(),
            spool: Spool::new(),
            receiver: Receiver::default(),
            kinds: BTreeMap::new(),
            stamps: BTreeMap::new(),
            exports: 0,
            undecided: BTreeSet::new(),
            checks: Checks::default(),
            trace: Vec::new(),
            seen: BTreeMap::new(),
            crashes: 0,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.origin + TimeDelta::milliseconds(self.t + self.offset)
    }

    fn pace(&self) -> i64 {
        i64::try_from(self.lot.pace).unwrap()
    }

    fn boot(&self) -> BootInstant {
        BootInstant { boot_id: format!("boot-{}", self.boots), millis: u64::try_from(self.t - self.booted).unwrap() }
    }

    fn log(&mut self, line: impl FnOnce() -> String) {
        if self.lot.traced {
            let line = format!("{} {}", self.now().format("%d %H:%M:%S%.3f"), line());
            self.trace.push(line);
        }
    }

    fn roll(&mut self) -> Roll {
        if self.lot.crashes && self.chance.odds(6 * self.lot.pace) {
            return match self.chance.below(3) {
                0 => Roll::Before,
                1 if self.lot.fine => Roll::Fuse(self.chance.below(3) as u32),
                _ => Roll::After,
            };
        }
        if self.lot.errors && self.chance.odds(10) { Roll::Failed } else { Roll::Fine }
    }

    /// A blow between two transactions: around a send.
    fn strike(&mut self) -> Result<(), Blow> {
        if self.lot.crashes && self.chance.odds(6 * self.lot.pace) { Err(Blow::Crash) } else { Ok(()) }
    }

    fn light(&mut self, commits: u32) {
        self.db.memory().unwrap().fuse = Some(commits);
    }

    fn quench(&mut self) {
        self.db.memory().unwrap().fuse = None;
    }

    /// Lives to the end, or to the first thing that must never be.
    pub(super) async fn live(&mut self) -> Held {
        let timers = self.lot.timers;
        let kinds: Vec<(String, Kind)> =
            (0..timers).map(|number| (name(number), Kind::random(&mut self.chance, number))).collect();
        self.saved(kinds).await.map_err(|blow| format!("{blow:?}"))?;
        let mut still = 0;
        while self.t < self.lot.days * DAY {
            let mut next = self.people_at.min(self.mood_at);
            if self.up {
                next = self.carriers.iter().map(|carrier| carrier.at).fold(next, i64::min);
                if !self.stopping {
                    next = next.min(self.planner_at).min(self.dispatcher_at);
                }
            } else {
                next = next.min(self.start_at);
            }
            still = if next > self.t { 0 } else { still + 1 };
            if still > 100_000 {
                return Err("time stands still".to_owned());
            }
            self.t = self.t.max(next);
            match self.step().await {
                Ok(()) | Err(Blow::Database | Blow::Refused) => {}
                Err(Blow::Crash) => self.crash()?,
                Err(Blow::Broken(what)) => return Err(what),
            }
            self.look().await?;
        }
        if let Some(memory) = self.db.memory() {
            Checks::last(memory, &self.spool, &self.receiver.taken)?;
        }
        for id in self.kinds.keys().cloned().collect::<Vec<_>>() {
            for row in self.db.ledger(&id).await {
                self.log(|| format!("ledger {id} {row:?}"));
            }
        }
        Ok(())
    }

    /// What has to hold after every step, and what changed in it.
    async fn look(&mut self) -> Held {
        let carried: BTreeSet<i64> = self.carriers.iter().map(|carrier| carrier.seq).collect();
        let up = self.up;
        if let Some(memory) = self.db.memory() {
            self.checks.slots(memory, None)?;
            self.checks.told(memory)?;
            self.checks.skipped(memory)?;
            if up {
                Checks::lanes(memory, &carried)?;
            }
        }
        if self.lot.traced && !self.lot.fine {
            for (seq, state) in self.db.recent(60).await.into_iter().rev() {
                if self.seen.insert(seq, state) != Some(state) {
                    self.log(|| format!("run {seq} is {state}"));
                }
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), Blow> {
        if !self.up && self.start_at <= self.t {
            self.start().await?;
        }
        if self.mood_at <= self.t {
            self.mood_at = self.t + self.chance.between(300_000, 3 * 3_600_000) / self.pace();
            let bad = self.lot.moods && self.chance.odds(4_000);
            let mood = if bad { *self.chance.pick(&MOODS) } else { Mood::Fine };
            let account = account_of(self.chance.pick(&INTEGRATIONS).0);
            self.log(|| format!("the receiver {} is {mood:?}", account.as_str()));
            self.receiver.set_mood(account, mood);
        }
        if self.people_at <= self.t {
            self.people_at = self.t + self.chance.between(300_000, 3 * 3_600_000) / self.pace();
            if self.lot.people {
                self.people().await?;
            }
        }
        if self.up && !self.stopping && self.planner_at <= self.t {
            self.plan().await?;
        }
        self.carry().await?;
        if self.up && !self.stopping && self.dispatcher_at <= self.t {
            self.dispatch().await?;
        }
        if self.stopping && self.carriers.is_empty() {
            self.log(|| "stopped".to_owned());
            (self.up, self.stopping) = (false, false);
            self.start_at = self.t + self.chance.between(0, 600_000);
        }
        Ok(())
    }

    async fn start(&mut self) -> Result<(), Blow> {
        let (boot, now) = (self.boot(), self.now());
        self.log(|| "start".to_owned());
        self.start_at = self.t + 1_000;
        commit!(self, self.db.recover(&self.spool, &boot, now))?;
        self.up = true;
        (self.planner_at, self.dispatcher_at) = (self.t, self.t);
        Ok(())
    }

    async fn plan(&mut self) -> Result<(), Blow> {
        let now = self.now();
        self.planner_at = self.t + 1_000;
        let next = commit!(self, self.db.plan(now))?;
        let wait = |next: DateTime<Utc>| (next - now).num_milliseconds().max(1);
        self.planner_at = next.map_or(i64::MAX, |next| self.t + wait(next));
        self.dispatcher_at = self.t;
        if let Some(memory) = self.db.memory() {
            self.checks.slots(memory, Some(now)).map_err(Blow::Broken)?;
        }
        Ok(())
    }

    async fn dispatch(&mut self) -> Result<(), Blow> {
        // A heartbeat, on the full minute of the wall clock now and then.
        let minute = (self.now().timestamp_millis()).rem_euclid(60_000);
        self.dispatcher_at = self.t + 60_000 * self.chance.between(1, 4) - minute + *self.chance.pick(&[0, 1, 17_000]);
        loop {
            let now = self.now();
            let claimed = commit!(self, self.db.claim(now))?;
            if let Some(memory) = self.db.memory() {
                self.checks.claimed(memory, claimed, now).map_err(Blow::Broken)?;
            }
            let Some(seq) = claimed else { return Ok(()) };
            self.log(|| format!("claim {seq}"));
            self.carriers.push(Carrier::new(seq, self.t));
        }
    }

    async fn carry(&mut self) -> Result<(), Blow> {
        while let Some(index) = self.carriers.iter().position(|carrier| self.up && carrier.at <= self.t) {
            let carrier = self.carriers[index].clone();
            match self.advance(carrier).await {
                Ok(Some(carrier)) => self.carriers[index] = carrier,
                Ok(None) => {
                    self.carriers.remove(index);
                    self.dispatcher_at = self.t;
                }
                // It tries again what the database did not take.
                Err(Blow::Database) => self.carriers[index].at = self.t + 1_000,
                Err(Blow::Refused) => {
                    let what =
                        format!("run {} was refused at {:?}", self.carriers[index].seq, self.carriers[index].step);
                    return Err(Blow::Broken(what));
                }
                Err(blow) => return Err(blow),
            }
        }
        Ok(())
    }

    /// The process is gone: what was on the wire arrives or does not.
    fn crash(&mut self) -> Held {
        if !self.up {
            return Ok(());
        }
        self.log(|| "crash".to_owned());
        self.crashes += 1;
        for carrier in std::mem::take(&mut self.carriers) {
            let Some(mut flight) = carrier.under_way() else { continue };
            flight.arrives =
                flight.arrives.map(|at| at.min(self.t)).filter(|at| *at < self.t || self.chance.odds(5_000));
            let limit = most(&flight.account);
            self.receiver.arrived(&flight, limit)?;
        }
        (self.up, self.stopping) = (false, false);
        let down = match self.chance.below(20) {
            0 => self.chance.between(0, 2 * DAY),
            1..4 => self.chance.between(0, 3 * 3_600_000),
            4..8 => self.chance.between(0, 180_000),
            _ => self.chance.between(0, 5_000),
        };
        self.start_at = self.t + down;
        if self.chance.odds(2_000) {
            (self.boots, self.booted) = (self.boots + 1, self.t);
        }
        Ok(())
    }
}

/// When a life begins: at midnight in Tokyo, on any day of the week.
pub(super) fn origin(seed: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_446_000 + i64::try_from(seed % 7).unwrap() * 86_400, 0).unwrap()
}

/// The requests that an account takes in any 60 s.
pub(super) fn most(account: &renkei::domain::integration::Account) -> usize {
    INTEGRATIONS.iter().find(|one| account_of(one.0) == *account).unwrap().2 as usize
}

/// Whether a command of a person was carried out.
pub(super) fn done(what: Done<()>) -> bool {
    what.is_ok()
}
