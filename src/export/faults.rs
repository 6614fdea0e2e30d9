//! What was wrong with rows, over the whole source: the first hundred by name, all by number.

use super::Exported;
use super::characters::{Reason, Unmappable};
use super::plan::Plan;
use crate::domain::failure::{BadLetter, Code, Failure, LetterKind, RowFault};

/// What becomes of a row; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// It is sent as it is.
    Sent,
    /// It is sent with a mark in the place of a letter.
    Substituted,
    /// It is left out, the others are sent.
    LeftOut,
    /// It stands in the way of the whole export.
    Forbids,
}

/// What is wrong with one row.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) fate: Fate,
    /// By what it is decided.
    pub(super) code: Code,
    /// One for each column that has something to tell.
    pub(super) rows: Vec<RowFault>,
}

#[derive(Debug, Default)]
struct Listed {
    rows: Vec<RowFault>,
    total: u64,
}

impl Listed {
    fn add(&mut self, rows: Vec<RowFault>) {
        self.total += 1;
        let room = Failure::MOST_ROWS.saturating_sub(self.rows.len());
        self.rows.extend(rows.into_iter().take(room));
    }
}

/// Collects faults.
#[derive(Debug, Default)]
pub(super) struct Faults {
    forbidding: Listed,
    /// By what the first forbidding row is decided.
    code: Option<Code>,
    /// How many rows are forbidden for letters, for rules and for their size.
    letters: u64,
    rules: u64,
    sizes: u64,
    left_out: Listed,
    substituted: Listed,
}

impl Faults {
    pub(super) fn note(&mut self, fault: Fault) {
        match fault.fate {
            Fate::Sent => {}
            Fate::Substituted => self.substituted.add(fault.rows),
            Fate::LeftOut => self.left_out.add(fault.rows),
            Fate::Forbids => {
                match fault.code {
                    Code::Unmappable => self.letters += 1,
                    Code::RowTooLarge => self.sizes += 1,
                    _ => self.rules += 1,
                }
                self.code.get_or_insert(fault.code);
                self.forbidding.add(fault.rows);
            }
        }
    }

    /// Whether nothing may be sent.
    pub(super) fn forbid(&self) -> bool {
        self.code.is_some()
    }

    /// Why nothing may be sent. The first sentence names the first row.
    pub(super) fn failure(&mut self, plan: &Plan) -> Option<Failure> {
        let code = self.code?;
        let rows = std::mem::take(&mut self.forbidding.rows);
        let mut message = match rows.first() {
            Some(first) if first.column.is_empty() => format!("{} {}.", plan.row_name(first), first.reason),
            Some(first) => format!("{}: {} {}.", plan.row_name(first), first.column, first.reason),
            None => String::new(),
        };
        if self.forbidding.total > 1 {
            let kinds = [
                (self.letters, "characters that cannot be written"),
                (self.rules, "rules of their columns"),
                (self.sizes, "their size"),
            ];
            let told: Vec<String> =
                kinds.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} for {why}")).collect();
            message.push_str(&format!(" In all, {} rows cannot be sent: {}.", self.forbidding.total, told.join(", ")));
        }
        message.push_str(match code {
            Code::Unmappable => {
                " Correct the record in the source, give the letter a place under csv.replacements, or set \
                 csv.unmappable to skip-row or substitute; then retry the run"
            }
            Code::RowTooLarge => " Shorten the record in the source (max_chars or max_bytes with on_long: truncate)",
            _ => " Correct the record in the source, or set bad_rows: skip-row; then retry the run",
        });
        Some(Failure::new(code, message).with_rows(rows, self.forbidding.total))
    }

    pub(super) fn move_into(self, exported: &mut Exported) {
        exported.left_out = self.left_out.rows;
        exported.left_out_total = self.left_out.total;
        exported.substituted = self.substituted.rows;
        exported.substituted_total = self.substituted.total;
    }
}

/// A letter that cannot be written, as it is told.
pub(super) fn bad(letter: &Unmappable) -> BadLetter {
    let kind = match letter.reason {
        Reason::Control => LetterKind::Control,
        Reason::PrivateUse => LetterKind::PrivateUse,
        Reason::NotInShiftJis => LetterKind::NotInShiftJis,
    };
    BadLetter { letter: letter.character, shown: letter.shown(), kind, suggestion: letter.suggestion() }
}
