//! The morning mail.

use crate::domain::morning::{NeedKind, NoteKind};
use crate::domain::run::{RunState, SkipReason};
use crate::messages::DigestWords;

pub(super) static WORDS: DigestWords = DigestWords {
    subject_good: "[Morning page] nothing needs to be done ({good}/{due})",
    subject_act: "[Morning page] needs you: {needs}",
    lead: "From {from} to {to}, {due} slots were due, and {good} of them ended well.",
    lead_none: "From {from} to {to}, no slot was due.",
    act: "Things that need you: {needs}.",
    line: "{due} = run {run} + skipped {skipped} + superseded {superseded} + unexplained {unexplained}",
    runs: "{ended} ended, {open} open",
    by_hand: "{by_hand}, of which {by_hand_good} ended well",
    label_slots: "Slots due",
    label_runs: "Their runs",
    label_by_hand: "Runs by hand",
    head: ["Timer", "Due", "Result"],
    count: "{count}",
    comma: ", ",
    runs_in: "{state} {count}",
    skipped: "skipped {count} ({reason})",
    superseded: "superseded {count}",
    unexplained: "unexplained {count}",
    heading_notes: "Not to be forgotten",
    heading_off: "Timers that are off, the longest first",
    off: "{timer} (for {days} days)",
    off_until: "{timer} (for {days} days; on again by itself {until})",
    everything: "everything",
    footer: "`renkei today` shows the same.",
    state,
    reason,
    need,
    note,
};

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Accepted | RunState::Imported => "good",
        RunState::Waiting => "waiting to try again",
        RunState::Held => "on hold",
        RunState::Skipped => "run skipped",
        other => other.as_str(),
    }
}

fn reason(reason: SkipReason) -> &'static str {
    reason.in_words()
}

fn need(kind: NeedKind) -> &'static str {
    match kind {
        NeedKind::Ledger => {
            "{about}: the ledger of slots does not fit ({since}, {count}). The engineer looks with `renkei doctor`"
        }
        NeedKind::Held => {
            "{about} is on hold since {since}. Look it over, then `renkei run approve {run}` or `renkei run refuse {run}`"
        }
        NeedKind::Unknown => "{about}: nobody knows whether it arrived ({since}, {run}). Look at the receiver",
        NeedKind::Partial => "{about}: a part was not sent ({since}, {run}). Mend it and send it again",
        NeedKind::Failed => "{about} was not sent ({since}, {count} times, {run}). Mend the cause and run it again",
        NeedKind::TooLate => "{about} did not start in time ({since}, {run}). Run it again if it is needed",
        NeedKind::Paused => {
            "{about} is paused since {since}. When the cause is gone: `renkei integration resume {about}`"
        }
        NeedKind::Mail => "The mail \"{about}\" could not be delivered ({since}). Look at the mail server's settings",
    }
}

fn note(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Stop => "A planned stop is in force ({about}, until {until}): {detail}",
        NoteKind::Waiting => "Run {about} tries again {until}",
        NoteKind::Queued => "Run {about} is queued: {detail}",
    }
}
