//! The statement over the ledger of slots: *every timer that is on has one next slot, or is exhausted or paused with a
//! reason; due = run + skipped + superseded + 0 unexplained; runs = ended + open*. What was due is reckoned from the
//! schedules (`reckoning`), never taken from the ledger; then each slot is looked for in the ledger. What does not
//! fit is a [`Finding`], and none of it is repaired here.

mod reckoning;

pub use reckoning::{Definition, window};

use super::calendar::Calendar;
use super::names::names;
use super::plan::look_again;
use super::run::{RunState, SkipReason, SlotState};
use super::timer::Timer;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::fmt;

/// A next slot that is older than this was not planned: the planner is stuck, or there is none.
pub const STUCK: TimeDelta = TimeDelta::seconds(60);
/// A run that starts within this after its slot is on time.
pub const ON_TIME: TimeDelta = TimeDelta::milliseconds(2_999);

/// What became of one slot, or of several that share a fate (起動予定・結果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When it was due; the last one where the row stands for several.
    pub scheduled_at: DateTime<Utc>,
    /// The first slot that the row stands for.
    pub first_at: DateTime<Utc>,
    /// How many slots the row stands for.
    pub slots: u64,
    /// What became of it.
    pub state: SlotState,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// Its run; a planned slot without one has lost it.
    pub run: Option<String>,
    /// Where its run stands.
    pub run_state: Option<RunState>,
    /// When its run started.
    pub started_at: Option<DateTime<Utc>>,
}

impl Occurrence {
    /// How late its run started; `None` while it has not, zero where it was on time.
    #[must_use]
    pub fn lateness(&self) -> Option<TimeDelta> {
        let late = self.started_at? - self.scheduled_at;
        Some(if late <= ON_TIME { TimeDelta::zero() } else { late })
    }
}

/// One timer with all that is needed to hold its ledger against its schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// The timer as it stands.
    pub timer: Timer,
    /// Since when its switch is as it is.
    pub switched_at: DateTime<Utc>,
    /// Slots up to here are accounted for.
    pub cursor: DateTime<Utc>,
    /// When the planner looks at it next.
    pub next_at: Option<DateTime<Utc>>,
    /// Whether its integration is paused.
    pub paused: bool,
    /// Its definitions since before `from`, the oldest first.
    pub definitions: Vec<Definition>,
    /// Slots up to here are taken as the ledger has them: they were reckoned under another zone or other rules.
    pub rules_from: Option<DateTime<Utc>>,
    /// The slots after this …
    pub from: DateTime<Utc>,
    /// … up to this are judged.
    pub to: DateTime<Utc>,
    /// The ledger's rows of that time, in order.
    pub rows: Vec<Occurrence>,
}

/// The line that adds up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Slots that were due.
    pub due: u64,
    /// Of these, with a run.
    pub run: u64,
    /// 見送り.
    pub skipped: u64,
    /// 設定変更により取りやめ.
    pub superseded: u64,
    /// Of these, nobody knows what became of them.
    pub unexplained: u64,
    /// The runs of these slots that are over.
    pub ended: u64,
    /// Those that are not.
    pub open: u64,
    /// Those that ended well.
    pub good: u64,
}

impl Tally {
    /// Whether every slot is explained and every run is there.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.unexplained == 0
            && self.due == self.run + self.skipped + self.superseded
            && self.run == self.ended + self.open
    }

    fn add(&mut self, other: Self) {
        self.due += other.due;
        self.run += other.run;
        self.skipped += other.skipped;
        self.superseded += other.superseded;
        self.unexplained += other.unexplained;
        self.ended += other.ended;
        self.open += other.open;
        self.good += other.good;
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, one| {
            sum.add(one);
            sum
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "due {} = run {} + skipped {} + superseded {} + unexplained {}; runs: {} ended, {} open",
            self.due, self.run, self.skipped, self.superseded, self.unexplained, self.ended, self.open
        )
    }
}

names! {
    /// What does not fit.
    FindingKind {
        /// The schedule has the slot, the ledger says nothing of it.
        Unexplained = "unexplained",
        /// The ledger has the slot, no schedule that was in force does.
        Unforeseen = "unforeseen",
        /// The timer has no next slot, though its schedule goes on.
        NoNext = "no-next-slot",
        /// The timer's next slot is not the one that its schedule says.
        WrongNext = "wrong-next-slot",
        /// The timer's next slot has passed and was not planned.
        Stuck = "not-planned",
        /// The slot has a run that is not there.
        RunLost = "run-lost",
        /// The run of a timer has no slot.
        SlotLost = "slot-lost",
        /// The run is queued for a day, and nothing keeps it.
        Forgotten = "forgotten",
    }
}

/// What a finding is about: kind, timer, run, instant.
pub type FindingKey = (FindingKind, Option<String>, Option<String>, DateTime<Utc>);

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The timer's name.
    pub timer: Option<String>,
    /// The run.
    pub run: Option<String>,
    /// The first slot or instant in question.
    pub first: DateTime<Utc>,
    /// The last one.
    pub last: DateTime<Utc>,
    /// How many slots.
    pub count: u64,
}

impl Finding {
    /// About one instant of a timer.
    fn of(kind: FindingKind, timer: &str, at: DateTime<Utc>) -> Self {
        Self { kind, timer: Some(timer.to_owned()), run: None, first: at, last: at, count: 1 }
    }

    /// About a run.
    #[must_use]
    pub fn of_run(kind: FindingKind, timer: Option<String>, run: String, at: DateTime<Utc>) -> Self {
        Self { kind, timer, run: Some(run), first: at, last: at, count: 1 }
    }

    /// One line of English for logs and lists, times in a zone.
    #[must_use]
    pub fn told(&self, zone: Tz) -> String {
        let timer = self.timer.as_deref().unwrap_or("-");
        let run = self.run.as_deref().unwrap_or("-");
        let at = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
        let slots = if self.count > 1 {
            format!("{} slots from {} to {}", self.count, at(self.first), at(self.last))
        } else {
            format!("the slot {}", at(self.last))
        };
        match self.kind {
            FindingKind::Unexplained => format!("timer {timer}: the ledger says nothing of {slots}"),
            FindingKind::Unforeseen => format!("timer {timer}: no schedule that was in force has {slots}"),
            FindingKind::NoNext => {
                format!("timer {timer}: it has no next slot, and its schedule has {}", at(self.last))
            }
            FindingKind::WrongNext => {
                format!("timer {timer}: its next slot is {}, its schedule says another", at(self.last))
            }
            FindingKind::Stuck => {
                format!("timer {timer}: the slot {} has come and was not planned: is a daemon running?", at(self.last))
            }
            FindingKind::RunLost => format!("timer {timer}: the run of {slots} is not there"),
            FindingKind::SlotLost => format!("run {run} of the timer {timer}: the ledger has no slot for it"),
            FindingKind::Forgotten => {
                format!("run {run} is queued since {}, and nothing keeps it from starting", at(self.first))
            }
        }
    }

    /// The same as long as it is about the same: for telling a thing once.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        (self.kind, self.timer.clone(), self.run.clone(), self.last)
    }
}

names! {
    /// How a timer stands.
    Standing {
        /// It has a next slot.
        Next = "next",
        /// It has a next slot, which will be skipped: its integration is paused.
        Paused = "paused",
        /// It is on, and no slot comes any more.
        Exhausted = "exhausted",
        /// Its switch is off.
        Off = "off",
    }
}

/// What was found of one timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How it stands.
    pub standing: Standing,
    /// Its line.
    pub tally: Tally,
    /// Why slots were skipped, and how many each.
    pub reasons: BTreeMap<SkipReason, u64>,
    /// What does not fit.
    pub findings: Vec<Finding>,
}

/// Holds a timer's ledger against its schedule. `zone` is the zone of timers that name none; `calendar` says which days
/// are worked.
#[must_use]
pub fn judge(book: &Book, zone: Tz, calendar: &Calendar, now: DateTime<Utc>) -> Judgement {
    let mut judge = Judge {
        name: book.timer.name(),
        tally: Tally::default(),
        reasons: BTreeMap::new(),
        gaps: [None, None],
        findings: Vec::new(),
    };
    let reckoned_from = book.rules_from.map_or(book.from, |rules| rules.max(book.from));
    let reckoned = reckoning::reckon(&book.definitions, zone, calendar, reckoned_from, book.to, book.cursor);
    let mut matched = vec![0_u64; book.rows.len()];
    for &slot in &reckoned.slots {
        match row_of(&book.rows, slot).filter(|&row| book.rows[row].state != SlotState::Superseded) {
            Some(row) => matched[row] += 1,
            None => judge.unexplained(slot, slot, 1),
        }
    }
    for &slot in &reckoned.announced {
        if row_of(&book.rows, slot).is_none() {
            judge.unexplained(slot, slot, 1);
        }
    }
    for (row, matched) in book.rows.iter().zip(matched) {
        let inside = row.first_at > reckoned_from && row.scheduled_at <= book.to;
        if row.scheduled_at <= book.from || row.first_at > book.to {
            continue;
        }
        if row.state == SlotState::Superseded {
            if row.scheduled_at <= book.to && reckoned.slots.binary_search(&row.scheduled_at).is_err() {
                judge.count(row, 1);
            }
            continue;
        }
        // Of a row that lies across an end of the window only the slots inside count.
        let is_whole = inside || row.scheduled_at <= reckoned_from;
        judge.count(row, if is_whole { row.slots } else { matched });
        if inside && matched < row.slots {
            judge.gap(FindingKind::Unforeseen, row.first_at, row.scheduled_at, row.slots - matched);
        }
        if inside && matched > row.slots {
            // The row stands for fewer slots than the schedule has in its span.
            judge.unexplained(row.first_at, row.scheduled_at, matched - row.slots);
        }
    }
    let standing = judge.standing(book, zone, calendar, now);
    let mut findings: Vec<Finding> = judge.gaps.into_iter().flatten().collect();
    findings.append(&mut judge.findings);
    Judgement { standing, tally: judge.tally, reasons: judge.reasons, findings }
}

/// The row that stands for a slot.
fn row_of(rows: &[Occurrence], slot: DateTime<Utc>) -> Option<usize> {
    let at = rows.partition_point(|row| row.scheduled_at < slot);
    (at < rows.len() && rows[at].first_at <= slot).then_some(at)
}

struct Judge<'b> {
    name: &'b str,
    tally: Tally,
    reasons: BTreeMap<SkipReason, u64>,
    /// Unexplained and unforeseen slots, told together.
    gaps: [Option<Finding>; 2],
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn count(&mut self, row: &Occurrence, slots: u64) {
        let tally = &mut self.tally;
        tally.due += slots;
        match row.state {
            SlotState::Superseded => tally.superseded += slots,
            SlotState::Skipped => {
                tally.skipped += slots;
                if let Some(reason) = row.reason {
                    *self.reasons.entry(reason).or_default() += slots;
                }
            }
            SlotState::Planned => {
                tally.run += slots;
                match row.run_state {
                    Some(state) if state.is_ended() => {
                        tally.ended += slots;
                        tally.good += if state.is_good() { slots } else { 0 };
                    }
                    Some(_) => tally.open += slots,
                    None => self.findings.push(Finding::of(FindingKind::RunLost, self.name, row.scheduled_at)),
                }
            }
        }
    }

    fn unexplained(&mut self, first: DateTime<Utc>, last: DateTime<Utc>, slots: u64) {
        self.tally.due += slots;
        self.tally.unexplained += slots;
        self.gap(FindingKind::Unexplained, first, last, slots);
    }

    fn gap(&mut self, kind: FindingKind, first: DateTime<Utc>, last: DateTime<Utc>, slots: u64) {
        let gap = &mut self.gaps[usize::from(kind == FindingKind::Unforeseen)];
        match gap {
            Some(gap) => {
                gap.first = gap.first.min(first);
                gap.last = gap.last.max(last);
                gap.count += slots;
            }
            None => {
                *gap = Some(Finding { first, last, count: slots, ..Finding::of(kind, self.name, last) });
            }
        }
    }

    fn standing(&mut self, book: &Book, zone: Tz, calendar: &Calendar, now: DateTime<Utc>) -> Standing {
        let next = look_again(&book.timer, book.timer.zone(zone), calendar, book.cursor);
        match (book.next_at, next) {
            (None, Some(next)) => self.findings.push(Finding::of(FindingKind::NoNext, self.name, next)),
            (Some(stored), next) if next != Some(stored) => {
                self.findings.push(Finding::of(FindingKind::WrongNext, self.name, stored));
            }
            (Some(stored), _) if stored < now - STUCK => {
                self.findings.push(Finding::of(FindingKind::Stuck, self.name, stored));
            }
            _ => {}
        }
        match next {
            _ if !book.timer.is_on() => Standing::Off,
            None => Standing::Exhausted,
            Some(_) if book.paused => Standing::Paused,
            Some(_) => Standing::Next,
        }
    }
}

/// The statement over all timers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// How many timers stand how.
    pub standings: BTreeMap<Standing, u64>,
    /// The line over all of them.
    pub tally: Tally,
    /// What does not fit; empty when all is well.
    pub findings: Vec<Finding>,
}

impl Statement {
    /// Adds what was found of one timer.
    pub fn add(&mut self, judgement: &Judgement) {
        *self.standings.entry(judgement.standing).or_default() += 1;
        self.tally.add(judgement.tally);
        self.findings.extend(judgement.findings.iter().cloned());
    }

    /// How many timers stand so.
    #[must_use]
    pub fn timers(&self, standing: Standing) -> u64 {
        self.standings.get(&standing).copied().unwrap_or(0)
    }

    /// Whether everything fits.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty() && self.tally.adds_up()
    }
}
