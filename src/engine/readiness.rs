//! Whether the daemon can do its work now, and if not, why and since when. Each loop and each run in trouble writes its
//! reason on one board; a change is logged once, however often the trouble is met again. Beside it stands whether the
//! loops move at all, which is another question: a locked database makes the daemon not ready, and a restart would not
//! help; a loop that hangs does not even say so.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};

/// A step that takes longer than this hangs: the database's own time-outs are far shorter.
const HANGS: Duration = Duration::from_secs(180);
/// The alarm rings every second; without a ring for so long it is dead.
const SILENT: Duration = Duration::from_secs(60);

/// The daemon's own reason before its start and after its stop.
const DAEMON: &str = "daemon";

/// Whether the daemon can do its work, and since when that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Since when it is ready, or not ready.
    pub since: DateTime<Utc>,
    /// Why it is not ready; empty when it is.
    pub reasons: Vec<Reason>,
}

/// One reason for not being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is in trouble: a loop (`planner`, `dispatcher`, `confirming`, `mail`, `notices`), what the heartbeat asks
    /// (`settings`, `pauses`), the `ledger` that does not fit the schedules, or `run R-…`.
    pub part: String,
    /// Why, in one line of English.
    pub why: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Readiness {
    /// Whether it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ready() {
            return out.write_str("ready");
        }
        out.write_str("not ready: ")?;
        for (index, reason) in self.reasons.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(out, "{between}{}: {}", reason.part, reason.why)?;
        }
        Ok(())
    }
}

/// Where the loops write down how they are.
#[derive(Debug)]
pub struct Board {
    current: watch::Sender<Readiness>,
    /// Since when each loop is in the middle of a step, by the time that the process has run.
    steps: Mutex<BTreeMap<&'static str, Duration>>,
    rung: Mutex<Option<Duration>>,
}

impl Board {
    /// Not ready: nothing was started yet.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        let reason = Reason { part: DAEMON.to_owned(), why: "not started".to_owned(), since: now };
        let (current, _) = watch::channel(Readiness { since: now, reasons: vec![reason] });
        Self { current, steps: Mutex::default(), rung: Mutex::default() }
    }

    /// How it stands now.
    #[must_use]
    pub fn now(&self) -> Readiness {
        self.current.borrow().clone()
    }

    /// Tells of each change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Readiness> {
        self.current.subscribe()
    }

    /// The loops run.
    pub(super) fn started(&self, now: DateTime<Utc>) {
        self.change(|readiness| remove(readiness, DAEMON, now));
    }

    /// Nothing more is planned or started.
    pub(super) fn stopping(&self, now: DateTime<Utc>) {
        self.change(|readiness| put(readiness, DAEMON, "stopping", now));
    }

    /// A part is in trouble; only the first time is logged.
    pub(super) fn trouble(&self, part: &str, why: &str, now: DateTime<Utc>) {
        let is_new = self.change(|readiness| put(readiness, part, why, now));
        if is_new {
            warn!(part, "not ready: {why}");
        }
    }

    /// A part does its work (again).
    pub(super) fn well(&self, part: &str, now: DateTime<Utc>) {
        let was_in_trouble = self.change(|readiness| remove(readiness, part, now));
        if was_in_trouble {
            info!(part, ready = self.current.borrow().is_ready(), "works again");
        }
    }

    /// A loop begins a step.
    pub(super) fn begins(&self, part: &'static str, elapsed: Duration) {
        lock(&self.steps).insert(part, elapsed);
    }

    /// A loop has done its step, or ended.
    pub(super) fn rests(&self, part: &'static str) {
        lock(&self.steps).remove(part);
    }

    /// The alarm rang.
    pub(super) fn rang(&self, elapsed: Duration) {
        *lock(&self.rung) = Some(elapsed);
    }

    /// The loop that hangs, if one does: in a step for minutes, or an alarm that does not ring.
    pub(super) fn hangs(&self, elapsed: Duration) -> Option<&'static str> {
        let older = |since: Duration, limit| elapsed.saturating_sub(since) > limit;
        let silent = lock(&self.rung).is_some_and(|rung| older(rung, SILENT));
        let steps = lock(&self.steps);
        let step = steps.iter().find(|(_, since)| older(**since, HANGS)).map(|(part, _)| *part);
        step.or_else(|| silent.then_some("alarm"))
    }

    /// Wakes those who watch only when something has changed.
    fn change(&self, change: impl FnOnce(&mut Readiness) -> bool) -> bool {
        self.current.send_if_modified(change)
    }
}

fn put(readiness: &mut Readiness, part: &str, why: &str, now: DateTime<Utc>) -> bool {
    if let Some(known) = readiness.reasons.iter_mut().find(|reason| reason.part == part) {
        // The newest words, without telling everybody again.
        why.clone_into(&mut known.why);
        return false;
    }
    if readiness.is_ready() {
        readiness.since = now;
    }
    readiness.reasons.push(Reason { part: part.to_owned(), why: why.to_owned(), since: now });
    true
}

fn remove(readiness: &mut Readiness, part: &str, now: DateTime<Utc>) -> bool {
    let before = readiness.reasons.len();
    readiness.reasons.retain(|reason| reason.part != part);
    let changed = readiness.reasons.len() < before;
    if changed && readiness.is_ready() {
        readiness.since = now;
    }
    changed
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn it_is_ready_when_the_last_reason_is_gone_and_remembers_since_when() {
        let board = Board::new(at(0));
        let mut watcher = board.watch();
        assert!(!board.now().is_ready());
        board.started(at(1));
        assert_eq!((board.now().is_ready(), board.now().since), (true, at(1)));
        board.trouble("planner", "locked", at(2));
        board.trouble("run R-1", "locked", at(3));
        assert!(watcher.has_changed().unwrap());
        watcher.mark_unchanged();
        board.trouble("planner", "full", at(4));
        assert!(!watcher.has_changed().unwrap(), "the same trouble is no news");
        assert_eq!(board.now().to_string(), "not ready: planner: full; run R-1: locked");
        board.well("planner", at(5));
        assert_eq!((board.now().is_ready(), board.now().since), (false, at(2)));
        board.well("run R-1", at(6));
        assert_eq!((board.now().is_ready(), board.now().since), (true, at(6)));
        board.stopping(at(7));
        assert!(!board.now().is_ready());
    }

    #[test]
    fn a_loop_that_is_in_one_step_for_minutes_hangs_and_one_that_sleeps_does_not() {
        let board = Board::new(at(0));
        let seconds = Duration::from_secs;
        board.begins("planner", seconds(0));
        board.rests("planner");
        board.begins("dispatcher", seconds(10));
        assert_eq!(board.hangs(seconds(190)), None);
        assert_eq!(board.hangs(seconds(191)), Some("dispatcher"));
        board.rests("dispatcher");
        board.rang(seconds(100));
        assert_eq!((board.hangs(seconds(160)), board.hangs(seconds(161))), (None, Some("alarm")));
    }
}
