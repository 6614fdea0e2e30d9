//! `where`: the rows that a list is about.

use super::*;
use renkei::domain::failure::Code;

const NAMES: [&str; 3] = ["code", "status", "left"];

fn trial(conditions: Value) -> Trial {
    let columns = json!([{ "header": "code", "required": true }]);
    Trial::new(&NAMES, json!({ "key": ["code"], "columns": columns, "where": conditions }))
}

fn rows() -> Vec<Vec<&'static str>> {
    vec![vec!["1", "在籍", ""], vec!["2", "退職", "2026/03/31"], vec!["3", " 在籍\u{3000}", " "], vec!["4", "", ""]]
}

/// The codes that are sent.
fn sent(conditions: Value) -> Vec<String> {
    trial(conditions).text(&rows()).lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn only_rows_that_meet_every_condition_are_sent() {
    assert_eq!(sent(json!([{ "field": "status", "is": "在籍" }])), ["1", "3"]);
    assert_eq!(sent(json!([{ "field": "status", "is_not": "在籍" }])), ["2", "4"]);
    assert_eq!(sent(json!([{ "field": "status", "in": ["退職", "在籍 "] }])), ["1", "2", "3"]);
    assert_eq!(sent(json!([{ "field": "left", "empty": true }])), ["1", "3", "4"]);
    assert_eq!(sent(json!([{ "field": "left", "empty": true }, { "field": "status", "empty": false }])), ["1", "3"]);
    assert_eq!(sent(json!([])), ["1", "2", "3", "4"]);
}

#[test]
fn a_row_that_is_not_meant_breaks_no_rule_and_is_no_row_that_was_left_out() {
    let conditions = json!([{ "field": "status", "is": "在籍" }]);
    let rows = [vec!["1", "在籍", ""], vec!["", "退職", ""], vec!["1", "退職", ""]];
    let (exported, _) = trial(conditions).try_write(&rows).unwrap();
    assert_eq!((exported.read, exported.not_meant, exported.records, exported.left_out_total), (3, 2, 1, 0));
    assert!(exported.tripped.is_empty(), "{:?}", exported.tripped);
}

#[test]
fn an_export_of_which_no_row_is_left_is_empty() {
    let (exported, files) = trial(json!([{ "field": "status", "is": "休職" }])).try_write(&rows()).unwrap();
    assert_eq!((exported.records, exported.not_meant), (0, 4));
    assert_eq!(exported.tripped[0].code, Code::Empty);
    assert!(exported.tripped[0].message.contains("none of the source's 4 rows meets the menu's where"));
    assert_eq!(sjis(&files[0]), "code\r\n");
}

#[test]
fn a_condition_on_a_column_that_is_not_there_is_no_empty_list() {
    let failure = trial(json!([{ "field": "staus", "is": "在籍" }])).plan().unwrap_err();
    assert_eq!(failure.code, Code::MissingColumn);
    assert!(failure.message.contains("the source lacks the column staus (did you mean status?)"), "{failure}");
}

#[test]
fn a_wanted_key_among_the_rows_that_are_not_meant_is_not_found() {
    let trial = trial(json!([{ "field": "status", "is": "在籍" }])).keys(&["2"]);
    let failure = trial.refusal(&rows());
    assert_eq!(failure.code, Code::KeyNotFound);
    assert!(failure.message.starts_with("no row of the source that meets the menu's where has code 2."), "{failure}");
}

#[test]
fn a_preview_shows_the_rows_that_are_meant() {
    let plan = trial(json!([{ "field": "status", "is_not": "在籍" }])).plan().unwrap();
    let preview = export::preview(&plan, blocks(&rows()), 10).unwrap();
    assert_eq!(preview.rows.iter().map(|row| row.values[0].as_str()).collect::<Vec<_>>(), ["2", "4"]);
}
