//! What renkei says to people, one catalogue per language: Japanese by default, English by setting. Logs, CLI and code
//! are English and not here. A text states what is true, what was *not* done, and what to do, in that order; it never
//! holds a record's value beyond its key.

mod en;
mod ja;

use crate::config::Locale;
use crate::domain::failure::{BadLetter, Code, LetterKind, RowReason};

/// What one failure means to a person who is no engineer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in one or two sentences: `{target}`.
    pub what: &'static str,
    /// What to do, step by step: `{target}`.
    pub steps: &'static [&'static str],
}

/// The words of one language. Places for names and numbers are marked `{…}` and filled by [`fill`].
#[derive(Debug)]
pub struct Catalogue {
    /// Subject of a run whose batches were all taken: `{name}` `{records}` `{at}`.
    pub subject_good: &'static str,
    /// Subject of a good run after failed ones: `{name}` `{records}` `{at}`.
    pub subject_recovered: &'static str,
    /// Subject of a run that left rows behind: `{name}` `{left}` `{at}`.
    pub subject_partial: &'static str,
    /// Subject of a run that sent some batches and not others: `{name}` `{at}`.
    pub subject_cut: &'static str,
    /// Subject of a held run: `{name}` `{reason}`.
    pub subject_held: &'static str,
    /// Subject of a failed run: `{name}` `{at}`.
    pub subject_failed: &'static str,
    /// Subject of a run of unknown fate: `{name}` `{at}`.
    pub subject_unknown: &'static str,
    /// Subject of a cancelled run: `{name}` `{at}`.
    pub subject_cancelled: &'static str,
    /// Subject of a run of which the receiver imported a part: `{name}` `{missing}` `{at}`.
    pub subject_refused: &'static str,
    /// Subject of a run of which the receiver imported nothing: `{name}` `{at}`.
    pub subject_not_imported: &'static str,
    /// Subject of a run that was taken and perhaps imported: `{name}` `{at}`.
    pub subject_unconfirmed: &'static str,
    /// Subject of a test mail.
    pub subject_test: &'static str,
    /// First sentence of a good run: `{menu}` `{target}`.
    pub lead_good: &'static str,
    /// The same, once the import is confirmed.
    pub lead_imported: &'static str,
    /// First sentence of a run of which the receiver imported a part: `{total}` `{imported}` `{missing}`.
    pub lead_refused: &'static str,
    /// First sentence of a run that was taken and perhaps imported: `{menu}` `{target}`.
    pub lead_unconfirmed: &'static str,
    /// What need not be sent again: `{imported}`.
    pub no_need_to_repeat: &'static str,
    /// First sentence of a partial run with rows left out: `{total}` `{sent}` `{left}`.
    pub lead_partial: &'static str,
    /// First sentence where some batches were taken and others not: `{taken}` `{batches}`.
    pub lead_cut: &'static str,
    /// First sentence of a held run.
    pub lead_held: &'static str,
    /// First sentence of a run of which nothing was taken.
    pub lead_failed: &'static str,
    /// First sentence of a run of unknown fate.
    pub lead_unknown: &'static str,
    /// First sentence of a cancelled run of which nothing was sent.
    pub lead_cancelled: &'static str,
    /// The test mail's text.
    pub test: &'static str,
    /// The trouble is over: `{since}`.
    pub recovered: &'static str,
    /// Failures of the same kind that no mail was sent about: `{untold}`.
    pub untold: &'static str,
    /// After the steps of a partial run: `{sent}`.
    pub taken_is_done: &'static str,
    /// "Nothing needs to be done."
    pub nothing_to_do: &'static str,
    /// "What happened:"
    pub heading_why: &'static str,
    /// The same, of a held run.
    pub heading_held: &'static str,
    /// "Please do this"
    pub heading_steps: &'static str,
    /// "Please choose one"
    pub heading_choice: &'static str,
    /// The choices of a held run: `{run}`.
    pub choices: &'static [&'static str],
    /// "and {more} more"
    pub more_rows: &'static str,
    /// The names of the facts.
    pub label: Labels,
    /// `{records}` `{files}`
    pub records: &'static str,
    /// Accepted, not confirmed.
    pub result_accepted: &'static str,
    /// Imported: `{imported}`
    pub result_imported: &'static str,
    /// The reminder while unconfirmed: `{target}`.
    pub unconfirmed: &'static str,
    /// An actor that is a timer: `{timer}` `{user}`.
    pub by_timer: &'static str,
    /// 「楽楽精算」
    pub seisan: &'static str,
    /// The receiver of a generic integration.
    pub receiver: &'static str,
    /// `R-…` line: `{run}`
    pub run_number: &'static str,
    /// HTTP status: `{status}`
    pub http_status: &'static str,
    /// `{code}`
    pub error_code: &'static str,
    /// `{code}`, of a held run
    pub reason_code: &'static str,
    /// Technical detail for the engineer.
    pub detail: &'static str,
    /// Why a run is held, in a few words for a subject.
    pub held_because: fn(Code) -> &'static str,
    /// A row that has no key: `{line}`.
    pub row_line: &'static str,
    /// Why a row was left out or stands in the way, as a cell of the mail's table; the line above has the column.
    pub row_reason: fn(&RowReason) -> String,
    /// What each failure means.
    pub explain: fn(Code) -> Explanation,
}

/// The names of the facts in a mail.
#[derive(Debug)]
pub struct Labels {
    /// 件数
    pub records: &'static str,
    /// 時刻
    pub time: &'static str,
    /// 実行者
    pub actor: &'static str,
    /// 結果
    pub result: &'static str,
    /// 次回
    pub next: &'static str,
    /// 取得元
    pub source: &'static str,
    /// メモ
    pub memo: &'static str,
    /// The key's column where a menu has none.
    pub row: &'static str,
    /// 項目
    pub column: &'static str,
    /// 理由
    pub reason: &'static str,
}

/// The catalogue of a language.
#[must_use]
pub fn of(locale: Locale) -> &'static Catalogue {
    match locale {
        Locale::Ja => &ja::CATALOGUE,
        Locale::En => &en::CATALOGUE,
    }
}

/// Puts values into the places `{name}` of a template; a place without a value stays as it is.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let close = rest[open..].find('}').map_or(rest.len(), |at| open + at + 1);
        let place = &rest[open..close];
        let name = place.trim_start_matches('{').trim_end_matches('}');
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or(place, |(_, value)| value));
        rest = &rest[close..];
    }
    text.push_str(rest);
    text
}

/// A number with thousands separated by commas, as both languages write it.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_explained_in_both_languages() {
        for locale in [Locale::Ja, Locale::En] {
            for &code in Code::ALL {
                let explanation = (of(locale).explain)(code);
                assert!(explanation.what.chars().count() > 5, "{code}");
                assert!(!explanation.steps.is_empty(), "{code} in {locale:?} tells nobody what to do");
            }
        }
    }

    #[test]
    fn values_do_not_open_places_of_their_own() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]), "{b} and 2");
        assert_eq!(fill("open {", &[]), "open {");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_203, 1_000_000].map(thousands), ["0", "999", "1,203", "1,000,000"]);
    }
}
