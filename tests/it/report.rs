//! The report mail: what a person reads. The words are snapshots, so that a change of tone is seen in review.

use chrono::{DateTime, Utc};
use renkei::config::Locale;
use renkei::domain::failure::{BadLetter, Code, Failure, LetterKind, RowFault, RowReason};
use renkei::domain::integration::Kind;
use renkei::domain::run::RunState;
use renkei::report::{RunFacts, compose};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn facts(state: RunState) -> RunFacts {
    RunFacts {
        run: "R-20261124-0007".into(),
        menu: "社員一覧".into(),
        integration: "社員マスタ連携".into(),
        kind: Kind::Seisan,
        state,
        records: 1_203,
        skipped_rows: 0,
        batches: 1,
        batches_taken: 1,
        imported: None,
        started: at("2026-11-24T06:00:00+09:00"),
        finished: at("2026-11-24T06:00:04+09:00"),
        scheduled: Some(at("2026-11-24T06:00:00+09:00")),
        timer: Some("毎朝の社員".into()),
        next: Some(at("2026-11-25T06:00:00+09:00")),
        actor: "佐藤".into(),
        memo: None,
        source: Some("employees.csv(更新 11/24 05:58)".into()),
        key: vec!["社員コード".into()],
        http_status: Some(200),
        failure: None,
        untold: 0,
        trouble_since: None,
    }
}

fn row(key: &str, reason: RowReason) -> RowFault {
    RowFault { key: key.into(), line: 3, column: "社員名".into(), reason }
}

/// A letter that is shown; a blank is not.
fn letter(letter: char, kind: LetterKind, suggestion: Option<&str>) -> RowReason {
    let seen = kind == LetterKind::NotInShiftJis && !matches!(suggestion, Some("" | " "));
    let shown = if seen { letter.to_string() } else { String::new() };
    RowReason::Letters {
        letters: vec![BadLetter { letter, shown, kind, suggestion: suggestion.map(Into::into) }],
        more: 0,
    }
}

fn yoshi() -> RowReason {
    letter('𠮷', LetterKind::NotInShiftJis, Some("吉"))
}

fn mail(facts: &RunFacts) -> String {
    let letter = compose(facts, Locale::Ja, chrono_tz::Asia::Tokyo);
    format!("件名:{}\n\n{}", letter.subject, letter.text)
}

#[test]
fn a_good_run_needs_no_action() {
    insta::assert_snapshot!(mail(&facts(RunState::Accepted)));
}

#[test]
fn a_held_run_says_that_nothing_was_sent_and_what_to_choose() {
    let mut facts = facts(RunState::Held);
    facts.records = 0;
    facts.batches_taken = 0;
    facts.http_status = None;
    facts.failure = Some(Failure::new(Code::Empty, "the export of 社員一覧 has no data rows"));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn a_failed_run_names_the_rows_to_mend() {
    let mut facts = facts(RunState::Failed);
    facts.batches = 0;
    facts.batches_taken = 0;
    facts.http_status = None;
    let rows = vec![row("1045", yoshi()), row("1102", letter('😀', LetterKind::NotInShiftJis, None))];
    facts.failure = Some(Failure::new(Code::Unmappable, "…").with_rows(rows, 12));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn a_partial_run_says_what_need_not_be_sent_again() {
    let mut facts = facts(RunState::Partial);
    facts.records = 1_200;
    facts.skipped_rows = 3;
    facts.failure = Some(Failure::new(Code::Unmappable, "…").with_rows(vec![row("1045", yoshi())], 3));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn an_imported_run_says_so_and_asks_nobody_to_look() {
    let mut facts = facts(RunState::Imported);
    facts.imported = Some(1_203);
    let mail = mail(&facts);
    assert!(mail.contains("取込完了 1,203件") && !mail.contains("取込の成否は"), "{mail}");
    insta::assert_snapshot!(mail);
}

#[test]
fn rows_that_were_refused_at_the_import_are_named_with_what_to_do() {
    let mut facts = facts(RunState::Partial);
    facts.imported = Some(1_200);
    let row = |key: &str, column: &str, reason: &str| RowFault {
        key: key.into(),
        line: 0,
        column: column.into(),
        reason: RowReason::Said { text: reason.into() },
    };
    let rows = vec![
        row("1045", "部門コード", "部門マスタにありません"),
        row("1102", "部門コード", "部門マスタにありません"),
        row("1188", "役職コード", "必須です"),
    ];
    facts.failure = Some(Failure::new(Code::RowRefused, "…").with_rows(rows, 3));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn a_file_that_was_refused_at_the_import_was_sent_and_not_imported() {
    let mut facts = facts(RunState::Failed);
    (facts.batches_taken, facts.imported) = (0, Some(0));
    facts.failure = Some(Failure::new(Code::ImportRefused, "0 of 1203 records were imported"));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn an_import_of_unknown_fate_was_taken_and_claims_no_more() {
    let mut facts = facts(RunState::Unknown);
    (facts.batches_taken, facts.imported) = (0, Some(0));
    facts.failure = Some(Failure::new(Code::ConfirmLimit, "not known at the limit"));
    insta::assert_snapshot!(mail(&facts));
    let letter = compose(&facts, Locale::En, chrono_tz::Asia::Tokyo);
    assert!(letter.subject.starts_with("[Please check]") && letter.text.contains("was sent to 楽楽精算 and taken"));
}

#[test]
fn an_unknown_run_claims_nothing() {
    let mut facts = facts(RunState::Unknown);
    facts.batches_taken = 0;
    facts.timer = None;
    facts.memo = Some("再送".into());
    facts.failure = Some(Failure::new(Code::Unknown, "the connection was reset before an answer came"));
    insta::assert_snapshot!(mail(&facts));
}

#[test]
fn the_english_twin_says_the_same() {
    let letter = compose(&facts(RunState::Accepted), Locale::En, chrono_tz::Asia::Tokyo);
    insta::assert_snapshot!(format!("Subject: {}\n\n{}", letter.subject, letter.text));
}

/// One of every reason.
fn reasons() -> Vec<RowReason> {
    let mut two = yoshi();
    if let RowReason::Letters { more, .. } = &mut two {
        *more = 2;
    }
    vec![
        two,
        letter('\u{a0}', LetterKind::NotInShiftJis, Some(" ")),
        letter('\u{200b}', LetterKind::NotInShiftJis, Some("")),
        letter('\u{e000}', LetterKind::PrivateUse, None),
        letter('\u{1b}', LetterKind::Control, None),
        RowReason::Required,
        RowReason::NotInMap,
        RowReason::NotADate { form: "%Y/%m/%d".into() },
        RowReason::NotADate { form: "%e.%b".into() },
        RowReason::NotADate { form: "wareki".into() },
        RowReason::DateNotWritable,
        RowReason::NoMatch { pattern: "[0-9]{6}".into() },
        RowReason::TooManyChars { has: 1_203, most: 40 },
        RowReason::TooManyBytes { has: 41, most: 40 },
        RowReason::RowBytes { has: 5_000_001, most: 4_999_900 },
        RowReason::RowLines { has: 50_001, most: 49_999 },
        RowReason::Repeated { first: 12 },
        RowReason::Said { text: "is empty, but required".into() },
    ]
}

#[test]
fn every_reason_of_a_row_is_said_in_the_mails_language() {
    for (locale, name) in [(Locale::Ja, "ja"), (Locale::En, "en")] {
        let words = renkei::messages::of(locale);
        let told: Vec<String> = reasons().iter().map(words.row_reason).collect();
        insta::assert_snapshot!(format!("reasons_{name}"), told.join("\n"));
        if locale == Locale::Ja {
            let english = |text: &&String| text.is_ascii();
            assert_eq!(told.iter().filter(english).count(), 1, "only what an earlier version wrote: {told:?}");
        }
    }
}

#[test]
fn a_row_without_a_key_is_named_by_its_line() {
    let mut facts = facts(RunState::Failed);
    facts.key = Vec::new();
    facts.failure = Some(Failure::new(Code::RowRule, "…").with_rows(vec![row("", RowReason::Required)], 1));
    assert!(mail(&facts).contains(" 行    項目   理由\n 3行目 社員名 必須ですが、空です"), "{}", mail(&facts));
}

#[test]
fn names_cannot_break_the_subject_or_the_html() {
    let mut facts = facts(RunState::Accepted);
    facts.integration = "a\r\nBcc: x@example.jp".into();
    facts.menu = "<script>".into();
    let letter = compose(&facts, Locale::Ja, chrono_tz::Asia::Tokyo);
    assert!(!letter.subject.contains(['\r', '\n']));
    assert!(!letter.html.contains("<script>") && letter.html.contains("&lt;script&gt;"));
}
