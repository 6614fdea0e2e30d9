//! Tables of answers and of endings.

use super::*;
use serde_json::json;

fn form(more: Value) -> ConfirmForm {
    let mut form = json!({
        "url": "https://example.jp/acme/status", "id": "/items/importId", "body": { "importId": "{id}" },
        "success": { "at": "/state", "is": ["completed"] }, "failure": { "at": "/state", "is": ["error"] },
        "rows": { "at": "/refused", "key": "/key", "line": "/line", "column": "/name", "reason": "/msg" },
    });
    for (key, value) in more.as_object().unwrap() {
        form[key] = value.clone();
    }
    serde_json::from_value(form).unwrap()
}

fn says(form: &ConfirmForm, answer: &Value) -> Meaning {
    let body = answer.to_string();
    read(form, &Answer::Http { status: 200, body: body.as_bytes(), complete: true, early: false }, 10, "batch-001.csv")
}

fn outcome(form: &ConfirmForm, answer: &Value) -> Option<(Outcome, u64, usize)> {
    match says(form, answer) {
        Meaning::Over(finding) => Some((finding.outcome, finding.imported, finding.rows.len())),
        _ => None,
    }
}

#[test]
fn the_table_of_answers() {
    let plain = form(json!({}));
    let counting = form(json!({ "imported": "/done", "partial": { "at": "/state", "is": ["half"] } }));
    let rows = json!([{ "key": "1", "name": "部門コード", "msg": "部門マスタにありません" }, { "key": "1", "name": "役職コード" }, { "key": "2" }]);
    use Outcome::{Failed, Imported, Partial};
    let table = [
        (&plain, json!({ "state": "completed" }), Some((Imported, 10, 0))),
        (&plain, json!({ "state": "completed", "refused": [] }), Some((Imported, 10, 0))),
        (&plain, json!({ "state": "completed", "refused": rows }), Some((Partial, 8, 3))),
        (&plain, json!({ "state": "error" }), Some((Failed, 0, 0))),
        (&plain, json!({ "state": "error", "refused": rows }), Some((Failed, 0, 3))),
        (&plain, json!({ "state": "processing" }), None),
        (&plain, json!({}), None),
        (&counting, json!({ "state": "error", "done": "8", "refused": rows }), Some((Partial, 8, 3))),
        (&counting, json!({ "state": "error", "done": 0 }), Some((Failed, 0, 0))),
        (&counting, json!({ "state": "half", "done": 7 }), Some((Partial, 7, 0))),
        (&counting, json!({ "state": "half", "refused": rows }), Some((Partial, 8, 3))),
        (&counting, json!({ "state": "half" }), None),
        (&counting, json!({ "state": "completed", "done": 99 }), Some((Imported, 10, 0))),
    ];
    for (form, answer, wanted) in table {
        assert_eq!(outcome(form, &answer), wanted, "{answer}");
    }
}

#[test]
fn what_does_not_say_clearly_what_happened_says_nothing() {
    let finished = form(json!({ "finished": { "at": "/over", "is": [true] } }));
    assert_eq!(says(&finished, &json!({ "over": false, "state": "completed" })), Meaning::GoesOn);
    assert!(matches!(says(&finished, &json!({ "over": true, "state": "who knows" })), Meaning::Nothing(_)));
    let two = form(json!({ "failure": { "at": "/errors", "is": [1] } }));
    assert!(matches!(says(&two, &json!({ "state": "completed", "errors": 1 })), Meaning::Nothing(_)));
    let http = |status, body: &str, complete| {
        read(&form(json!({})), &Answer::Http { status, body: body.as_bytes(), complete, early: false }, 1, "x.csv")
    };
    let good = r#"{"state":"completed"}"#;
    assert!(matches!(http(200, good, true), Meaning::Over(_)));
    let nothing = [
        (200, good, false),
        (200, "<html>", true),
        (200, "", true),
        (200, "Status: 503 Maintenance mode\n", true),
        (302, good, true),
        (404, good, true),
        (429, good, true),
        (500, good, true),
    ];
    for (status, body, complete) in nothing {
        assert!(matches!(http(status, body, complete), Meaning::Nothing(_)), "{status} {body}");
    }
    for (status, body) in [(401, good), (403, good), (403, "<html>"), (407, "")] {
        assert!(matches!(http(status, body, true), Meaning::Denied(_)), "{status} {body}");
    }
    for answer in [Answer::NotSent, Answer::Broken] {
        assert!(matches!(read(&form(json!({})), &answer, 1, "x.csv"), Meaning::Nothing(_)));
    }
}

#[test]
fn a_refused_row_holds_key_column_and_reason_and_nothing_else() {
    let answer = json!({ "state": "completed", "refused": [
        { "key": "1045", "name": "部門コード", "msg": "あ\n".repeat(500), "salary": "a-value" }, { "line": 3 }, {}] });
    let Meaning::Over(finding) = says(&form(json!({})), &answer) else { panic!("it is over") };
    assert_eq!((finding.outcome, finding.imported), (Outcome::Partial, 7));
    assert!(!format!("{finding:?}").contains("a-value"));
    let row = &finding.rows[0];
    assert_eq!((row.key.as_str(), row.line, row.column.as_str()), ("1045", 0, "部門コード"));
    assert_eq!(finding.rows[1].key, "batch-001.csv:3");
    assert!(format!("{row:?}").chars().count() < 400 && !format!("{row:?}").contains("\\n"), "{row:?}");
}

#[test]
fn it_is_asked_at_intervals_and_for_the_last_time_at_the_limit() {
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let next = |now, asked: Option<u64>| ask_again(Span::seconds(30), at(100), at(now), asked.map(Duration::from_secs));
    assert_eq!(next(0, None), Some(at(30)));
    assert_eq!(next(0, Some(50)), Some(at(50)));
    assert_eq!(next(0, Some(5)), Some(at(30)));
    assert_eq!(next(80, None), Some(at(100)));
    assert_eq!(next(0, Some(u64::MAX)), Some(at(30)), "what is no time is not waited for");
    assert_eq!((next(100, None), next(5_000, None)), (None, None));
}

fn part(outcome: Option<Outcome>, imported: u64) -> Part {
    let finding = outcome.map(|outcome| Finding {
        outcome,
        imported,
        rows: Vec::new(),
        code: (outcome == Outcome::Unknown).then_some(Code::ConfirmDenied),
        note: String::new(),
    });
    Part { records: 10, finding }
}

#[test]
fn the_batches_decide_how_a_run_ends() {
    use Outcome::{Failed, Imported, Partial, Unknown};
    let earlier = Failure::new(Code::Rejected, "");
    let warning = Failure::new(Code::Unmappable, "");
    type Case<'f> = (&'f [(Option<Outcome>, u64)], Option<&'f Failure>, Option<&'f Failure>, RunState, Option<Code>);
    let table: [Case<'_>; 9] = [
        (&[(Some(Imported), 10), (Some(Imported), 10)], None, None, RunState::Imported, None),
        (&[(Some(Imported), 10)], None, Some(&warning), RunState::Partial, Some(Code::Unmappable)),
        (&[(Some(Imported), 10), (Some(Failed), 0)], None, None, RunState::Partial, Some(Code::ImportRefused)),
        (&[(Some(Imported), 10), (None, 0)], Some(&earlier), None, RunState::Partial, Some(Code::Rejected)),
        (&[(Some(Failed), 0), (None, 0)], Some(&earlier), None, RunState::Failed, Some(Code::Rejected)),
        (&[(Some(Partial), 8)], None, None, RunState::Partial, Some(Code::ImportRefused)),
        (&[(Some(Failed), 0)], None, None, RunState::Failed, Some(Code::ImportRefused)),
        (&[(Some(Imported), 10), (Some(Unknown), 0)], None, None, RunState::Unknown, Some(Code::ConfirmDenied)),
        (&[(Some(Failed), 0), (Some(Unknown), 0)], Some(&earlier), None, RunState::Unknown, Some(Code::ConfirmDenied)),
    ];
    for (parts, earlier, warning, state, code) in table {
        let parts: Vec<Part> = parts.iter().map(|&(outcome, imported)| part(outcome, imported)).collect();
        let (found, failure) = end(&parts, earlier, warning);
        assert_eq!((found, failure.map(|failure| failure.code)), (state, code), "{parts:?}");
    }
}

#[test]
fn the_rows_of_all_batches_stand_in_the_failure() {
    let row = |key: &str| said_of_row(Some(key.to_owned()), None, None);
    let mut parts = [part(Some(Outcome::Partial), 9), part(Some(Outcome::Partial), 8)];
    for (part, rows) in parts.iter_mut().zip([vec![row("1")], vec![row("2"), row("3")]]) {
        part.finding.as_mut().unwrap().rows = rows;
    }
    let (state, failure) = end(&parts, None, None);
    let failure = failure.unwrap();
    assert_eq!(
        (state, failure.code, failure.rows.len(), failure.rows_total),
        (RunState::Partial, Code::RowRefused, 3, 3)
    );
}
