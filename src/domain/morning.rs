//! The morning page (朝のまとめ) as facts: what became of the slots of every timer, the line that adds up, and what
//! needs a person. The command line, the digest mail and whoever else shows it take it from here.

use super::names::names;
use super::run::{RunState, SkipReason};
use super::statement::{Occurrence, Standing, Statement, Tally};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What an administrator wants to see at 8:30.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Morning {
    /// Slots after this …
    pub from: DateTime<Utc>,
    /// … up to this are told.
    pub to: DateTime<Utc>,
    /// The line over all timers, and what does not fit.
    pub statement: Statement,
    /// Every timer, by name.
    pub timers: Vec<TimerDay>,
    /// Runs that people started or repeated in this time.
    pub by_hand: u64,
    /// Of these, how many ended well.
    pub by_hand_good: u64,
    /// What needs a person now, the most urgent kind first.
    pub needs: Vec<Need>,
    /// What is as it was meant to be, and should not be forgotten.
    pub notes: Vec<Note>,
}

impl Morning {
    /// Whether somebody has to do something.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        !self.needs.is_empty()
    }

    /// The timers that are off, the longest first.
    #[must_use]
    pub fn off(&self) -> Vec<&TimerDay> {
        let mut off: Vec<&TimerDay> = self.timers.iter().filter(|day| day.standing == Standing::Off).collect();
        off.sort_by_key(|day| day.switched_at);
        off
    }
}

/// One timer in the time of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerDay {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// Since when its switch is as it is.
    pub switched_at: DateTime<Utc>,
    /// When a timer that is off is on again by itself.
    pub on_again: Option<DateTime<Utc>>,
    /// Its next slot.
    pub next: Option<DateTime<Utc>>,
    /// Its line.
    pub tally: Tally,
    /// Why slots were skipped, and how many each.
    pub reasons: BTreeMap<SkipReason, u64>,
    /// How many of its runs stand how.
    pub states: BTreeMap<RunState, u64>,
    /// The newest slot.
    pub last: Option<Occurrence>,
}

names! {
    /// Why a person is needed.
    NeedKind {
        /// The ledger does not fit.
        Ledger = "ledger",
        /// A run is held: 確認待ち.
        Held = "held",
        /// Bytes were sent and nobody knows whether they were taken; no good run came after it.
        Unknown = "unknown",
        /// A part was not taken; no good run came after it.
        Partial = "partial",
        /// Nothing was taken; no good run came after it.
        Failed = "failed",
        /// It did not start in time; no good run came after it.
        TooLate = "too-late",
        /// An integration is paused.
        Paused = "paused",
        /// A mail was given up.
        Mail = "mail",
    }
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Why.
    pub kind: NeedKind,
    /// What it is about: `menu → integration`, an integration, a timer, a mail's subject.
    pub about: String,
    /// The newest run in question.
    pub run: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many runs or slots.
    pub count: u64,
    /// More, in one line of English.
    pub detail: String,
}

impl Need {
    /// The command that helps, or that shows more.
    #[must_use]
    pub fn command(&self) -> String {
        let run = self.run.as_deref().unwrap_or_default();
        match self.kind {
            NeedKind::Ledger if self.run.is_some() => format!("renkei run show {run}"),
            NeedKind::Ledger => "renkei doctor".to_owned(),
            NeedKind::Held => format!("renkei run approve {run} | renkei run refuse {run}"),
            NeedKind::Unknown | NeedKind::Partial | NeedKind::Failed | NeedKind::TooLate => {
                format!("renkei run show {run}")
            }
            NeedKind::Paused => format!("renkei integration resume {}", self.about),
            NeedKind::Mail => "renkei mail test ADDRESS".to_owned(),
        }
    }
}

names! {
    /// What should not be forgotten.
    NoteKind {
        /// A planned stop is in force.
        Stop = "stop",
        /// A run waits to try again.
        Waiting = "waiting",
        /// A queued run waits for something.
        Queued = "queued",
    }
}

/// Something that should not be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What kind.
    pub kind: NoteKind,
    /// What it is about: a run, or what a stop concerns.
    pub about: String,
    /// Until when, where that is known.
    pub until: Option<DateTime<Utc>>,
    /// More, in one line of English; of a stop, the reason that was given.
    pub detail: String,
}
