//! Chains of timers (`after`) as they will be once the files are applied: a circle would wait for itself for ever.

use super::names::Named;
use super::{Against, Forms};
use crate::yaml::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// Refuses each circle once, at the first timer of the files that is in it.
pub(super) fn circles(forms: &Forms<'_>, against: &Against<'_>, findings: &mut Vec<Finding>) {
    let mut after: BTreeMap<&str, &[String]> = BTreeMap::new();
    if !against.prune {
        after.extend(against.stored.timers.iter().map(|timer| (timer.id(), timer.form().after.as_slice())));
    }
    after.extend(forms.timers.iter().map(|timer| (timer.form.effective_id(), timer.form.after.as_slice())));
    let mut told: BTreeSet<String> = BTreeSet::new();
    for timer in &forms.timers {
        let id = timer.form.effective_id();
        // One that names itself was refused with the timer itself.
        let Some(way) = way_back(id, &after) else { continue };
        if way.iter().any(|id| told.contains(id)) {
            continue;
        }
        let what = format!("the timer would wait for itself: {}", way.join(" → "));
        let fix = "take one of them out of another's after:".to_owned();
        timer.refuse(&["after"], format!("timer {}", timer.form.name), what, fix, findings);
        told.extend(way);
    }
}

/// The way from a timer over its leaders back to it, both ends included. One that names itself was refused with the
/// timer.
fn way_back(start: &str, after: &BTreeMap<&str, &[String]>) -> Option<Vec<String>> {
    let leaders = |id: &str| after.get(id).copied().unwrap_or_default();
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open: Vec<&str> = vec![start];
    while let Some(at) = open.pop() {
        for leader in leaders(at) {
            if leader == start && at != start {
                let mut way = vec![start.to_owned()];
                let steps = std::iter::successors(Some(at), |at| came_from.get(at).copied());
                way.extend(steps.map(str::to_owned));
                way.reverse();
                return Some(way);
            }
            if leader != start && !came_from.contains_key(leader.as_str()) {
                came_from.insert(leader, at);
                open.push(leader);
            }
        }
    }
    None
}
