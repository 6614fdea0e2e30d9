//! The words of a report mail: facts in, subject and body out. Pure; the catalogue has the sentences, this file their
//! order: what is true, what was not done, what to do.

use super::body::{Body, Piece};
use super::facts::RunFacts;
use crate::config::Locale;
use crate::domain::failure::{Code, Failure, RowFault};
use crate::domain::integration::Kind;
use crate::domain::run::RunState;
use crate::messages::{self, Catalogue, fill, thousands};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line that says whether something must be done.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Writes the mail about a run.
#[must_use]
pub fn compose(facts: &RunFacts, locale: Locale, zone: Tz) -> Letter {
    let words = messages::of(locale);
    let writer = Writer { facts, words, zone, target: target(facts.kind, words) };
    let body = writer.body();
    Letter { subject: one_line(&writer.subject()), text: body.to_text(), html: body.to_html(locale) }
}

/// The same news in short, for places where more people read than a mail's recipients: subject and text, without the
/// rows and their keys.
#[must_use]
pub fn compose_brief(facts: &RunFacts, locale: Locale, zone: Tz) -> (String, String) {
    let words = messages::of(locale);
    let mut facts = facts.clone();
    if let Some(failure) = facts.failure.as_mut().filter(|failure| !failure.rows.is_empty()) {
        // The sentence can hold a key too.
        failure.message = format!("{} Rows: {}", failure.code.meaning().trim(), failure.rows_total);
        failure.rows.clear();
    }
    let writer = Writer { facts: &facts, words, zone, target: target(facts.kind, words) };
    (one_line(&writer.subject()), writer.body().to_text())
}

/// Writes the mail of `renkei mail test`.
#[must_use]
pub fn compose_test(locale: Locale) -> Letter {
    let words = messages::of(locale);
    let body = Body(vec![Piece::Paragraph(words.test.to_owned())]);
    Letter { subject: words.subject_test.to_owned(), text: body.to_text(), html: body.to_html(locale) }
}

fn target(kind: Kind, words: &'static Catalogue) -> &'static str {
    match kind {
        Kind::Seisan => words.seisan,
        Kind::Generic => words.receiver,
    }
}

/// A subject holds names that people typed; none may break the line or hide text.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What kind of news a mail brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Good,
    /// Good again after trouble.
    Recovered,
    /// Rows were left out by a rule; the rest was taken.
    RowsLeft,
    /// Some files were taken, others not.
    Cut,
    Held,
    Failed,
    Unknown,
    Cancelled,
    /// Sent and taken, but a part was refused when it was imported.
    Refused,
    /// Sent and taken, but nothing was imported.
    NotImported,
    /// Sent and taken; nobody said whether it was imported.
    Unconfirmed,
}

struct Writer<'f> {
    facts: &'f RunFacts,
    words: &'static Catalogue,
    zone: Tz,
    target: &'static str,
}

impl Writer<'_> {
    fn news(&self) -> News {
        match self.facts.state {
            RunState::Accepted | RunState::Imported if self.facts.trouble_since.is_some() => News::Recovered,
            RunState::Accepted | RunState::Imported => News::Good,
            RunState::Partial if self.facts.imported.is_some() => News::Refused,
            RunState::Failed if self.facts.imported.is_some() => News::NotImported,
            RunState::Unknown if self.facts.imported.is_some() => News::Unconfirmed,
            RunState::Partial if self.facts.batches_taken == self.facts.batches => News::RowsLeft,
            RunState::Partial => News::Cut,
            RunState::Held => News::Held,
            RunState::Unknown => News::Unknown,
            RunState::Cancelled if self.facts.batches_taken > 0 => News::Cut,
            RunState::Cancelled => News::Cancelled,
            _ => News::Failed,
        }
    }

    fn fill(&self, template: &str) -> String {
        let facts = self.facts;
        let at = self.minute(facts.scheduled.unwrap_or(facts.started));
        let total = facts.records + facts.skipped_rows;
        let imported = facts.imported.unwrap_or(facts.records);
        fill(
            template,
            &[
                ("name", &facts.integration),
                ("menu", &facts.menu),
                ("target", self.target),
                ("records", &thousands(facts.records)),
                ("sent", &thousands(facts.records)),
                ("total", &thousands(total)),
                ("left", &thousands(facts.skipped_rows)),
                ("imported", &thousands(imported)),
                ("missing", &thousands(total.saturating_sub(imported))),
                ("files", &facts.batches.to_string()),
                ("batches", &facts.batches.to_string()),
                ("taken", &facts.batches_taken.to_string()),
                ("at", &at),
                ("run", &facts.run),
            ],
        )
    }

    fn subject(&self) -> String {
        let words = self.words;
        if self.news() == News::Held {
            let reason = self.facts.failure.as_ref().map_or("", |failure| (words.held_because)(failure.code));
            return fill(words.subject_held, &[("name", &self.facts.integration), ("reason", reason)]);
        }
        self.fill(match self.news() {
            News::Good => words.subject_good,
            News::Recovered => words.subject_recovered,
            News::RowsLeft => words.subject_partial,
            News::Cut => words.subject_cut,
            News::Held => words.subject_held,
            News::Failed => words.subject_failed,
            News::Unknown => words.subject_unknown,
            News::Cancelled => words.subject_cancelled,
            News::Refused => words.subject_refused,
            News::NotImported => words.subject_not_imported,
            News::Unconfirmed => words.subject_unconfirmed,
        })
    }

    fn body(&self) -> Body {
        let words = self.words;
        let news = self.news();
        let lead = match news {
            News::Good | News::Recovered if self.facts.state == RunState::Imported => words.lead_imported,
            News::Good | News::Recovered => words.lead_good,
            News::RowsLeft => words.lead_partial,
            News::Cut => words.lead_cut,
            News::Held => words.lead_held,
            News::Failed | News::NotImported => words.lead_failed,
            News::Refused => words.lead_refused,
            News::Unconfirmed => words.lead_unconfirmed,
            News::Unknown => words.lead_unknown,
            News::Cancelled => words.lead_cancelled,
        };
        let mut lead = self.fill(lead);
        if let Some(since) = self.facts.trouble_since.filter(|_| news == News::Recovered) {
            lead = format!("{}\n{lead}", fill(words.recovered, &[("since", &self.minute(since))]));
        }
        if matches!(news, News::Good | News::Recovered) {
            lead = format!("{lead}\n{}", words.nothing_to_do);
        }
        if self.facts.untold > 0 {
            lead = format!("{lead}\n{}", fill(words.untold, &[("untold", &self.facts.untold.to_string())]));
        }
        let mut pieces = vec![Piece::Paragraph(lead)];
        if let Some(failure) = &self.facts.failure {
            self.explain(failure, news, &mut pieces);
        }
        if news == News::Refused {
            pieces.push(Piece::Paragraph(self.fill(words.no_need_to_repeat)));
        }
        pieces.push(Piece::Facts(self.fact_lines()));
        if self.facts.state == RunState::Accepted {
            pieces.push(Piece::Paragraph(self.fill(words.unconfirmed)));
        }
        pieces.push(Piece::Footer(self.footer()));
        Body(pieces)
    }

    fn explain(&self, failure: &Failure, news: News, pieces: &mut Vec<Piece>) {
        let words = self.words;
        let explanation = (words.explain)(failure.code);
        let heading = if news == News::Held { words.heading_held } else { words.heading_why };
        pieces.push(Piece::Section { heading: heading.to_owned(), text: self.fill(explanation.what) });
        if !failure.rows.is_empty() {
            let key = if self.facts.key.is_empty() { words.label.row.to_owned() } else { self.facts.key.join(" / ") };
            let head = [key, words.label.column.to_owned(), words.label.reason.to_owned()];
            let rows = failure.rows.iter().map(|row| self.row(row)).collect();
            let more = failure.rows_total.saturating_sub(failure.rows.len() as u64);
            let more = (more > 0).then(|| fill(words.more_rows, &[("more", &thousands(more))]));
            pieces.push(Piece::Table { head, rows, more });
        }
        if news == News::Held {
            let choices = words.choices.iter().map(|choice| self.fill(choice)).collect();
            pieces.push(Piece::Steps { heading: words.heading_choice.to_owned(), steps: choices, numbered: false });
        } else {
            let steps = explanation.steps.iter().map(|step| self.fill(step)).collect();
            pieces.push(Piece::Steps { heading: words.heading_steps.to_owned(), steps, numbered: true });
        }
        if news == News::RowsLeft {
            pieces.push(Piece::Paragraph(self.fill(words.taken_is_done)));
        }
        // The rows above say it all, and so does a list without rows; the sentence helps elsewhere.
        if failure.rows.is_empty() && !matches!(failure.code, Code::Internal | Code::Empty) {
            pieces.push(Piece::Section { heading: words.detail.to_owned(), text: failure.message.clone() });
        }
    }

    fn row(&self, row: &RowFault) -> [String; 3] {
        let key = match row.key.as_str() {
            "" => fill(self.words.row_line, &[("line", &thousands(row.line))]),
            key => key.to_owned(),
        };
        [key, row.column.clone(), (self.words.row_reason)(&row.reason)]
    }

    fn fact_lines(&self) -> Vec<(String, String)> {
        let (facts, words) = (self.facts, self.words);
        let mut lines = Vec::new();
        let mut add = |label: &str, value: String| lines.push((label.to_owned(), value));
        if facts.batches > 0 {
            add(words.label.records, self.fill(words.records));
        }
        add(words.label.time, self.span());
        add(
            words.label.actor,
            match &facts.timer {
                Some(timer) => fill(words.by_timer, &[("timer", timer), ("user", &facts.actor)]),
                None => facts.actor.clone(),
            },
        );
        match facts.state {
            RunState::Accepted => add(words.label.result, words.result_accepted.to_owned()),
            RunState::Imported => add(words.label.result, self.fill(words.result_imported)),
            _ => {}
        }
        if let Some(source) = &facts.source {
            add(words.label.source, source.clone());
        }
        if let Some(memo) = &facts.memo {
            add(words.label.memo, memo.clone());
        }
        if let Some(next) = facts.next {
            add(words.label.next, self.minute(next));
        }
        lines
    }

    fn footer(&self) -> String {
        let words = self.words;
        let mut parts = vec![self.fill(words.run_number)];
        if let Some(status) = self.facts.http_status {
            parts.push(fill(words.http_status, &[("status", &status.to_string())]));
        }
        if let Some(failure) = &self.facts.failure {
            let held = self.facts.state == RunState::Held;
            parts.push(fill(
                if held { words.reason_code } else { words.error_code },
                &[("code", failure.code.as_str())],
            ));
        }
        parts.join(" / ")
    }

    fn minute(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%-m/%-d %H:%M").to_string()
    }

    /// `11/24 06:00:00 ~ 06:00:04`, the second date only where it differs.
    fn span(&self) -> String {
        let (from, to) = (self.facts.started.with_timezone(&self.zone), self.facts.finished.with_timezone(&self.zone));
        let form = if from.date_naive() == to.date_naive() { "%H:%M:%S" } else { "%-m/%-d %H:%M:%S" };
        format!("{} ~ {}", from.format("%-m/%-d %H:%M:%S"), to.format(form))
    }
}
