//! The morning mail: what a person reads. The words are snapshots, so that a change of tone is seen in review.

use chrono::{DateTime, Utc};
use renkei::config::Locale;
use renkei::domain::morning::{Morning, Need, NeedKind, Note, NoteKind, TimerDay};
use renkei::domain::run::{RunState, SkipReason};
use renkei::domain::statement::{Standing, Statement, Tally};
use renkei::report::compose_digest;
use std::collections::BTreeMap;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("2026-11-{text}:00+09:00")).unwrap().to_utc()
}

fn day(name: &str, tally: Tally) -> TimerDay {
    TimerDay {
        name: name.to_owned(),
        standing: Standing::Next,
        switched_at: at("02T10:00"),
        on_again: None,
        next: Some(at("25T06:00")),
        tally,
        reasons: BTreeMap::new(),
        states: BTreeMap::from([(RunState::Accepted, tally.good)]),
        last: None,
    }
}

fn quiet() -> Morning {
    let good = Tally { due: 12, run: 12, ended: 12, good: 12, ..Tally::default() };
    Morning {
        from: at("23T08:30"),
        to: at("24T08:30"),
        statement: Statement { tally: good, ..Statement::default() },
        timers: vec![
            day("毎時の部門", Tally { due: 11, run: 11, ended: 11, good: 11, ..Tally::default() }),
            day("毎朝の社員", Tally { due: 1, run: 1, ended: 1, good: 1, ..Tally::default() }),
        ],
        by_hand: 0,
        by_hand_good: 0,
        needs: Vec::new(),
        notes: Vec::new(),
    }
}

fn busy() -> Morning {
    let mut morning = quiet();
    morning.statement.tally =
        Tally { due: 12, run: 9, skipped: 2, unexplained: 1, ended: 8, open: 1, good: 7, ..Tally::default() };
    morning.timers[0].tally =
        Tally { due: 11, run: 8, skipped: 2, unexplained: 1, ended: 8, good: 7, ..Tally::default() };
    morning.timers[0].states = BTreeMap::from([(RunState::Accepted, 7), (RunState::Failed, 1)]);
    morning.timers[0].reasons = BTreeMap::from([(SkipReason::Overlap, 2)]);
    morning.timers[1].tally = Tally { due: 1, run: 1, open: 1, ..Tally::default() };
    morning.timers[1].states = BTreeMap::from([(RunState::Held, 1)]);
    let off = |name: &str, on_again| TimerDay {
        standing: Standing::Off,
        next: None,
        on_again,
        ..day(name, Tally::default())
    };
    morning.timers.push(TimerDay { switched_at: at("20T10:00"), ..off("役職", Some(at("30T00:00"))) });
    morning.timers.push(off("取引先", None));
    (morning.by_hand, morning.by_hand_good) = (2, 1);
    let need = |kind, about: &str, run: Option<&str>, count| Need {
        kind,
        about: about.to_owned(),
        run: run.map(str::to_owned),
        since: at("24T06:00"),
        count,
        detail: String::new(),
    };
    morning.needs = vec![
        need(NeedKind::Ledger, "毎時の部門", None, 1),
        need(NeedKind::Held, "社員一覧 → 社員マスタ連携", Some("R-20261124-0007"), 1),
        need(NeedKind::Failed, "部門一覧 → 部門マスタ連携", Some("R-20261124-0005"), 3),
        need(NeedKind::Paused, "取引先連携", None, 1),
    ];
    let note = |kind, about: &str| Note {
        kind,
        about: about.to_owned(),
        until: Some(at("24T18:00")),
        detail: "人事異動".to_owned(),
    };
    morning.notes = vec![note(NoteKind::Stop, "all"), note(NoteKind::Waiting, "R-20261124-0008")];
    morning
}

fn mail(morning: &Morning, locale: Locale) -> String {
    let letter = compose_digest(morning, locale, chrono_tz::Asia::Tokyo);
    format!("{}\n\n{}", letter.subject, letter.text)
}

#[test]
fn a_quiet_night_says_so_in_the_subject() {
    insta::assert_snapshot!(mail(&quiet(), Locale::Ja));
}

#[test]
fn what_needs_a_person_comes_first_and_timers_that_are_off_are_not_forgotten() {
    insta::assert_snapshot!(mail(&busy(), Locale::Ja));
}

#[test]
fn the_english_twin_of_the_morning_mail_says_the_same() {
    insta::assert_snapshot!(mail(&busy(), Locale::En));
}

#[test]
fn names_cannot_break_the_morning_mail() {
    let mut morning = busy();
    morning.timers[0].name = "a\r\nb <script>".to_owned();
    morning.needs[0].about = "x\ny".to_owned();
    let letter = compose_digest(&morning, Locale::Ja, chrono_tz::Asia::Tokyo);
    assert!(!letter.html.contains("<script>") && !letter.text.contains("x\ny"));
}
