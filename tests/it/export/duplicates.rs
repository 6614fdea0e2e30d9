//! Two rows with one key.

use super::*;
use renkei::domain::failure::{Code, RowReason};

#[test]
fn a_key_that_stands_twice_is_named_with_both_lines() {
    let trial = Trial::new(&["社員コード", "名"], json!({ "key": ["社員コード"] }));
    let (exported, _) = trial.try_write(&[vec!["1", "a"], vec!["2", "b"], vec!["1", "c"], vec!["1", "d"]]).unwrap();
    let failure = &exported.tripped[0];
    assert_eq!((failure.code, failure.rows_total), (Code::DuplicateKeys, 2));
    assert!(
        failure.message.starts_with("社員コード 1 stands twice: line 4 of the source, and it stands in line 2 already"),
        "{failure}"
    );
    let rows: Vec<_> = failure.rows.iter().map(|row| (row.key.as_str(), row.line, row.reason.clone())).collect();
    assert_eq!(rows, [("1", 4, RowReason::Repeated { first: 2 }), ("1", 5, RowReason::Repeated { first: 2 })]);
    assert_eq!(exported.batches.len(), 1, "a person may approve it");
}

#[test]
fn keys_are_compared_as_they_are_sent() {
    let columns = json!([{ "header": "k", "trim": true, "width": "half" }, { "header": "n" }]);
    let trial = Trial::new(&["k", "n"], json!({ "columns": columns, "key": ["k"] }));
    let (exported, _) = trial.try_write(&[vec!["A1", ""], vec!["Ａ１\u{3000}", ""], vec!["a1", ""]]).unwrap();
    assert_eq!(exported.tripped[0].rows_total, 1);
    // 〜 and ～ are one letter in Shift_JIS, and two in UTF-8.
    let rows = [vec!["〜", "𠮷"], vec!["～", ""]];
    let wave = |csv: Value| {
        let trial = Trial::new(&["k", "n"], json!({ "key": ["k"] })).csv(csv);
        trial.try_write(&rows).unwrap().0.tripped.len()
    };
    assert_eq!(wave(json!({ "unmappable": { "substitute": "〓" } })), 1);
    assert_eq!(wave(json!({ "charset": "utf8" })), 0);
}

#[test]
fn the_parts_of_a_key_do_not_run_into_each_other() {
    let trial = Trial::new(&["a", "b"], json!({ "key": ["a", "b"] }));
    let (exported, _) = trial.try_write(&[vec!["1", "23"], vec!["12", "3"], vec!["𠮷", "x"]][..2]).unwrap();
    assert_eq!(exported.tripped, []);
    let (exported, _) = trial.try_write(&[vec!["社", "2"], vec!["社", "2"]]).unwrap();
    assert_eq!(exported.tripped[0].rows[0].key, "社 / 2");
}

#[test]
fn duplicates_are_found_across_runs_files_and_a_sort() {
    let settings = json!({ "key": ["k"], "order_by": [{ "header": "k", "numeric": true }] });
    let mut trial = Trial::new(&["k", "x"], settings).limits(100_000, 40);
    (trial.tuning.key_entries, trial.tuning.sort_bytes) = (7, 700);
    let keys: Vec<String> =
        (0..500).map(|n| (n * 7 % 500).to_string()).chain((0..300).map(|n| n.to_string())).collect();
    let rows: Vec<Vec<&str>> = keys.iter().map(|key| vec![key.as_str(), "quoted, \"field\"\n"]).collect();
    let (exported, _) = trial.try_write(&rows).unwrap();
    let failure = &exported.tripped[0];
    assert_eq!((failure.rows_total, failure.rows.len()), (300, 100));
    for (nth, row) in failure.rows.iter().enumerate() {
        assert_eq!(row.key, nth.to_string(), "the first hundred in the order of the files");
        assert_eq!(row.line, 502 + nth as u64);
        let first = keys.iter().position(|key| *key == row.key).unwrap() as u64 + 2;
        assert_eq!(row.reason, RowReason::Repeated { first });
    }
}

#[test]
fn chosen_keys_alone_are_sent_and_a_lost_one_is_named() {
    let rows = [vec!["1", "x"], vec!["2", "x"], vec!["3", "y"]];
    let settings = || json!({ "key": ["code"] });
    let trial = Trial::new(&["code", "v"], settings()).keys(&["3", "1"]);
    assert_eq!(trial.text(&rows), "code,v\r\n1,x\r\n3,y\r\n");
    let failure = Trial::new(&["code", "v"], settings()).keys(&["3", "9", "8"]).refusal(&rows);
    assert_eq!(failure.code, Code::KeyNotFound);
    assert!(failure.message.starts_with("no row of the source has code 8, 9"), "{failure}");
    let both = json!({ "key": ["code", "v"] });
    for key in ["2/x", "2 / x"] {
        assert_eq!(Trial::new(&["code", "v"], both.clone()).keys(&[key]).text(&rows), "code,v\r\n2,x\r\n");
    }
    let failure = Trial::new(&["code"], json!({})).keys(&["1"]).plan().unwrap_err();
    assert_eq!(failure.code, Code::KeyNotFound);
}
