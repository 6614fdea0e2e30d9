//! What timers would do over a span of time: how often each runs, on which days it does not, what holidays skip or
//! move, what clock changes do, and which of them come in the same instant. A forecast starts nothing and knows no
//! database; every slot is taken from the schedules themselves, none is estimated.

mod clocks;

pub use clocks::ClockChange;

use super::calendar::{Calendar, Closed};
use super::schedule::Schedule;
use super::timer::Timer;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// How many slots one forecast looks at; a timer of every second has thirty million a year.
pub const MOST_SLOTS: u64 = 2_000_000;

/// What timers would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// The first local day.
    pub from: NaiveDate,
    /// The last local day.
    pub to: NaiveDate,
    /// Set where there were more than [`MOST_SLOTS`] slots: all counts end before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<DateTime<Utc>>,
    /// The timers, in the order in which they were given.
    pub timers: Vec<TimerForecast>,
    /// Timers that come in the same instant, those that do so most often first.
    pub collisions: Vec<Collision>,
    /// Days on which no timer runs.
    pub days_without_run: usize,
}

/// What one timer would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimerForecast {
    /// Its name.
    pub name: String,
    /// Whether it is on; one that is off does nothing.
    pub on: bool,
    /// The zone of its times.
    pub zone: Tz,
    /// How often it runs.
    pub runs: u64,
    /// Its first run.
    pub first: Option<DateTime<Utc>>,
    /// Its last run.
    pub last: Option<DateTime<Utc>>,
    /// Slots skipped on ordinary weekends.
    pub weekend_slots: u64,
    /// Slots skipped on holidays and the company's closed days.
    pub skipped: Vec<SkippedDay>,
    /// Dates that move.
    pub moved: Vec<MovedDay>,
    /// Days on which it does not run.
    pub days_without_run: usize,
    /// The longest time without a run: its first and last day.
    pub longest_rest: Option<(NaiveDate, NaiveDate)>,
    /// Clock changes that concern its times.
    pub clock_changes: Vec<ClockChange>,
}

/// A closed day on which slots are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedDay {
    /// The day.
    pub date: NaiveDate,
    /// Why it is closed.
    pub reason: String,
    /// How many slots.
    pub slots: u64,
}

/// A named date that goes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedDay {
    /// The date that the schedule names.
    pub date: NaiveDate,
    /// Why it is closed.
    pub reason: String,
    /// The business day to which it goes; none where a year has none.
    pub to: Option<NaiveDate>,
}

/// Timers that come in the same instant, again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collision {
    /// Their names, in the order in which they run: by priority.
    pub timers: Vec<String>,
    /// How often.
    pub times: u64,
    /// The first time.
    pub first: DateTime<Utc>,
    /// The last time.
    pub last: DateTime<Utc>,
    /// Two of them have one priority: the one with fewer records at its last export then goes first.
    pub by_records: bool,
    /// Two of them carry one menu through one integration: the later one overlaps with the earlier.
    pub same_list: bool,
}

/// A timer while its slots are counted.
struct Walk<'t> {
    timer: &'t Timer,
    schedule: Option<&'t Schedule>,
    zone: Tz,
    told: TimerForecast,
    days: BTreeSet<NaiveDate>,
}

/// Looks at every slot from the start of one local day to the end of another. `zone` is the zone of timers that name
/// none, and of the days as a whole.
#[must_use]
pub fn forecast(timers: &[Timer], calendar: &Calendar, zone: Tz, from: NaiveDate, to: NaiveDate) -> Forecast {
    within(MOST_SLOTS, timers, calendar, zone, (from, to))
}

fn within(most: u64, timers: &[Timer], calendar: &Calendar, zone: Tz, span: (NaiveDate, NaiveDate)) -> Forecast {
    let (from, to) = span;
    let mut walks: Vec<Walk<'_>> = timers.iter().map(|timer| Walk::of(timer, calendar, zone, from, to)).collect();
    let start = clocks::start_of(zone, from) - chrono::TimeDelta::seconds(1);
    let end = to.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, |next| clocks::start_of(zone, next));
    let mut heap: BinaryHeap<Reverse<(DateTime<Utc>, usize)>> = BinaryHeap::new();
    for (index, walk) in walks.iter().enumerate() {
        heap.extend(walk.next(calendar, start, end).map(|slot| Reverse((slot, index))));
    }
    let (mut seen, mut cut_at) = (0, None);
    let mut collisions: BTreeMap<Vec<usize>, (u64, DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    let mut days = BTreeSet::new();
    while let Some(Reverse((at, _))) = heap.peek().copied() {
        if seen >= most {
            cut_at = Some(at);
            break;
        }
        let mut together = Vec::new();
        while let Some(Reverse((_, index))) = heap.peek().copied().filter(|Reverse((slot, _))| *slot == at) {
            heap.pop();
            seen += 1;
            if walks[index].count(calendar, at) {
                together.push(index);
                days.insert(at.with_timezone(&zone).date_naive());
            }
            heap.extend(walks[index].next(calendar, at, end).map(|slot| Reverse((slot, index))));
        }
        if together.len() > 1 {
            together.sort_by_key(|index| (Reverse(walks[*index].timer.form().priority), *index));
            let known = collisions.entry(together).or_insert((0, at, at));
            *known = (known.0 + 1, known.1, at);
        }
    }
    let mut collisions: Vec<Collision> = collisions
        .into_iter()
        .map(|(together, (times, first, last))| Collision::of(&together, timers, times, first, last))
        .collect();
    collisions.sort_by_key(|one| (Reverse(one.times), one.first));
    let last_day = cut_at.map_or(to, |cut: DateTime<Utc>| cut.with_timezone(&zone).date_naive().min(to));
    let span = || from.iter_days().take_while(|date| *date <= last_day);
    let days_without_run = span().filter(|date| !days.contains(date)).count();
    let timers = walks.into_iter().map(|walk| walk.told(from, last_day)).collect();
    Forecast { from, to, cut_at, timers, collisions, days_without_run }
}

impl<'t> Walk<'t> {
    fn of(timer: &'t Timer, calendar: &Calendar, zone: Tz, from: NaiveDate, to: NaiveDate) -> Self {
        let zone = timer.zone(zone);
        let schedule = timer.form().schedule.as_ref().filter(|_| timer.is_on());
        let reason = |date| calendar.closed_on(date).map_or_else(String::new, |closed| closed.to_string());
        let moved = schedule.map(|schedule| schedule.moved(calendar, from, to)).unwrap_or_default();
        let told = TimerForecast {
            name: timer.name().to_owned(),
            on: timer.is_on(),
            zone,
            runs: 0,
            first: None,
            last: None,
            weekend_slots: 0,
            skipped: Vec::new(),
            moved: moved.into_iter().map(|(date, to)| MovedDay { date, reason: reason(date), to }).collect(),
            days_without_run: 0,
            longest_rest: None,
            clock_changes: schedule.map(|one| clocks::changes(one, zone, calendar, from, to)).unwrap_or_default(),
        };
        Self { timer, schedule, zone, told, days: BTreeSet::new() }
    }

    /// The next slot before the end, skipped ones included.
    fn next(&self, calendar: &Calendar, after: DateTime<Utc>, end: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule?.next_after(self.zone, calendar, after).filter(|slot| *slot < end)
    }

    /// Counts a slot and says whether it runs.
    fn count(&mut self, calendar: &Calendar, slot: DateTime<Utc>) -> bool {
        let Some(schedule) = self.schedule else { return false };
        if let Some(closed) = schedule.closed(self.zone, calendar, slot) {
            match (closed, schedule.date_of(self.zone, slot)) {
                (Closed::Weekend(_), _) | (_, None) => self.told.weekend_slots += 1,
                (closed, Some(date)) => match self.told.skipped.last_mut().filter(|last| last.date == date) {
                    Some(last) => last.slots += 1,
                    None => self.told.skipped.push(SkippedDay { date, reason: closed.to_string(), slots: 1 }),
                },
            }
            return false;
        }
        self.told.runs += 1;
        self.told.first = self.told.first.or(Some(slot));
        self.told.last = Some(slot);
        self.days.insert(slot.with_timezone(&self.zone).date_naive());
        true
    }

    fn told(mut self, from: NaiveDate, to: NaiveDate) -> TimerForecast {
        let mut rest: Option<(NaiveDate, NaiveDate)> = None;
        for date in from.iter_days().take_while(|date| *date <= to) {
            if self.days.contains(&date) {
                rest = None;
                continue;
            }
            self.told.days_without_run += 1;
            let (start, _) = rest.unwrap_or((date, date));
            rest = Some((start, date));
            let length = |(first, last): (NaiveDate, NaiveDate)| last - first;
            if self.told.longest_rest.is_none_or(|longest| length(longest) < date - start) {
                self.told.longest_rest = rest;
            }
        }
        self.told
    }
}

impl Collision {
    fn of(together: &[usize], timers: &[Timer], times: u64, first: DateTime<Utc>, last: DateTime<Utc>) -> Self {
        let forms = || together.iter().map(|index| timers[*index].form());
        let priorities: BTreeSet<u16> = forms().map(|form| form.priority).collect();
        let lists: BTreeSet<(&str, &str)> =
            forms().map(|form| (form.menu.as_str(), form.integration.as_str())).collect();
        Self {
            timers: forms().map(|form| form.name.clone()).collect(),
            times,
            first,
            last,
            by_records: priorities.len() < together.len(),
            same_list: lists.len() < together.len(),
        }
    }
}

#[cfg(test)]
mod tests;
