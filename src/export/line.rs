//! A row → one CSV line in the file's charset, or what stands in its way. The plain case, where no letter is replaced,
//! folded or refused, puts the whole line through the encoder at once and allocates nothing.

use super::Line;
use super::characters::{Encoder, Mark, Reason, Unmappable, forbidden_controls};
use super::faults::{Fate, Fault, bad};
use super::plan::{Origin, Plan, Unmapped, one_spelling};
use super::quoting::{is_plain_line, push_field, push_text, text_lines};
use super::steps::Steps;
use crate::domain::failure::{Code, Failure, RowFault, RowReason};
use crate::domain::integration::Charset;
use crate::domain::menu::OnBadRow;
use crate::domain::record::Row;
use std::borrow::Cow;
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_128;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is a line.
    Written,
    /// The list is not about it: it does not meet the conditions of `where`.
    NotMeant,
    /// Its key is none of the wanted ones.
    NotWanted,
    /// There is something to tell: [`Liner::fault`]. It is a line even so if [`Liner::is_written`].
    Faulty,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rule,
    Letters,
    TooLarge,
}

#[derive(Debug)]
struct Finding {
    kind: Kind,
    column: Option<usize>,
    reason: RowReason,
}

/// The most letters that are told of one field.
const MOST_LETTERS: usize = 5;

/// Makes lines, one at a time, in buffers that it keeps.
#[derive(Debug)]
pub(super) struct Liner<'p> {
    plan: &'p Plan,
    /// Whether the receiver's limits hold.
    limited: bool,
    /// The mark that stands for a letter in lengths, and in the file if the settings ask for it.
    mark: Mark,
    /// What the steps gave, for the columns that have steps.
    stepped: Vec<String>,
    joined: String,
    text: String,
    bytes: Vec<u8>,
    field: Vec<u8>,
    key: Vec<u8>,
    order: Vec<u8>,
    key_hash: u128,
    lines: u32,
    key_text: String,
    findings: Vec<Finding>,
    fate: Fate,
    found: BTreeSet<String>,
}

impl<'p> Liner<'p> {
    pub(super) fn new(plan: &'p Plan, limited: bool) -> Self {
        let mark = match &plan.unmappable {
            Unmapped::Substitute(mark) => mark.clone(),
            Unmapped::Reject | Unmapped::SkipRow => Mark::geta(),
        };
        Self {
            plan,
            limited,
            mark,
            stepped: vec![String::new(); plan.columns.len()],
            joined: String::new(),
            text: String::new(),
            bytes: Vec::new(),
            field: Vec::new(),
            key: Vec::new(),
            order: Vec::new(),
            key_hash: 0,
            lines: 0,
            key_text: String::new(),
            findings: Vec::new(),
            fate: Fate::Sent,
            found: BTreeSet::new(),
        }
    }

    /// Makes the row's line.
    pub(super) fn line(&mut self, row: Row<'_>) -> Outcome {
        self.findings.clear();
        self.fate = Fate::Sent;
        if !self.plan.is_about(row) {
            return Outcome::NotMeant;
        }
        self.step(row);
        if let Some(wanted) = &self.plan.wanted {
            self.key_of(row);
            let key = one_spelling(&self.key_text);
            if !wanted.contains(&key) {
                return Outcome::NotWanted;
            }
            self.found.insert(key);
        }
        let plain = self.findings.is_empty() && self.write_at_once(row);
        if !plain {
            self.write_by_field(row);
        }
        if self.limited {
            self.check_size();
        }
        if !self.findings.is_empty() {
            self.key_of(row);
            self.fate = self.settle();
            if self.fate != Fate::Substituted {
                return Outcome::Faulty;
            }
        }
        self.order.clear();
        for order in &self.plan.order {
            order.write(value(self.plan, &self.stepped, row, order.column()), &mut self.order);
        }
        if self.findings.is_empty() { Outcome::Written } else { Outcome::Faulty }
    }

    /// The line that was made last.
    pub(super) fn written(&self, source_line: u64) -> Line<'_> {
        Line { bytes: &self.bytes, lines: self.lines, key: self.key_hash, source_line }
    }

    /// What its place among the others is decided by.
    pub(super) fn order(&self) -> &[u8] {
        &self.order
    }

    /// Whether the faulty row is a line all the same.
    pub(super) fn is_written(&self) -> bool {
        self.fate == Fate::Substituted
    }

    /// What becomes of the row that was looked at last.
    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    /// The values of the row that was looked at last, before the character rules.
    pub(super) fn values<'r>(&'r self, row: Row<'r>) -> impl Iterator<Item = &'r str> {
        (0..self.plan.columns.len()).map(move |column| value(self.plan, &self.stepped, row, column))
    }

    /// The hash of a column's value as it is sent, of the row that was looked at last; `None` if it is empty.
    pub(super) fn hash_of(&mut self, row: Row<'_>, at: usize) -> Option<u128> {
        let text = value(self.plan, &self.stepped, row, at);
        self.field.clear();
        let _told_before = as_sent(self.plan, at, text, &mut self.field);
        (!self.field.is_empty()).then(|| xxh3_128(&self.field))
    }

    /// The key as people read it, of the row that was looked at last; empty if there is no key.
    pub(super) fn key_told(&mut self, row: Row<'_>) -> &str {
        self.key_of(row);
        &self.key_text
    }

    /// What there is to tell about the row that was looked at last.
    pub(super) fn fault(&self, source_line: u64) -> Fault {
        let key = if self.plan.has_key() { self.key_text.clone() } else { String::new() };
        let decisive = self.findings.iter().find(|finding| self.fate_of(finding.kind) == self.fate);
        let code = match decisive.map(|finding| finding.kind) {
            Some(Kind::Letters) => Code::Unmappable,
            Some(Kind::TooLarge) => Code::RowTooLarge,
            Some(Kind::Rule) | None => Code::RowRule,
        };
        let rows = self.findings.iter().map(|finding| RowFault {
            key: key.clone(),
            line: source_line,
            column: finding.column.map(|at| self.plan.columns[at].header.clone()).unwrap_or_default(),
            reason: finding.reason.clone(),
        });
        Fault { fate: self.fate, code, rows: rows.collect() }
    }

    /// Refuses if a wanted key was in no row.
    pub(super) fn all_wanted_found(&self) -> Result<(), Failure> {
        let Some(wanted) = &self.plan.wanted else { return Ok(()) };
        let lost: Vec<&str> = wanted.difference(&self.found).map(String::as_str).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let meant = if self.plan.is_selective() { " that meets the menu's where" } else { "" };
        let message = format!(
            "no row of the source{meant} has {} {}. Write each key as the source has it, several parts joined by /",
            self.plan.key_name,
            lost.join(", ")
        );
        Err(Failure::new(Code::KeyNotFound, message))
    }

    fn step(&mut self, row: Row<'_>) {
        for (at, column) in self.plan.columns.iter().enumerate() {
            let Some(steps) = &column.steps else { continue };
            let given = match &column.origin {
                Origin::Source(place) => row.field(*place),
                Origin::Constant(constant) => constant,
                Origin::Joined(joined) => {
                    joined.write(row, steps.trims(), &mut self.joined);
                    &self.joined
                }
            };
            let out = &mut self.stepped[at];
            out.clear();
            if let Err(reason) = steps.apply(given, &self.plan.encoder, &self.mark, out) {
                self.findings.push(Finding { kind: Kind::Rule, column: Some(at), reason });
            }
        }
    }

    /// The whole line at once, if it can be written as it is. `false` if it has to be written field by field.
    fn write_at_once(&mut self, row: Row<'_>) -> bool {
        let Self { plan, stepped, text, .. } = self;
        text.clear();
        for at in 0..plan.columns.len() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(value(plan, stepped, row, at));
        }
        let quoted = !is_plain_line(text.as_bytes(), plan.columns.len());
        if quoted {
            text.clear();
            for at in 0..plan.columns.len() {
                if at > 0 {
                    text.push(',');
                }
                push_text(value(plan, stepped, row, at), plan.columns.len() == 1, text);
            }
        }
        text.push_str("\r\n");
        self.bytes.clear();
        let written = match plan.charset {
            Charset::Sjis => plan.encoder.encode_as_it_is(text, &mut self.bytes),
            Charset::Utf8 | Charset::Utf8Bom => {
                let as_it_is = forbidden_controls(text).is_empty()
                    && matches!(plan.encoder.replace(text), Cow::Borrowed(same) if same.len() == text.len());
                if as_it_is {
                    self.bytes.extend_from_slice(text.as_bytes());
                }
                as_it_is
            }
        };
        self.lines = if quoted { text_lines(&self.bytes) } else { 1 };
        written && self.hash_key(row)
    }

    /// Hashes the key as it is sent. `false` if it is not clear how it is sent.
    fn hash_key(&mut self, row: Row<'_>) -> bool {
        let Self { plan, stepped, key, .. } = self;
        if let [only] = plan.key[..] {
            let text = value(plan, stepped, row, only);
            if text.is_ascii() {
                self.key_hash = xxh3_128(text.as_bytes());
                return true;
            }
        }
        key.clear();
        for &at in &plan.key {
            let text = value(plan, stepped, row, at);
            match plan.charset {
                Charset::Sjis if !plan.encoder.encode_as_it_is(text, key) => return false,
                Charset::Sjis => {}
                Charset::Utf8 | Charset::Utf8Bom => key.extend_from_slice(text.as_bytes()),
            }
            end_part(plan, key);
        }
        self.key_hash = xxh3_128(key);
        true
    }

    fn write_by_field(&mut self, row: Row<'_>) {
        let plan = self.plan;
        self.bytes.clear();
        let mut parts: Vec<Vec<u8>> = vec![Vec::new(); plan.key.len()];
        for at in 0..plan.columns.len() {
            self.field.clear();
            let found = as_sent(plan, at, value(plan, &self.stepped, row, at), &mut self.field);
            self.tell(&found, at);
            for (part, _) in parts.iter_mut().zip(&plan.key).filter(|(_, key)| **key == at) {
                part.extend_from_slice(&self.field);
            }
            if at > 0 {
                self.bytes.push(b',');
            }
            push_field(&self.field, plan.columns.len() == 1, &mut self.bytes);
        }
        self.bytes.extend_from_slice(b"\r\n");
        self.lines = text_lines(&self.bytes);
        self.key.clear();
        for part in parts {
            self.key.extend_from_slice(&part);
            end_part(plan, &mut self.key);
        }
        self.key_hash = xxh3_128(&self.key);
    }

    /// Notes the letters that a field cannot be written with: control characters break a rule whatever the settings say
    /// of letters, since no charset has a place for them in a list.
    fn tell(&mut self, found: &[Unmappable], at: usize) {
        for kind in [Kind::Rule, Kind::Letters] {
            let of_kind = |letter: &&Unmappable| (letter.reason == Reason::Control) == (kind == Kind::Rule);
            let letters: Vec<_> = found.iter().filter(of_kind).take(MOST_LETTERS).map(bad).collect();
            if letters.is_empty() {
                continue;
            }
            let more = (found.iter().filter(of_kind).count() - letters.len()) as u64;
            self.findings.push(Finding { kind, column: Some(at), reason: RowReason::Letters { letters, more } });
        }
    }

    fn check_size(&mut self) {
        let preamble = self.plan.preamble();
        let (bytes, lines) = (self.bytes.len() as u64, u64::from(self.lines));
        let limits = &self.plan.limits;
        let most_bytes = limits.file_bytes.saturating_sub(preamble.bytes().len() as u64);
        let most_lines = limits.file_lines.saturating_sub(preamble.lines());
        let reason = if bytes > most_bytes {
            RowReason::RowBytes { has: bytes, most: most_bytes }
        } else if lines > most_lines {
            RowReason::RowLines { has: lines, most: most_lines }
        } else {
            return;
        };
        self.findings.push(Finding { kind: Kind::TooLarge, column: None, reason });
    }

    fn key_of(&mut self, row: Row<'_>) {
        self.key_text.clear();
        for (nth, &at) in self.plan.key.iter().enumerate() {
            if nth > 0 {
                self.key_text.push_str(" / ");
            }
            self.key_text.push_str(value(self.plan, &self.stepped, row, at));
        }
    }

    /// What becomes of the row: the worst that any finding asks for.
    fn settle(&self) -> Fate {
        self.findings.iter().map(|finding| self.fate_of(finding.kind)).max().unwrap_or(Fate::Sent)
    }

    fn fate_of(&self, kind: Kind) -> Fate {
        match (kind, &self.plan.unmappable, self.plan.bad_rows) {
            (Kind::TooLarge, ..) | (Kind::Rule, _, OnBadRow::Reject) | (Kind::Letters, Unmapped::Reject, _) => {
                Fate::Forbids
            }
            (Kind::Rule, _, OnBadRow::SkipRow) | (Kind::Letters, Unmapped::SkipRow, _) => Fate::LeftOut,
            (Kind::Letters, Unmapped::Substitute(_), _) => Fate::Substituted,
        }
    }
}

/// Appends a column's text as it is sent; the letters that cannot be written come back.
fn as_sent(plan: &Plan, at: usize, text: &str, out: &mut Vec<u8>) -> Vec<Unmappable> {
    let measured = plan.columns[at].steps.as_ref().is_some_and(Steps::measure);
    let encoder = if measured { &plan.folder } else { &plan.encoder };
    match plan.charset {
        Charset::Sjis => encode(plan, encoder, text, out),
        Charset::Utf8 | Charset::Utf8Bom => {
            let text = encoder.replace(text);
            out.extend_from_slice(text.as_bytes());
            forbidden_controls(&text)
        }
    }
}

fn encode(plan: &Plan, encoder: &Encoder, text: &str, out: &mut Vec<u8>) -> Vec<Unmappable> {
    let Err(found) = encoder.encode_field(text, out) else {
        return Vec::new();
    };
    if let Unmapped::Substitute(mark) = &plan.unmappable {
        let _the_same_again = encoder.encode_substituting(text, mark, out);
    }
    found
}

fn value<'r>(plan: &'r Plan, stepped: &'r [String], row: Row<'r>, at: usize) -> &'r str {
    let column = &plan.columns[at];
    match (&column.steps, &column.origin) {
        (Some(_), _) | (None, Origin::Joined(_)) => &stepped[at],
        (None, Origin::Source(place)) => row.field(*place),
        (None, Origin::Constant(constant)) => constant,
    }
}

/// Parts of a key cannot run into each other: no field holds a NUL. A key of one part is hashed as it is.
fn end_part(plan: &Plan, key: &mut Vec<u8>) {
    if plan.key.len() > 1 {
        key.push(0);
    }
}
