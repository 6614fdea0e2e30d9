//! What the receiver says of an import after it took the file: the decision `read`, when to ask again, and how a run
//! ends by what became of its batches. An answer that does not say clearly what happened says nothing: it is asked
//! again until the limit, and then nobody knows.

use super::duration::Span;
use super::failure::{Code, Failure, RowFault, RowReason};
use super::integration::confirm::{ConfirmForm, RowsForm};
use super::names::names;
use super::run::{BatchState, RunState};
use super::verdict::{Answer, Verdict, classify};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// The most letters of one text of a refused row that are kept.
const MOST_LETTERS: usize = 200;

names! {
    /// What became of the import of one batch.
    Outcome {
        /// All of it was imported.
        Imported = "imported",
        /// A part was imported, rows were refused.
        Partial = "partial",
        /// Nothing was imported.
        Failed = "failed",
        /// Nobody could say before the limit, or nobody may be asked.
        Unknown = "unknown",
    }
}

impl Outcome {
    /// What the batch is from now on; nothing where it stays accepted.
    #[must_use]
    pub fn batch_state(self) -> Option<BatchState> {
        match self {
            Self::Imported | Self::Partial => None,
            Self::Failed => Some(BatchState::Rejected),
            Self::Unknown => Some(BatchState::Unknown),
        }
    }
}

/// What became of the import of one batch, with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In a word.
    pub outcome: Outcome,
    /// Records that were imported; of an unknown outcome 0.
    pub imported: u64,
    /// The refused rows that the receiver named, at most [`Failure::MOST_ROWS`].
    pub rows: Vec<RowFault>,
    /// Why nobody knows, for an unknown outcome.
    pub code: Option<Code>,
    /// One English line for the history, without anything of a record.
    pub note: String,
}

impl Finding {
    /// Nobody knows, and nobody is asked any more.
    pub fn unknown(code: Code, note: impl Into<String>) -> Self {
        Self { outcome: Outcome::Unknown, imported: 0, rows: Vec::new(), code: Some(code), note: note.into() }
    }
}

/// What one answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The import is over.
    Over(Finding),
    /// The import goes on.
    GoesOn,
    /// The answer says nothing: why, in a few words.
    Nothing(&'static str),
    /// The question was refused for good.
    Denied(&'static str),
}

/// Reads an answer about a batch of so many records; `file` names the batch's file.
#[must_use]
pub fn read(confirm: &ConfirmForm, answer: &Answer<'_>, records: u64, file: &str) -> Meaning {
    match classify(answer) {
        Verdict::Maintenance => return Meaning::Nothing("the service is under maintenance"),
        Verdict::Throttled => return Meaning::Nothing("the service asks for fewer requests"),
        Verdict::Unreachable => return Meaning::Nothing("the service could not be reached"),
        Verdict::DeniedToken => return Meaning::Denied("the token was refused"),
        Verdict::DeniedRoute => return Meaning::Denied("a proxy or an IP restriction refused the question"),
        Verdict::Accepted | Verdict::Rejected | Verdict::Unknown => {}
    }
    let Answer::Http { status, body, complete, .. } = answer else { return Meaning::Nothing("there was no answer") };
    if !(200..300).contains(status) {
        return Meaning::Nothing("the status API answered with an error");
    }
    let json = complete.then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
    json.map_or(Meaning::Nothing("the answer is not readable"), |json| read_json(confirm, &json, records, file))
}

fn read_json(confirm: &ConfirmForm, json: &Value, records: u64, file: &str) -> Meaning {
    let holds = |condition: &Option<_>| {
        condition.as_ref().is_some_and(|one: &super::integration::confirm::Condition| one.holds(json))
    };
    let said = (confirm.success.holds(json), holds(&confirm.partial), confirm.failure.holds(json));
    if confirm.finished.is_some() && !holds(&confirm.finished) {
        return Meaning::GoesOn;
    }
    let named = confirm.rows.as_ref().map(|rows| refused(rows, json, file)).unwrap_or_default();
    let counted = confirm.imported.as_ref().and_then(|at| at.text_of(json)?.parse::<u64>().ok());
    let rest = records.saturating_sub(named.total);
    let imported = match said {
        (true, false, false) => counted.unwrap_or(rest),
        // Nothing was imported unless the receiver counts what was.
        (false, false, true) => counted.unwrap_or(0),
        (false, true, false) if counted.is_some() || named.total > 0 => counted.unwrap_or(rest),
        (false, true, false) => return Meaning::Nothing("it says that a part was imported, and not which"),
        (false, false, false) if confirm.finished.is_none() => return Meaning::GoesOn,
        (false, false, false) => return Meaning::Nothing("the import is over, and how it ended is not said"),
        _ => return Meaning::Nothing("it says two things at once"),
    };
    let imported = imported.min(records);
    let outcome = match said {
        (true, ..) if named.total == 0 => Outcome::Imported,
        _ if imported == 0 => Outcome::Failed,
        _ => Outcome::Partial,
    };
    let rows = if named.total > 0 { format!(", refused rows named: {}", named.total) } else { String::new() };
    let note = format!("{imported} of {records} records{rows}");
    Meaning::Over(Finding { outcome, imported, rows: named.rows, code: None, note })
}

/// The rows that an answer names.
#[derive(Default)]
struct Named {
    rows: Vec<RowFault>,
    /// Rows, each counted once however many faults it has.
    total: u64,
}

fn refused(form: &RowsForm, json: &Value, file: &str) -> Named {
    let Some(list) = form.at.of(json).and_then(Value::as_array) else { return Named::default() };
    let text = |at: &Option<super::integration::confirm::Pointer>, row: &Value| {
        at.as_ref().and_then(|at| at.text_of(row)).filter(|text| !text.is_empty())
    };
    let mut named = Named::default();
    let mut seen = BTreeSet::new();
    for (index, row) in list.iter().enumerate() {
        let line = text(&form.line, row);
        let key = text(&form.key, row).or_else(|| line.as_ref().map(|line| format!("{file}:{line}")));
        // A row that cannot be told apart counts as one of its own.
        seen.insert(line.or_else(|| key.clone()).unwrap_or_else(|| format!("#{index}")));
        if named.rows.len() < Failure::MOST_ROWS {
            named.rows.push(said_of_row(key, text(&form.column, row), text(&form.reason, row)));
        }
    }
    named.total = seen.len() as u64;
    named
}

/// A row as the receiver speaks of it. Which line of the source it was, the receiver cannot know.
fn said_of_row(key: Option<String>, column: Option<String>, reason: Option<String>) -> RowFault {
    let tame = |text: Option<String>| -> String {
        let letters = text.unwrap_or_default();
        letters.chars().take(MOST_LETTERS).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    };
    let reason = Some(tame(reason)).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    RowFault { key: tame(key), line: 0, column: tame(column), reason: RowReason::Said { text: reason } }
}

/// When to ask again, or `None` once the limit has passed: the last question is asked at the limit.
#[must_use]
pub fn ask_again(
    interval: Span,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    retry_after: Option<Duration>,
) -> Option<DateTime<Utc>> {
    if now >= until {
        return None;
    }
    let asked = retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default();
    let wait = interval.to_delta().max(asked);
    Some(now.checked_add_signed(wait).map_or(until, |at| at.min(until)))
}

/// One batch of a run whose imports are all over: what became of it, or nothing where it was never taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its records.
    pub records: u64,
    /// What became of its import.
    pub finding: Option<Finding>,
}

/// How a run ends whose imports are all over, and why. `earlier` is why some batches were never taken; `warning` is
/// about rows that never went out.
#[must_use]
pub fn end(parts: &[Part], earlier: Option<&Failure>, warning: Option<&Failure>) -> (RunState, Option<Failure>) {
    let count = |wanted: Outcome| {
        parts.iter().filter(|part| part.finding.as_ref().is_some_and(|finding| finding.outcome == wanted)).count()
    };
    let (whole, some, unknown) = (count(Outcome::Imported), count(Outcome::Partial), count(Outcome::Unknown));
    let state = match (whole, some, unknown) {
        (_, _, 1..) => RunState::Unknown,
        (0, 0, 0) => RunState::Failed,
        (whole, 0, 0) if whole == parts.len() && warning.is_none() => RunState::Imported,
        _ => RunState::Partial,
    };
    if state == RunState::Imported {
        return (state, None);
    }
    let findings = || parts.iter().filter_map(|part| part.finding.as_ref());
    let records: u64 = parts.iter().map(|part| part.records).sum();
    let imported: u64 = findings().map(|finding| finding.imported).sum();
    let rows: Vec<RowFault> = findings().flat_map(|finding| finding.rows.clone()).collect();
    let why = findings().find(|finding| finding.outcome == Outcome::Unknown);
    let failure = if let Some(finding) = why {
        let code = finding.code.unwrap_or(Code::ConfirmLimit);
        Failure::new(code, format!("{unknown} of {} files are of unknown fate: {}", parts.len(), finding.note))
    } else if let Some(earlier) = earlier {
        earlier.clone()
    } else if count(Outcome::Failed) + some > 0 {
        // To mend the named rows is enough only where all others were imported.
        let whole_files = rows.is_empty() || count(Outcome::Failed) > 0;
        let code = if whole_files { Code::ImportRefused } else { Code::RowRefused };
        Failure::new(
            code,
            format!(
                "{imported} of {records} records were imported; the receiver refused the others when it imported them"
            ),
        )
    } else {
        // Everything that went out was imported: only rows that never went out are missing.
        return (state, warning.cloned());
    };
    if !failure.rows.is_empty() || rows.is_empty() {
        return (state, Some(failure));
    }
    let missing = records.saturating_sub(imported).max(rows.len() as u64);
    let total = if state == RunState::Unknown { rows.len() as u64 } else { missing };
    (state, Some(failure.with_rows(rows, total)))
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
