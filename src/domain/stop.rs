//! 連携停止期間: a time in which nothing is sent, planned by people for 人事異動, closings and announced maintenance.

use super::integration::Account;
use super::names::names;
use chrono::{DateTime, Utc};

names! {
    /// What a stop concerns.
    StopKind {
        /// Every run.
        All = "all",
        /// The runs of one account of the receiver.
        Account = "account",
        /// The runs of one timer.
        Timer = "timer",
    }
}

/// What a stop concerns, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopScope {
    /// Every run.
    All,
    /// The runs of one account of the receiver.
    Account(Account),
    /// The runs of the timer of this id.
    Timer(String),
}

/// What becomes of slots inside a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotsInside {
    /// They are skipped, and the ledger names the stop.
    Skip,
    /// They get their run, which waits for the stop's end.
    Wait,
}

/// A planned stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What it concerns.
    pub scope: StopScope,
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
    /// What becomes of slots inside.
    pub slots: SlotsInside,
}

impl Stop {
    /// Whether a run of this timer (id) and account is its business.
    #[must_use]
    pub fn concerns(&self, timer: Option<&str>, account: Option<&Account>) -> bool {
        match &self.scope {
            StopScope::All => true,
            StopScope::Account(own) => account == Some(own),
            StopScope::Timer(own) => timer == Some(own.as_str()),
        }
    }

    /// Whether an instant lies inside.
    #[must_use]
    pub fn covers(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}
