//! Which slots were due, from the definitions that a timer has had: each holds for the slots after it was saved, up to
//! the next one. The ledger is not asked.

use crate::domain::calendar::Calendar;
use crate::domain::plan::next_slot;
use crate::domain::timer::Timer;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A definition of a timer, and since when it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// It holds for the slots after this instant.
    pub from: DateTime<Utc>,
    /// The timer; `None` while it was removed.
    pub timer: Option<Timer>,
}

/// What was due in a span of time.
pub(super) struct Reckoned {
    /// The slots, in ascending order, each once.
    pub(super) slots: Vec<DateTime<Utc>>,
    /// Slots that were announced as the next one and taken back by a change of the settings.
    pub(super) announced: Vec<DateTime<Utc>>,
}

/// Reckons the slots in (`from`, `to`]; those after the timer's cursor have not come up yet.
pub(super) fn reckon(
    definitions: &[Definition],
    zone: Tz,
    calendar: &Calendar,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    cursor: DateTime<Utc>,
) -> Reckoned {
    let slots = slots(definitions, zone, calendar, from, to.min(cursor), usize::MAX).unwrap_or_default();
    let reigns = reigns(definitions, cursor);
    let mut announced = Vec::new();
    for pair in reigns.windows(2) {
        let ((timer, begun, ended), (successor, ..)) = (pair[0], pair[1]);
        // A definition that was replaced in the moment of its saving has announced nothing.
        let Some(timer) = timer.filter(|_| begun < ended && from < ended) else { continue };
        let Some(next) = next_slot(timer, timer.zone(zone), calendar, ended) else { continue };
        let before = next - TimeDelta::seconds(1);
        let stays = successor.and_then(|timer| next_slot(timer, timer.zone(zone), calendar, before)) == Some(next);
        if !stays && next > from && next <= to && slots.binary_search(&next).is_err() {
            announced.push(next);
        }
    }
    Reckoned { slots, announced }
}

/// The begin of a window that ends at `to`, is no longer than from `from`, and holds no more than about `most` slots:
/// a timer that runs every second is not reckoned over days.
#[must_use]
pub fn window(
    definitions: &[Definition],
    zone: Tz,
    calendar: &Calendar,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
) -> DateTime<Utc> {
    let mut begin = from;
    while let Err(reached) = slots(definitions, zone, calendar, begin, to, most) {
        begin = to - (reached - begin) * 4 / 5;
    }
    begin
}

/// The slots in (`from`, `to`], or, where they are more than `most`, the one at which that was seen.
fn slots(
    definitions: &[Definition],
    zone: Tz,
    calendar: &Calendar,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
) -> Result<Vec<DateTime<Utc>>, DateTime<Utc>> {
    let mut slots = Vec::new();
    for (timer, begun, ended) in reigns(definitions, to) {
        let Some(timer) = timer else { continue };
        let begun = match timer.on_again_at(zone) {
            Some(at) => begun.max(at - TimeDelta::seconds(1)),
            None if timer.is_on() => begun,
            None => continue,
        };
        let Some(schedule) = timer.form().schedule.as_ref() else { continue };
        for slot in schedule.slots_between(timer.zone(zone), calendar, begun.max(from), ended) {
            if slots.len() == most {
                return Err(slot);
            }
            slots.push(slot);
        }
    }
    Ok(slots)
}

/// Which definition held for the slots after one instant up to another. The wall clock may have gone back between two
/// of them; a slot that has had its fate is never another definition's.
fn reigns(definitions: &[Definition], to: DateTime<Utc>) -> Vec<(Option<&Timer>, DateTime<Utc>, DateTime<Utc>)> {
    let mut begun = DateTime::<Utc>::MIN_UTC;
    let begins: Vec<DateTime<Utc>> = definitions
        .iter()
        .map(|definition| {
            begun = begun.max(definition.from);
            begun
        })
        .collect();
    let ends = begins.iter().skip(1).copied().chain([to]);
    let reigns = definitions.iter().zip(&begins).zip(ends);
    reigns.map(|((definition, &begun), ended)| (definition.timer.as_ref(), begun, ended.min(to))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Tokyo;

    fn every(step: &str, from: i64) -> Definition {
        let form = serde_json::json!({ "name": "t", "menu": "m", "integration": "i", "switch": "on",
                                       "schedule": { "every": step } });
        Definition { from: at(from), timer: Some(serde_json::from_value(form).unwrap()) }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_timer_of_every_second_is_reckoned_over_its_newest_slots_alone() {
        let definitions = [every("1s", 0)];
        let begin = window(&definitions, Tokyo, &Calendar::default(), at(0), at(172_800), 300);
        let slots = slots(&definitions, Tokyo, &Calendar::default(), begin, at(172_800), usize::MAX).unwrap();
        assert!((200..=300).contains(&slots.len()), "{}", slots.len());
        assert_eq!(window(&[every("1h", 0)], Tokyo, &Calendar::default(), at(0), at(172_800), 300), at(0));
    }

    #[test]
    fn each_definition_has_the_slots_of_its_own_time_and_what_it_announced_is_remembered() {
        let off = Definition {
            timer: every("1h", 0)
                .timer
                .and_then(|on| on.switched(crate::domain::timer::Switch::Off, None).ok())
                .map(|(timer, _)| timer),
            from: at(9_000),
        };
        let definitions = [every("1h", 0), off, every("2h", 12_000)];
        let reckoned = reckon(&definitions, Tokyo, &Calendar::default(), at(0), at(30_000), at(30_000));
        // 09:00 in Tokyo is the epoch: even hours of the local day are odd hours from there.
        assert_eq!(reckoned.slots, [3_600, 7_200, 18_000, 25_200].map(at));
        assert_eq!(reckoned.announced, [at(10_800)]);
        // The clock went back before the second one was saved: it begins where the first had come to.
        let back = [every("1h", 0), every("30m", 9_000), every("1h", 5_000)];
        assert_eq!(
            reckon(&back, Tokyo, &Calendar::default(), at(0), at(15_000), at(15_000)).slots,
            [3_600, 7_200, 10_800, 14_400].map(at)
        );
    }
}
