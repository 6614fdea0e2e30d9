//! What people and machines do to the daemon: settings, stops, pauses, orders, signals, clocks.

use super::super::database::{Database, INTEGRATIONS, MENUS};
use super::super::memory::account_of;
use super::super::rules::{Kind, Rule, date_of, first_of, name};
use super::{Blow, DAY, Life, done};
use chrono::{DateTime, Days, TimeDelta, Utc};
use renkei::domain::run::RunState;
use renkei::domain::stop::{SlotsInside, Stop, StopScope};

impl<D: Database> Life<D> {
    /// Saves timers; a command that ends before its commit has done nothing.
    pub(super) async fn saved(&mut self, kinds: Vec<(String, Kind)>) -> Result<(), Blow> {
        let now = self.now();
        let timers = kinds.iter().map(|(id, kind)| kind.timer(id)).collect();
        self.db.save(timers, now).await?;
        if let Some(memory) = self.db.memory() {
            self.checks.slots(memory, None).map_err(Blow::Broken)?;
        }
        for (id, kind) in kinds {
            self.log(|| format!("{id} is saved: {kind:?}"));
            self.checks.saved(&id, kind.clone(), now);
            self.kinds.insert(id, kind);
        }
        self.planner_at = self.planner_at.min(self.t);
        Ok(())
    }

    pub(super) async fn people(&mut self) -> Result<(), Blow> {
        let number = self.chance.below(self.lot.timers);
        let id = name(number);
        if self.frenzy {
            self.frenzy = false;
            let kind = Kind::random(&mut self.chance, number);
            return self.saved(vec![(name(0), Kind { after: Vec::new(), ..kind })]).await;
        }
        let now = self.now();
        let integration = self.chance.pick(&INTEGRATIONS).0;
        match self.chance.below(100) {
            0..12 => {
                let kind = Kind::random(&mut self.chance, number);
                self.saved(vec![(id, kind)]).await?;
            }
            12..22 => self.switched(id, now).await?,
            22..34 => self.stop(id, now).await,
            34..39 => drop(self.db.pause(integration, now).await),
            39..54 => {
                for (integration, ..) in INTEGRATIONS {
                    let _ = self.db.resume(integration, now).await;
                }
            }
            54..62 => {
                let menu = *self.chance.pick(&MENUS);
                let _ = self.db.start(menu, integration, now).await;
            }
            62..85 => self.order(now).await,
            85..88 if self.up => {
                self.log(|| "told to stop".to_owned());
                self.stopping = true;
            }
            88..92 if self.lot.jumps => self.jump(),
            92..96 => self.suspend(),
            96 if self.lot.crashes => return self.frenzied(now).await,
            _ => {}
        }
        self.dispatcher_at = self.dispatcher_at.min(self.t);
        Ok(())
    }

    async fn switched(&mut self, id: String, now: DateTime<Utc>) -> Result<(), Blow> {
        let mut kind = self.kinds[&id].clone();
        // The planner may have turned it on again since.
        let on = kind.on || kind.again.is_some_and(|again| again <= now);
        kind.on = !on;
        kind.again = None;
        if on && self.chance.odds(6_000) {
            let days = Days::new(self.chance.between(1, 3) as u64);
            kind.again = Some(first_of(date_of(now) + days));
        }
        self.saved(vec![(id, kind)]).await
    }

    async fn stop(&mut self, id: String, now: DateTime<Utc>) {
        if self.chance.odds(2_500) {
            let number = self.chance.between(1, 6);
            self.log(|| format!("stop {number} ends"));
            let _ = self.db.end_stop(number, now).await;
            return;
        }
        let scope = match self.chance.below(4) {
            0 => StopScope::All,
            1 => StopScope::Account(account_of(self.chance.pick(&INTEGRATIONS).0)),
            _ => StopScope::Timer(id),
        };
        // On full minutes, so that slots fall on its edges.
        let minute = DateTime::from_timestamp(now.timestamp().div_euclid(60) * 60, 0).unwrap();
        let from = minute + TimeDelta::minutes(*self.chance.pick(&[0, 1, 30, 60, 600]));
        let lasts = *self.chance.pick(&[1, 10, 60, 120, 720]);
        let slots = if self.chance.odds(5_000) { SlotsInside::Skip } else { SlotsInside::Wait };
        let stop = Stop { scope, from, until: from + TimeDelta::minutes(lasts), slots };
        self.log(|| format!("{stop:?}"));
        let _ = self.db.add_stop(&stop, now).await;
    }

    async fn order(&mut self, now: DateTime<Utc>) {
        let recent = self.db.recent(60).await;
        let held: Vec<i64> = recent.iter().filter(|one| one.1 == RunState::Held).map(|one| one.0).collect();
        if !held.is_empty() && self.chance.odds(7_000) {
            let (seq, approve) = (*self.chance.pick(&held), self.chance.odds(7_000));
            self.log(|| format!("run {seq} is decided: {approve}"));
            if done(self.db.decide(seq, approve, now).await) && approve {
                self.undecided.remove(&seq);
            }
            return;
        }
        let ended = self.chance.odds(7_500);
        let among: Vec<i64> = recent.iter().filter(|one| one.1.is_ended() == ended).map(|one| one.0).collect();
        if among.is_empty() {
            return;
        }
        let seq = *self.chance.pick(&among);
        if ended {
            let (failed, forced, all) = (self.chance.odds(3_000), self.chance.odds(2_500), self.chance.odds(4_000));
            self.log(|| format!("run {seq} is repeated; failed: {failed}, forced: {forced}, followers: {all}"));
            let _ = self.db.retry(seq, failed, forced, all, now).await;
        } else {
            self.log(|| format!("run {seq} is cancelled"));
            let _ = self.db.cancel(seq, now).await;
        }
    }

    fn jump(&mut self) {
        let by = match self.chance.below(5) {
            0 => self.chance.between(-2 * DAY, 2 * DAY),
            1 | 2 => self.chance.between(-3_600_000, 3_600_000),
            _ => *self.chance.pick(&[-3_600_000, -60_000, -1, 1, 60_000, 3_600_000]),
        };
        self.log(|| format!("the wall clock jumps by {by} ms"));
        self.offset += by;
        // Whoever sleeps looks at the wall clock every second.
        self.planner_at = self.planner_at.min(self.t + 1_000);
    }

    /// The process or the machine stands still, often until just around the edge of lateness.
    fn suspend(&mut self) {
        let until = match self.planner_at {
            i64::MAX => self.t + self.chance.between(0, 200_000),
            slot => slot + *self.chance.pick(&[59_999, 60_000, 60_001, 400_000]),
        };
        self.log(|| "stands still".to_owned());
        let carriers = self.carriers.iter_mut().map(|carrier| &mut carrier.at);
        let all = carriers.chain([&mut self.planner_at, &mut self.dispatcher_at]);
        all.for_each(|at| *at = until.max(*at));
    }

    /// A timer of every minute, and a long time without a daemon: more slots than have rows of their own.
    async fn frenzied(&mut self, now: DateTime<Utc>) -> Result<(), Blow> {
        let rule = Rule::Steps { step: 1, from: 0, to: 1439 };
        let misfire = *self.chance.pick(&["none", "last"]);
        let kind = Kind { rule, misfire, ..Kind::random(&mut self.chance, 0) };
        self.log(|| format!("frenzy at {now}"));
        self.saved(vec![(name(0), kind)]).await?;
        self.crash().map_err(Blow::Broken)?;
        self.start_at = self.t + self.chance.between(DAY / 2, DAY * 3 / 2);
        self.people_at = self.start_at + 600_000;
        self.frenzy = true;
        Ok(())
    }
}
