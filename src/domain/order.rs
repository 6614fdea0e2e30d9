//! Which queued run is next: the decision `next`. As in 楽楽販売 (RAKUS help page): the larger priority first, then the
//! one with fewer records, then the earlier slot; one run at a time. `lanes: per-account` lets accounts run side by
//! side, never two runs of one account. A leader takes over the priority of a follower that waits for it.

use super::gate::{Conditions, Gate, gate};
use super::integration::Account;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many runs may go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lanes {
    /// One in the whole house.
    #[default]
    One,
    /// One for each account.
    PerAccount,
}

impl Lanes {
    /// The lane that a run of this account needs.
    #[must_use]
    pub fn lane_of(self, account: &Account) -> String {
        match self {
            Self::One => "all".to_owned(),
            Self::PerAccount => account.as_str().to_owned(),
        }
    }
}

/// What is known of a queued run when the next one is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The run's number in the store, ascending by creation.
    pub seq: i64,
    /// Its account.
    pub account: Account,
    /// タイマー優先度.
    pub priority: u16,
    /// The data rows at the last complete export of its menu and integration; none sorts last.
    pub records: Option<u64>,
    /// The slot, or when a person asked for it.
    pub due: DateTime<Utc>,
    /// What may keep it from starting.
    pub conditions: Conditions,
}

/// The run to start now, if any: `busy` names the lanes in which a run is going.
#[must_use]
pub fn next<'c>(
    candidates: &'c [Candidate],
    busy: &BTreeSet<String>,
    lanes: Lanes,
    now: DateTime<Utc>,
) -> Option<&'c Candidate> {
    let inherited = inherited(candidates);
    candidates
        .iter()
        .filter(|candidate| !busy.contains(&lanes.lane_of(&candidate.account)))
        .filter(|candidate| gate(&candidate.conditions, now) == Gate::Open)
        .min_by_key(|candidate| {
            let priority = inherited.get(&candidate.seq).copied().unwrap_or(0).max(candidate.priority);
            (Reverse(priority), candidate.records.unwrap_or(u64::MAX), candidate.due, candidate.seq)
        })
}

/// The largest priority of the followers of each leader, over any number of steps: a leader has a smaller number than
/// its followers, so that going through them from the newest hands it down.
fn inherited(candidates: &[Candidate]) -> BTreeMap<i64, u16> {
    let mut followers: Vec<&Candidate> = candidates.iter().filter(|one| !one.conditions.leaders.is_empty()).collect();
    followers.sort_by_key(|one| Reverse(one.seq));
    let mut inherited: BTreeMap<i64, u16> = BTreeMap::new();
    for follower in followers {
        let own = inherited.get(&follower.seq).copied().unwrap_or(0).max(follower.priority);
        for leader in &follower.conditions.leaders {
            let priority = inherited.entry(leader.seq).or_default();
            *priority = own.max(*priority);
        }
    }
    inherited
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::Leader;
    use crate::domain::run::RunState::Queued;

    const NOW: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

    fn candidate(seq: i64, priority: u16, records: Option<u64>, minute: i64) -> Candidate {
        let due = DateTime::from_timestamp(minute * 60, 0).unwrap();
        let conditions = Conditions::default();
        Candidate { seq, account: Account::from_stored(format!("h/{}", seq % 2)), priority, records, due, conditions }
    }

    fn order(mut candidates: Vec<Candidate>) -> Vec<i64> {
        let mut seqs = Vec::new();
        while let Some(seq) = next(&candidates, &BTreeSet::new(), Lanes::One, NOW).map(|first| first.seq) {
            candidates.retain(|candidate| candidate.seq != seq);
            seqs.push(seq);
        }
        seqs
    }

    #[test]
    fn priority_then_fewer_records_then_the_earlier_slot() {
        let queue = vec![
            candidate(1, 50, Some(10), 0),
            candidate(2, 80, Some(900), 5),
            candidate(3, 80, Some(3), 9),
            candidate(4, 80, None, 1),
            candidate(5, 50, Some(10), -5),
        ];
        assert_eq!(order(queue), [3, 2, 4, 5, 1]);
    }

    #[test]
    fn a_busy_lane_lets_nobody_else_in() {
        let queue = [candidate(1, 50, None, 0), candidate(2, 80, None, 0)];
        let busy = |lane: &str| BTreeSet::from([lane.to_owned()]);
        assert_eq!(next(&queue, &busy("all"), Lanes::One, NOW), None);
        assert_eq!(next(&queue, &busy("h/0"), Lanes::PerAccount, NOW).unwrap().seq, 1);
        assert_eq!(next(&queue, &busy("h/1"), Lanes::PerAccount, NOW).unwrap().seq, 2);
    }

    #[test]
    fn a_leader_takes_over_the_priority_of_who_waits_for_it_over_two_steps() {
        let waits_for = |seq: i64, priority, leader: i64| {
            let leader =
                Leader { seq: leader, run: String::new(), timer: String::new(), state: Queued, ended_at: None };
            let conditions = Conditions { leaders: vec![leader], ..Conditions::default() };
            Candidate { conditions, ..candidate(seq, priority, None, 0) }
        };
        let queue = [candidate(1, 10, None, 0), candidate(2, 50, None, 0), waits_for(3, 5, 1), waits_for(4, 90, 3)];
        assert_eq!(next(&queue, &BTreeSet::new(), Lanes::One, NOW).unwrap().seq, 1);
        assert_eq!(next(&queue[..3], &BTreeSet::new(), Lanes::One, NOW).unwrap().seq, 2);
    }
}
