//! Chains: which slot of a leading timer a follower's slot waits for, and in which order timers are planned so that
//! the leaders' slots are known by then.

use super::{DueTimer, Fate};
use crate::domain::run::SkipReason;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// What a follower's slot waits for of one leading timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderSlot {
    /// The leading timer's id.
    pub timer: String,
    /// Its slot; `None` when there is nothing to wait for.
    pub slot: Option<DateTime<Utc>>,
    /// Why there is nothing to wait for.
    pub note: Option<&'static str>,
}

/// A slot of a leading timer that has had its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSlot {
    /// When it was due.
    pub at: DateTime<Utc>,
    /// Why it has no run; `None` when it has one.
    pub skipped: Option<SkipReason>,
}

/// What is known of a timer that others follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaderFacts {
    /// Whether its switch is on.
    pub on: bool,
    /// Its slots of the days in question, in any order.
    pub past: Vec<PastSlot>,
}

/// A leader's latest slot on the follower's local date, at or before the follower's own slot. `Err` when that slot was
/// skipped: the follower is skipped too.
pub(super) fn leader_slot(
    leader: &str,
    facts: Option<&LeaderFacts>,
    zone: Tz,
    slot: DateTime<Utc>,
) -> Result<LeaderSlot, SkipReason> {
    let date = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let nothing = |note| Ok(LeaderSlot { timer: leader.to_owned(), slot: None, note: Some(note) });
    let Some(facts) = facts else { return nothing("the leading timer is no longer there") };
    let latest = facts
        .past
        .iter()
        // A day on which the leader rests is a day without a slot.
        .filter(|past| past.at <= slot && date(past.at) == date(slot) && past.skipped != Some(SkipReason::ClosedDay))
        .max_by_key(|past| past.at);
    match latest {
        Some(past) if past.skipped.is_some() => Err(SkipReason::Leader),
        Some(past) => Ok(LeaderSlot { timer: leader.to_owned(), slot: Some(past.at), note: None }),
        None if facts.on => nothing("it has no slot on this date up to then"),
        None => nothing("it is switched off"),
    }
}

/// The order in which timers are planned: leaders before their followers, otherwise as given.
pub(super) fn leaders_first(timers: &[DueTimer]) -> Vec<usize> {
    let index: BTreeMap<&str, usize> = timers.iter().enumerate().map(|(at, due)| (due.timer.id(), at)).collect();
    let mut order = Vec::with_capacity(timers.len());
    let mut seen = BTreeSet::new();
    let mut stack = Vec::new();
    for start in 0..timers.len() {
        stack.push((start, false));
        while let Some((at, leaders_done)) = stack.pop() {
            if leaders_done {
                order.push(at);
            } else if seen.insert(at) {
                stack.push((at, true));
                let leaders = timers[at].timer.form().after.iter().rev();
                stack.extend(leaders.filter_map(|id| index.get(id.as_str())).map(|&leader| (leader, false)));
            }
        }
    }
    order
}

/// Adds what was decided of a timer to what is known of it as a leader.
pub(super) fn remember(facts: &mut BTreeMap<String, LeaderFacts>, timer: &str, at: DateTime<Utc>, fate: &Fate) {
    if let Some(facts) = facts.get_mut(timer) {
        let skipped = match fate {
            Fate::Run(_) => None,
            Fate::Skip(reason) => Some(*reason),
        };
        facts.past.push(PastSlot { at, skipped });
    }
}
