//! May a queued run start: the decision `gate`. It stands before the order: a run that waits for its leaders, for the
//! end of a pause or of a planned stop holds no lane, and one that has lost its sense is skipped.

use super::duration::Span;
use super::run::RunState;
use super::timer::AfterPartial;
use chrono::{DateTime, Utc};
use std::fmt;

/// The run that a follower waits for: of a leading timer's slot, the newest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The run's number in the store.
    pub seq: i64,
    /// Its 実行番号.
    pub run: String,
    /// The leading timer's name.
    pub timer: String,
    /// Where it stands.
    pub state: RunState,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What may keep a queued run from starting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Whether it has started before: then it is only asked whether it may send now.
    pub started: bool,
    /// Not started by then, it is skipped.
    pub start_by: Option<DateTime<Utc>>,
    /// What it waits for.
    pub leaders: Vec<Leader>,
    /// How long a leader rests after it was accepted.
    pub settle: Span,
    /// Whether it runs after a leader of which a part was taken.
    pub after_partial: AfterPartial,
    /// Whether its integration is paused.
    pub paused: bool,
    /// The end of a planned stop that concerns it.
    pub stopped_until: Option<DateTime<Utc>>,
}

/// The answer to "may it start".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not now.
    Waits(Obstacle),
    /// Never: it is skipped.
    Skip(Cause),
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A leader that has not ended, or whose import has to settle.
    Leader(Leader),
    /// Its integration is paused.
    Pause,
    /// A planned stop.
    Stop(DateTime<Utc>),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leader(leader) if leader.state.is_ended() => {
                write!(
                    out,
                    "run {} of the timer {} is {}, and its import settles",
                    leader.run, leader.timer, leader.state
                )
            }
            Self::Leader(leader) => write!(out, "run {} of the timer {} is {}", leader.run, leader.timer, leader.state),
            Self::Pause => out.write_str("its integration is paused"),
            Self::Stop(_) => out.write_str("a planned stop has not ended"),
        }
    }
}

/// Why a run is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Its `start_by` is over.
    TooLate(DateTime<Utc>),
    /// A leader did not end well.
    Leader(Leader),
}

/// Decides whether a queued run may start at `now`.
#[must_use]
pub fn gate(conditions: &Conditions, now: DateTime<Utc>) -> Gate {
    let mut obstacle = None;
    if !conditions.started {
        for leader in &conditions.leaders {
            match standing(leader, conditions, now) {
                Standing::Well => {}
                Standing::Open => obstacle = obstacle.or_else(|| Some(Obstacle::Leader(leader.clone()))),
                Standing::Badly => return Gate::Skip(Cause::Leader(leader.clone())),
            }
        }
        if let Some(start_by) = conditions.start_by.filter(|start_by| *start_by < now) {
            return Gate::Skip(Cause::TooLate(start_by));
        }
    }
    let stop = || conditions.stopped_until.map(Obstacle::Stop);
    match obstacle.or_else(|| conditions.paused.then_some(Obstacle::Pause)).or_else(stop) {
        Some(obstacle) => Gate::Waits(obstacle),
        None => Gate::Open,
    }
}

enum Standing {
    Well,
    Open,
    Badly,
}

fn standing(leader: &Leader, conditions: &Conditions, now: DateTime<Utc>) -> Standing {
    let settled = leader.ended_at.is_some_and(|ended| ended + conditions.settle.to_delta() <= now);
    match leader.state {
        RunState::Imported => Standing::Well,
        RunState::Partial if conditions.after_partial == AfterPartial::Skip => Standing::Badly,
        RunState::Accepted | RunState::Partial if settled => Standing::Well,
        RunState::Failed | RunState::Unknown | RunState::Cancelled | RunState::Skipped => Standing::Badly,
        _ => Standing::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn after(state: RunState, ended: Option<i64>) -> Conditions {
        let leader = Leader { seq: 1, run: "R-1".into(), timer: "部門".into(), state, ended_at: ended.map(at) };
        Conditions { leaders: vec![leader], settle: Span::minutes(10), ..Conditions::default() }
    }

    #[test]
    fn accepted_settles_and_imported_need_not() {
        assert!(matches!(gate(&after(RunState::Accepted, Some(0)), at(9)), Gate::Waits(Obstacle::Leader(_))));
        assert_eq!(gate(&after(RunState::Accepted, Some(0)), at(10)), Gate::Open);
        assert_eq!(gate(&after(RunState::Imported, Some(0)), at(0)), Gate::Open);
    }

    #[test]
    fn a_leader_that_ended_badly_skips_its_follower_and_one_that_is_open_or_held_is_waited_for() {
        use RunState::{Cancelled, Confirming, Failed, Held, Partial, Queued, Running, Skipped, Unknown, Waiting};
        for state in [Failed, Unknown, Cancelled, Skipped, Partial] {
            assert!(matches!(gate(&after(state, Some(0)), at(60)), Gate::Skip(Cause::Leader(_))), "{state}");
        }
        for state in [Queued, Running, Waiting, Held, Confirming] {
            assert!(matches!(gate(&after(state, None), at(60)), Gate::Waits(_)), "{state}");
        }
        let run = Conditions { after_partial: AfterPartial::Run, ..after(Partial, Some(0)) };
        assert!(matches!(gate(&run, at(9)), Gate::Waits(_)));
        assert_eq!(gate(&run, at(10)), Gate::Open);
    }

    #[test]
    fn what_has_not_started_by_its_time_is_skipped_and_what_has_started_goes_on() {
        let late = Conditions { start_by: Some(at(30)), ..after(RunState::Held, None) };
        assert!(matches!(gate(&late, at(30)), Gate::Waits(_)));
        assert_eq!(gate(&late, at(31)), Gate::Skip(Cause::TooLate(at(30))));
        assert_eq!(gate(&Conditions { started: true, ..late }, at(31)), Gate::Open);
    }

    #[test]
    fn a_pause_and_a_stop_hold_what_has_started_too() {
        let paused = Conditions { started: true, paused: true, ..Conditions::default() };
        assert_eq!(gate(&paused, at(0)), Gate::Waits(Obstacle::Pause));
        let stopped = Conditions { stopped_until: Some(at(5)), ..Conditions::default() };
        assert_eq!(gate(&stopped, at(0)), Gate::Waits(Obstacle::Stop(at(5))));
    }
}
