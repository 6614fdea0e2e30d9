//! The life of a run: its states, which may follow which, who caused it and how it ended. The database repeats the
//! table as a CHECK and every transition is a guarded UPDATE; this file is where a person reads it.

use super::names::names;

names! {
    /// Where a run stands.
    RunState {
        /// Waits for the lane.
        Queued = "queued",
        /// Exports or pushes; holds the lane.
        Running = "running",
        /// Waits to try again at `resume_at`; the lane is free.
        Waiting = "waiting",
        /// A check tripped; a person decides. Its files stay.
        Held = "held",
        /// Accepted; the status is being polled.
        Confirming = "confirming",
        /// Every batch was taken (受付済); whether it was imported is not known.
        Accepted = "accepted",
        /// The status API confirmed the import.
        Imported = "imported",
        /// A part was taken, a part was not.
        Partial = "partial",
        /// Nothing was taken, and that is certain.
        Failed = "failed",
        /// Bytes were sent and nobody knows whether they were taken.
        Unknown = "unknown",
        /// A person stopped it.
        Cancelled = "cancelled",
        /// It never started: overlap, a leader that failed, too late.
        Skipped = "skipped",
    }
}

impl RunState {
    /// Whether the run is over; end states never change.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(
            self,
            Self::Accepted
                | Self::Imported
                | Self::Partial
                | Self::Failed
                | Self::Unknown
                | Self::Cancelled
                | Self::Skipped
        )
    }

    /// Whether the records are (or may be counted as) with the receiver.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Accepted | Self::Imported)
    }

    /// Whether a run in this state may become `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use RunState as S;
        match self {
            // A run that goes on may have sent something before it is stopped.
            S::Queued => matches!(next, S::Running | S::Skipped | S::Cancelled | S::Partial | S::Unknown),
            S::Running => !matches!(next, S::Running | S::Imported | S::Skipped),
            S::Waiting => matches!(next, S::Queued | S::Failed | S::Cancelled | S::Partial | S::Unknown),
            S::Held => matches!(next, S::Queued | S::Cancelled),
            S::Confirming => matches!(next, S::Imported | S::Partial | S::Failed | S::Unknown),
            _ => false,
        }
    }

    /// The process's exit code for a run that ended so: 0 accepted or imported, 1 failed, held, skipped or
    /// cancelled, 3 partial or unknown.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Accepted | Self::Imported => 0,
            Self::Partial | Self::Unknown => 3,
            _ => 1,
        }
    }
}

names! {
    /// Where a batch (連携データ(CSV) 1/3) stands.
    BatchState {
        /// Written, not sent.
        Ready = "ready",
        /// The intent is written: from here on, bytes may be with the receiver.
        Sending = "sending",
        /// Taken by the API.
        Accepted = "accepted",
        /// Refused by the API's own error.
        Rejected = "rejected",
        /// Not taken, and that is certain (denied, maintenance, throttled, unreachable): may be sent again.
        NotTaken = "not-taken",
        /// Sent without a readable answer.
        Unknown = "unknown",
    }
}

names! {
    /// What caused a run.
    Trigger {
        /// A slot of a timer.
        Timer = "timer",
        /// A person.
        Hand = "hand",
        /// A person who repeats an earlier run.
        Retry = "retry",
    }
}

names! {
    /// What became of a time slot.
    SlotState {
        /// It has a run.
        Planned = "planned",
        /// 見送り: it will not run, and the reason is written.
        Skipped = "skipped",
        /// 設定変更により取りやめ: the timer was edited or switched off before it.
        Superseded = "superseded",
    }
}

names! {
    /// Why a slot was skipped: a closed list.
    SkipReason {
        /// The daemon was not running, and the timer's `misfire` lets it go.
        Missed = "missed",
        /// Missed, and a later slot of the same timer was caught up instead.
        CaughtUpByLater = "caught-up-by-later",
        /// Missed for longer than `catch_up_within`.
        TooOld = "too-old",
        /// The earlier run was still open (`overlap: skip`).
        Overlap = "overlap",
        /// A run was already waiting (`overlap: queue-one`).
        AlreadyQueued = "already-queued",
        /// The integration was paused.
        Paused = "paused",
        /// Inside a 連携停止期間.
        Stopped = "stopped",
        /// Not a business day.
        ClosedDay = "closed-day",
        /// A leader was skipped, failed or was cancelled.
        Leader = "leader",
        /// The menu or integration that the timer names is gone.
        Settings = "settings",
    }
}

impl SkipReason {
    /// The reason in a few words of English.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Missed => "no daemon was running",
            Self::CaughtUpByLater => "a later slot was caught up instead",
            Self::TooOld => "missed for longer than catch_up_within",
            Self::Overlap => "the earlier run was still open",
            Self::AlreadyQueued => "a run was already waiting",
            Self::Paused => "the integration was paused",
            Self::Stopped => "a planned stop",
            Self::ClosedDay => "not a business day",
            Self::Leader => "a leading timer was skipped",
            Self::Settings => "its menu or integration is gone",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_end_state_ever_changes() {
        for &from in RunState::ALL.iter().filter(|state| state.is_ended()) {
            for &to in RunState::ALL {
                assert!(!from.may_become(to), "{from} → {to}");
            }
        }
    }

    #[test]
    fn the_open_states_go_where_the_design_says_and_nowhere_else() {
        let paths = |from: RunState| -> Vec<&str> {
            RunState::ALL.iter().filter(|&&to| from.may_become(to)).map(|to| to.as_str()).collect()
        };
        assert_eq!(paths(RunState::Queued), ["running", "partial", "unknown", "cancelled", "skipped"]);
        assert_eq!(
            paths(RunState::Running),
            ["queued", "waiting", "held", "confirming", "accepted", "partial", "failed", "unknown", "cancelled"]
        );
        assert_eq!(paths(RunState::Waiting), ["queued", "partial", "failed", "unknown", "cancelled"]);
        assert_eq!(paths(RunState::Held), ["queued", "cancelled"]);
        assert_eq!(paths(RunState::Confirming), ["imported", "partial", "failed", "unknown"]);
    }

    #[test]
    fn a_word_that_is_no_state_names_the_states() {
        let error = "done".parse::<RunState>().unwrap_err().to_string();
        assert!(error.contains("accepted"), "{error}");
    }
}
