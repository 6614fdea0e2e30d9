//! A column in which no two rows have one value.

use super::*;
use renkei::domain::failure::{Code, RowReason};

const NAMES: [&str; 3] = ["code", "mail", "name"];

fn trial(more: Value) -> Trial {
    let mut settings = json!({
        "key": ["code"],
        "columns": [{ "header": "code" }, { "header": "mail", "trim": true, "case": "lower", "unique": true }, { "header": "name" }],
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Trial::new(&NAMES, settings)
}

#[test]
fn a_value_that_an_earlier_row_has_stops_the_run_and_is_not_told() {
    let rows = [
        vec!["1", "a@x.jp", ""],
        vec!["2", "", ""],
        vec!["3", "", ""],
        vec!["4", "b@x.jp", ""],
        vec!["5", " A@X.JP", ""],
    ];
    let failure = trial(json!({})).refusal(&rows);
    assert_eq!((failure.code, failure.rows_total), (Code::RowRule, 1));
    assert!(failure.message.starts_with("code 5: mail stands in line 2 already. Correct"), "{failure}");
    let row = &failure.rows[0];
    assert_eq!((row.key.as_str(), row.line, row.column.as_str()), ("5", 6, "mail"));
    assert_eq!(row.reason, RowReason::Repeated { first: 2 });
    assert!(!format!("{failure:?}").to_lowercase().contains("x.jp"), "a value is told");
    assert!(trial(json!({})).try_write(&rows[..4]).is_ok(), "empty values are not compared");
}

#[test]
fn which_of_two_rows_is_right_nobody_knows_so_none_is_left_out() {
    let skip = trial(json!({ "bad_rows": "skip-row" }));
    assert_eq!(skip.refusal(&[vec!["1", "a", ""], vec!["2", "A", ""]]).code, Code::RowRule);
    // A row that is left out for another rule takes no part.
    let columns =
        json!([{ "header": "code" }, { "header": "mail", "unique": true }, { "header": "name", "required": true }]);
    let left_out = trial(json!({ "bad_rows": "skip-row", "columns": columns }));
    let (exported, _) = left_out.try_write(&[vec!["1", "a", ""], vec!["2", "a", "x"]]).unwrap();
    assert_eq!((exported.records, exported.left_out_total), (1, 1));
}

#[test]
fn it_is_the_value_as_it_is_sent_and_the_sources_line_whatever_the_order() {
    let mut sorted = trial(json!({ "order_by": [{ "header": "code", "descending": true }] }));
    sorted.csv = csv_form(json!({ "replacements": { "㈱": "(株)" } }));
    let failure =
        sorted.refusal(&[vec!["1", "㈱", ""], vec!["2", "か\u{3099}", ""], vec!["3", "(株)", ""], vec!["4", "が", ""]]);
    let told: Vec<_> = failure.rows.iter().map(|row| (row.key.as_str(), row.line, row.reason.clone())).collect();
    assert_eq!(told, [("3", 4, RowReason::Repeated { first: 2 }), ("4", 5, RowReason::Repeated { first: 3 })]);
    assert!(failure.message.contains("In all, 2 values stand in an earlier row"), "{failure}");
}

#[test]
fn many_rows_pass_through_the_folder() {
    let columns = json!([{ "header": "code", "unique": true }, { "header": "mail", "unique": true }]);
    let mut trial = Trial::new(&["code", "mail"], json!({ "key": ["code"], "columns": columns }));
    trial.tuning.key_entries = 64;
    let values: Vec<(String, String)> =
        (0..20_000).map(|n| (format!("k{n}"), format!("m{}", if n % 9_000 == 8_999 { 7 } else { n }))).collect();
    let rows: Vec<Vec<&str>> = values.iter().map(|(code, mail)| vec![code.as_str(), mail.as_str()]).collect();
    let failure = trial.refusal(&rows);
    let told: Vec<_> = failure.rows.iter().map(|row| (row.key.as_str(), row.line, row.reason.clone())).collect();
    let first = RowReason::Repeated { first: 9 };
    assert_eq!(told, [("k8999", 9_001, first.clone()), ("k17999", 18_001, first)]);
    assert_eq!(failure.rows_total, 2);
}

#[test]
fn one_file_without_limits_is_held_to_it_too_and_its_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("not/there");
    let mut trial = trial(json!({ "order_by": [{ "header": "code" }] }));
    (trial.tuning.sort_bytes, trial.tuning.key_entries) = (1, 1);
    let plan = trial.plan().unwrap();
    let write = |rows: &[Vec<&str>]| {
        let mut out = Vec::new();
        export::write_single(&plan, blocks(rows), &mut out, &scratch, |_| ControlFlow::Continue(())).map(|_| sjis(&out))
    };
    let written = write(&[vec!["2", "b", ""], vec!["1", "a", ""], vec!["3", "c", ""]]);
    assert_eq!(written.unwrap(), "code,mail,name\r\n1,a,\r\n2,b,\r\n3,c,\r\n");
    let Err(ExportError::Failed(failure)) = write(&[vec!["2", "a", ""], vec!["1", "a", ""]]) else { panic!("written") };
    assert_eq!(failure.rows[0].reason, RowReason::Repeated { first: 2 });
}
