//! The words of the morning mail (朝のまとめ); each language has its own file.

use crate::domain::morning::{NeedKind, NoteKind};
use crate::domain::run::{RunState, SkipReason};

/// The words of the morning mail in one language.
#[derive(Debug)]
pub struct DigestWords {
    /// Subject when nothing has to be done: `{good}` `{due}`.
    pub subject_good: &'static str,
    /// Subject when something has to: `{needs}`.
    pub subject_act: &'static str,
    /// First sentence: `{from}` `{to}` `{due}` `{good}`.
    pub lead: &'static str,
    /// The same where no slot was due: `{from}` `{to}`.
    pub lead_none: &'static str,
    /// "{needs} things need you."
    pub act: &'static str,
    /// The line that adds up: `{due}` `{run}` `{skipped}` `{superseded}` `{unexplained}`.
    pub line: &'static str,
    /// `{ended}` `{open}`
    pub runs: &'static str,
    /// Runs that people caused: `{by_hand}` `{by_hand_good}`.
    pub by_hand: &'static str,
    /// 起動予定
    pub label_slots: &'static str,
    /// The runs of these slots.
    pub label_runs: &'static str,
    /// Runs that people caused.
    pub label_by_hand: &'static str,
    /// The table of timers.
    pub head: [&'static str; 3],
    /// `{count}` slots.
    pub count: &'static str,
    /// What stands between two results.
    pub comma: &'static str,
    /// A run's state: `{state}` `{count}`.
    pub runs_in: &'static str,
    /// Skipped slots: `{count}` `{reason}`.
    pub skipped: &'static str,
    /// Superseded slots: `{count}`.
    pub superseded: &'static str,
    /// Slots of which nobody knows anything: `{count}`.
    pub unexplained: &'static str,
    /// Above what should not be forgotten.
    pub heading_notes: &'static str,
    /// Above the timers that are off.
    pub heading_off: &'static str,
    /// A timer that is off: `{timer}` `{days}`.
    pub off: &'static str,
    /// One that is on again by itself: `{until}` too.
    pub off_until: &'static str,
    /// What a stop of everything concerns.
    pub everything: &'static str,
    /// The last line.
    pub footer: &'static str,
    /// A run's state in a word or two.
    pub state: fn(RunState) -> &'static str,
    /// Why a slot was skipped.
    pub reason: fn(SkipReason) -> &'static str,
    /// What needs a person, and what to do: `{about}` `{run}` `{since}` `{count}`.
    pub need: fn(NeedKind) -> &'static str,
    /// What should not be forgotten: `{about}` `{until}` `{detail}`.
    pub note: fn(NoteKind) -> &'static str,
}
