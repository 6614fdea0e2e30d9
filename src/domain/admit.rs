//! May a request go now: the decision `admit`. An account has as many slot rows as it may send requests a minute; one
//! is taken before sending and is free again 60 s *after* its answer. A log of our own stamps would not do (a stamped
//! request can arrive late), nor a token bucket (39 can pass in one window).

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a slot rests after its request has been answered.
pub const WINDOW: Duration = Duration::from_secs(60);

/// An instant by the clock that starts at boot and counts through suspend; only comparable under one boot id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootInstant {
    /// Which boot of which machine.
    pub boot_id: String,
    /// Milliseconds since that boot.
    pub millis: u64,
}

/// One of an account's slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSlot {
    /// From 0.
    pub number: u32,
    /// Taken by a request that has not been answered (by a process that still lives).
    pub taken: bool,
    /// When its last request was answered; `None` if it never held one.
    pub released: Option<BootInstant>,
}

/// The answer to "may I send".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Take this slot.
    Go(u32),
    /// Ask again after this time at the latest, or when a slot is given back.
    Wait(Duration),
}

/// Decides for an account that may have `limit` requests in any 60 s. Slots numbered `limit` and above (the limit was
/// lowered) must rest like the others before anything new goes: they still count at the receiver.
#[must_use]
pub fn admit(slots: &[RequestSlot], limit: u32, now: &BootInstant) -> Admission {
    let rest = |slot: &RequestSlot| -> Duration {
        if slot.taken {
            return WINDOW;
        }
        match &slot.released {
            None => Duration::ZERO,
            // Another boot, or a clock that ran backwards: nothing is known of the age, so a full window is waited
            // from now; the store restamps such slots.
            Some(then) if then.boot_id != now.boot_id || then.millis > now.millis => WINDOW,
            Some(then) => WINDOW.saturating_sub(Duration::from_millis(now.millis - then.millis)),
        }
    };
    let busy = slots.iter().filter(|slot| !rest(slot).is_zero()).count();
    if busy < limit as usize {
        let free = (0..limit)
            .find(|&number| slots.iter().find(|slot| slot.number == number).is_none_or(|slot| rest(slot).is_zero()));
        if let Some(number) = free {
            return Admission::Go(number);
        }
    }
    let shortest = slots.iter().map(rest).filter(|wait| !wait.is_zero()).min().unwrap_or(WINDOW);
    Admission::Wait(shortest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> BootInstant {
        BootInstant { boot_id: "b".into(), millis }
    }

    fn slot(number: u32, taken: bool, released: Option<u64>) -> RequestSlot {
        RequestSlot { number, taken, released: released.map(at) }
    }

    #[test]
    fn a_slot_rests_a_whole_minute_after_its_answer() {
        let slots = [slot(0, false, Some(1_000)), slot(1, true, None)];
        assert_eq!(admit(&slots, 2, &at(60_999)), Admission::Wait(Duration::from_millis(1)));
        assert_eq!(admit(&slots, 2, &at(61_000)), Admission::Go(0));
    }

    #[test]
    fn another_boot_or_a_clock_that_ran_backwards_waits_a_full_minute() {
        let slots = [slot(0, false, Some(500_000))];
        assert_eq!(admit(&slots, 1, &at(400_000)), Admission::Wait(WINDOW));
        let other = BootInstant { boot_id: "c".into(), millis: 900_000 };
        assert_eq!(admit(&slots, 1, &other), Admission::Wait(WINDOW));
    }

    #[test]
    fn a_lowered_limit_counts_what_was_sent_under_the_higher_one() {
        let slots: Vec<_> =
            (0..5).map(|number| slot(number, false, Some(if number < 2 { 0 } else { 50_000 }))).collect();
        assert!(matches!(admit(&slots, 2, &at(61_000)), Admission::Wait(_)), "three still count");
        assert_eq!(admit(&slots, 4, &at(61_000)), Admission::Go(0));
    }
}
