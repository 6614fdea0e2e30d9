//! The words of the morning mail (朝のまとめ): the page's facts in, subject and body out. Pure, as the report mail: the
//! catalogue has the sentences, this file their order: what is true, what to do, then the timers, then what should not
//! be forgotten.

use super::body::{Body, Piece};
use super::text::{Letter, one_line};
use crate::config::Locale;
use crate::domain::morning::{Morning, Need, Note, TimerDay};
use crate::domain::run::RunState;
use crate::messages::{self, Catalogue, fill, thousands};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// How many timers, and how many needs, one mail names.
const MOST: usize = 100;

/// Writes the morning mail.
#[must_use]
pub fn compose_digest(morning: &Morning, locale: Locale, zone: Tz) -> Letter {
    let writer = Writer { morning, words: messages::of(locale), zone };
    let body = writer.body();
    Letter { subject: one_line(&writer.subject()), text: body.to_text(), html: body.to_html(locale) }
}

struct Writer<'m> {
    morning: &'m Morning,
    words: &'static Catalogue,
    zone: Tz,
}

impl Writer<'_> {
    fn fill(&self, template: &str) -> String {
        let tally = self.morning.statement.tally;
        let numbers = [
            ("due", tally.due),
            ("run", tally.run),
            ("skipped", tally.skipped),
            ("superseded", tally.superseded),
            ("unexplained", tally.unexplained),
            ("ended", tally.ended),
            ("open", tally.open),
            ("good", tally.good),
            ("needs", self.morning.needs.len() as u64),
            ("by_hand", self.morning.by_hand),
            ("by_hand_good", self.morning.by_hand_good),
        ];
        let numbers = numbers.map(|(name, number)| (name, thousands(number)));
        let (from, to) = (self.minute(self.morning.from), self.minute(self.morning.to));
        let mut values: Vec<(&str, &str)> = numbers.iter().map(|(name, number)| (*name, number.as_str())).collect();
        values.extend([("from", from.as_str()), ("to", to.as_str())]);
        fill(template, &values)
    }

    fn subject(&self) -> String {
        let words = &self.words.digest;
        self.fill(if self.morning.needs_a_person() { words.subject_act } else { words.subject_good })
    }

    fn body(&self) -> Body {
        let (morning, words) = (self.morning, &self.words.digest);
        let lead = self.fill(if morning.statement.tally.due == 0 { words.lead_none } else { words.lead });
        let then = if morning.needs_a_person() { self.fill(words.act) } else { self.words.nothing_to_do.to_owned() };
        let mut pieces = vec![Piece::Paragraph(format!("{lead}\n{then}"))];
        if morning.needs_a_person() {
            let steps = self.shortened(morning.needs.iter().map(|need| self.need(need)));
            pieces.push(Piece::Steps { heading: self.words.heading_steps.to_owned(), steps, numbered: true });
        }
        let mut facts = vec![
            (words.label_slots.to_owned(), self.fill(words.line)),
            (words.label_runs.to_owned(), self.fill(words.runs)),
        ];
        if morning.by_hand > 0 {
            facts.push((words.label_by_hand.to_owned(), self.fill(words.by_hand)));
        }
        pieces.push(Piece::Facts(facts));
        pieces.extend(self.timers());
        if !morning.notes.is_empty() {
            let steps = self.shortened(morning.notes.iter().map(|note| self.note(note)));
            pieces.push(Piece::Steps { heading: words.heading_notes.to_owned(), steps, numbered: false });
        }
        let off = morning.off();
        if !off.is_empty() {
            let steps = self.shortened(off.into_iter().map(|day| self.off(day)));
            pieces.push(Piece::Steps { heading: words.heading_off.to_owned(), steps, numbered: false });
        }
        pieces.push(Piece::Footer(words.footer.to_owned()));
        Body(pieces)
    }

    fn shortened(&self, lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
        let more = lines.len().saturating_sub(MOST);
        let more = (more > 0).then(|| fill(self.words.more_rows, &[("more", &more.to_string())]));
        lines.take(MOST).chain(more).collect()
    }

    /// The timers that had slots, those first that were not all good.
    fn timers(&self) -> Option<Piece> {
        let words = &self.words.digest;
        let mut days: Vec<&TimerDay> = self.morning.timers.iter().filter(|day| day.tally.due > 0).collect();
        days.sort_by_key(|day| day.tally.good == day.tally.due);
        let more = days.len().saturating_sub(MOST) as u64;
        let rows: Vec<[String; 3]> = days
            .into_iter()
            .take(MOST)
            .map(|day| {
                let due = fill(words.count, &[("count", &thousands(day.tally.due))]);
                [one_line(&day.name), due, self.result(day)]
            })
            .collect();
        let more = (more > 0).then(|| fill(self.words.more_rows, &[("more", &thousands(more))]));
        (!rows.is_empty()).then(|| Piece::Table { head: words.head.map(str::to_owned), rows, more })
    }

    /// `正常 10、見送り 2(前の実行が続いていた 2)`.
    fn result(&self, day: &TimerDay) -> String {
        let words = &self.words.digest;
        let of = |template, count: u64, more: &[(&str, &str)]| {
            let count = thousands(count);
            fill(template, &[more, &[("count", count.as_str())]].concat())
        };
        let mut parts = Vec::new();
        if day.tally.good > 0 {
            parts.push(of(words.runs_in, day.tally.good, &[("state", (words.state)(RunState::Accepted))]));
        }
        for (state, count) in day.states.iter().filter(|(state, _)| !state.is_good()) {
            parts.push(of(words.runs_in, *count, &[("state", (words.state)(*state))]));
        }
        for (reason, count) in &day.reasons {
            parts.push(of(words.skipped, *count, &[("reason", (words.reason)(*reason))]));
        }
        for (template, count) in [(words.superseded, day.tally.superseded), (words.unexplained, day.tally.unexplained)]
        {
            if count > 0 {
                parts.push(of(template, count, &[]));
            }
        }
        parts.join(words.comma)
    }

    fn need(&self, need: &Need) -> String {
        let since = self.minute(need.since);
        let values = [
            ("about", need.about.as_str()),
            ("run", need.run.as_deref().unwrap_or_default()),
            ("since", since.as_str()),
            ("count", &thousands(need.count)),
        ];
        one_line(&fill((self.words.digest.need)(need.kind), &values))
    }

    fn note(&self, note: &Note) -> String {
        let words = &self.words.digest;
        let until = note.until.map(|until| self.minute(until)).unwrap_or_default();
        let about = if note.about == "all" { words.everything } else { &note.about };
        let values = [("about", about), ("until", until.as_str()), ("detail", note.detail.as_str())];
        one_line(&fill((words.note)(note.kind), &values))
    }

    fn off(&self, day: &TimerDay) -> String {
        let words = &self.words.digest;
        let days = (self.morning.to - day.switched_at).num_days().max(0).to_string();
        let until = day.on_again.map(|at| self.minute(at)).unwrap_or_default();
        let values = [("timer", day.name.as_str()), ("days", days.as_str()), ("until", until.as_str())];
        one_line(&fill(if day.on_again.is_some() { words.off_until } else { words.off }, &values))
    }

    fn minute(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%-m/%-d %H:%M").to_string()
    }
}
