//! What becomes of slots that are due: the decision `plan`, over a snapshot of all timers that are due at once. Every
//! slot between a timer's cursor and now gets exactly one fate; nothing is forgotten.
//!
//! What can stand in a slot's way is asked in this order: a closed day, a planned stop, its lateness (`misfire`), a pause of its
//! integration, an open run of the same menu and integration (`overlap`), a leader that was skipped (`after`).

mod chain;
mod slots;

pub use chain::{LeaderFacts, LeaderSlot, PastSlot};
pub use slots::{LATE, MOST_SLOTS, Slot};

use super::calendar::Calendar;
use super::integration::Account;
use super::run::SkipReason;
use super::stop::{SlotsInside, Stop};
use super::timer::{Misfire, Overlap, Timer};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// A menu's id and an integration's id: what a run carries through what.
pub type Pair = (String, String);

/// Where the runs of a timer go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its menu and integration.
    pub pair: Pair,
    /// The integration's account at the receiver.
    pub account: Account,
    /// Whether the integration is paused.
    pub paused: bool,
}

/// A timer whose slots are to be decided.
#[derive(Debug, Clone, PartialEq)]
pub struct DueTimer {
    /// The timer.
    pub timer: Timer,
    /// The zone in which its schedule is read.
    pub zone: Tz,
    /// Slots up to here are accounted for.
    pub cursor: DateTime<Utc>,
    /// Where its runs go; `None` when its menu or integration is gone.
    pub target: Option<Target>,
}

/// The open runs of a menu and integration that count as overlap: held ones do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenRuns {
    /// Queued, running, waiting or confirming.
    pub open: u64,
    /// Of these, queued or waiting.
    pub queued: u64,
}

/// What the decision rests on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The timers to decide, the earliest first, and with each the leaders that are due too.
    pub timers: Vec<DueTimer>,
    /// The planned stops that have not ended before the first slot.
    pub stops: Vec<Stop>,
    /// The open runs.
    pub open: BTreeMap<Pair, OpenRuns>,
    /// What is known of every timer that one of `timers` follows, by id.
    pub leaders: BTreeMap<String, LeaderFacts>,
}

/// What a slot's run is told on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// What it waits for.
    pub leaders: Vec<LeaderSlot>,
    /// Not started by then, it is skipped.
    pub start_by: Option<DateTime<Utc>>,
}

/// What becomes of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It gets a run.
    Run(Orders),
    /// 見送り.
    Skip(SkipReason),
}

/// What becomes of one timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerPlan {
    /// Which of the snapshot's timers.
    pub index: usize,
    /// Whether its switch turns on, since the date of `until` has come.
    pub reopened: bool,
    /// Its due slots, in ascending order.
    pub slots: Vec<(Slot, Fate)>,
    /// Slots up to here are accounted for now; it never goes back.
    pub cursor: DateTime<Utc>,
    /// When to look again: the next slot, or when a timer that is off is on again. `None`: never.
    pub next: Option<DateTime<Utc>>,
}

/// Decides every slot that is due at `now`. Leaders come before their followers in what it gives.
#[must_use]
pub fn plan(snapshot: &Snapshot, calendar: &Calendar, now: DateTime<Utc>) -> Vec<TimerPlan> {
    let Snapshot { timers, stops, .. } = snapshot;
    let (mut open, mut leaders) = (snapshot.open.clone(), snapshot.leaders.clone());
    let mut plans = Vec::with_capacity(timers.len());
    for index in chain::leaders_first(timers) {
        let due = &timers[index];
        let on_again = due.timer.on_again_at(due.zone).filter(|at| *at <= now);
        let mut plan = TimerPlan {
            index,
            reopened: on_again.is_some(),
            slots: Vec::new(),
            cursor: due.cursor.max(now),
            next: due.timer.on_again_at(due.zone),
        };
        let form = due.timer.form();
        if let Some(schedule) = form.schedule.as_ref().filter(|_| due.timer.is_on() || plan.reopened) {
            let cursor = on_again.map_or(due.cursor, |at| due.cursor.max(at - chrono::TimeDelta::seconds(1)));
            let closed = |slot| {
                let rests = schedule.closed(due.zone, calendar, slot).map(|_| SkipReason::ClosedDay);
                rests.or_else(|| stopped(due, slot, stops).then_some(SkipReason::Stopped))
            };
            let next = |after| schedule.next_after(due.zone, calendar, after);
            let found = slots::due(form, cursor, now, next, closed);
            plan.next = found.next;
            for (slot, late) in found.slots {
                let fate = match late {
                    Some(reason) => Fate::Skip(reason),
                    None => fate(due, slot.at, &mut open, &leaders, now),
                };
                chain::remember(&mut leaders, due.timer.id(), slot.at, &fate);
                plan.slots.push((slot, fate));
            }
        }
        if plan.reopened
            && let Some(facts) = leaders.get_mut(due.timer.id())
        {
            facts.on = true;
        }
        plans.push(plan);
    }
    plans
}

/// Whether a slot lies in a stop that skips it.
fn stopped(due: &DueTimer, slot: DateTime<Utc>, stops: &[Stop]) -> bool {
    stops.iter().any(|stop| {
        let account = due.target.as_ref().map(|target| &target.account);
        stop.slots == SlotsInside::Skip && stop.covers(slot) && stop.concerns(Some(due.timer.id()), account)
    })
}

/// The fate of a slot that is not too late. One that gets a run counts as open from here on.
fn fate(
    due: &DueTimer,
    slot: DateTime<Utc>,
    open: &mut BTreeMap<Pair, OpenRuns>,
    leaders: &BTreeMap<String, LeaderFacts>,
    now: DateTime<Utc>,
) -> Fate {
    let form = due.timer.form();
    let Some(target) = &due.target else { return Fate::Skip(SkipReason::Settings) };
    if target.paused {
        return Fate::Skip(SkipReason::Paused);
    }
    let runs = open.entry(target.pair.clone()).or_default();
    // Slots that are caught up one by one queue behind each other.
    let caught_up = form.misfire == Misfire::All && now - slot >= LATE;
    match form.overlap {
        Overlap::Skip if runs.open > 0 && !caught_up => return Fate::Skip(SkipReason::Overlap),
        Overlap::QueueOne if runs.queued > 0 && !caught_up => return Fate::Skip(SkipReason::AlreadyQueued),
        _ => {}
    }
    let mut orders =
        Orders { leaders: Vec::new(), start_by: form.start_by.map(|start_by| start_by.instant(due.zone, slot)) };
    for leader in &form.after {
        match chain::leader_slot(leader, leaders.get(leader), due.zone, slot) {
            Ok(leader) => orders.leaders.push(leader),
            Err(reason) => return Fate::Skip(reason),
        }
    }
    runs.open += 1;
    runs.queued += 1;
    Fate::Run(orders)
}

/// When a timer has to be looked at again, seen from its cursor: its next slot, or when it is on again.
#[must_use]
pub fn look_again(timer: &Timer, zone: Tz, calendar: &Calendar, cursor: DateTime<Utc>) -> Option<DateTime<Utc>> {
    timer.on_again_at(zone).or_else(|| next_slot(timer, zone, calendar, cursor))
}

/// The first slot after a cursor of a timer that is on.
#[must_use]
pub fn next_slot(timer: &Timer, zone: Tz, calendar: &Calendar, cursor: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let schedule = timer.form().schedule.as_ref().filter(|_| timer.is_on())?;
    schedule.next_after(zone, calendar, cursor)
}

#[cfg(test)]
mod tests;
