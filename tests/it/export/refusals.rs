//! What is refused, and how it is told.

use super::*;
use renkei::domain::failure::Code;

const NAMES: [&str; 2] = ["社員コード", "社員名"];

fn keyed() -> Trial {
    Trial::new(&NAMES, json!({ "key": ["社員コード"] }))
}

#[test]
fn a_letter_that_shift_jis_lacks_stops_the_run_with_the_rows_name_first() {
    let failure = keyed().refusal(&[vec!["1044", "山田 太郎"], vec!["1045", "𠮷野 花子"], vec!["1046", "😀\u{E000}"]]);
    assert_eq!((failure.code, failure.rows_total), (Code::Unmappable, 2));
    assert!(
        failure.message.starts_with(
            "社員コード 1045: 社員名 has U+20BB7 𠮷, which Shift_JIS does not have (use 吉). In all, 2 rows cannot be sent"
        ),
        "{failure}"
    );
    assert!(!failure.message.contains("花子"));
    let told: Vec<_> = failure.rows.iter().map(|row| (row.name(), row.line, row.reason.to_string())).collect();
    let told: Vec<_> = told.iter().map(|(key, line, reason)| (key.as_str(), *line, reason.as_str())).collect();
    assert_eq!(
        told,
        [
            ("1045", 3, "has U+20BB7 𠮷, which Shift_JIS does not have (use 吉)"),
            (
                "1046",
                4,
                "has U+1F600 😀, which Shift_JIS does not have; has U+E000, a 外字 (private use) whose shape only the machine \
                 with its font knows"
            )
        ]
    );
}

#[test]
fn every_faulty_row_is_counted_and_the_first_hundred_are_listed() {
    let codes: Vec<String> = (0..250).map(|n| n.to_string()).collect();
    let rows: Vec<Vec<&str>> = codes.iter().map(|code| vec![code.as_str(), "𠮷"]).collect();
    let failure = keyed().refusal(&rows);
    assert_eq!((failure.rows.len(), failure.rows_total), (100, 250));
}

#[test]
fn a_row_can_be_left_out_or_marked_instead() {
    let rows = [vec!["1", "𠮷"], vec!["2", "田"]];
    let (exported, files) = keyed().csv(json!({ "unmappable": "skip-row" })).try_write(&rows).unwrap();
    assert_eq!(sjis(&files[0]), "社員コード,社員名\r\n2,田\r\n");
    assert_eq!((exported.read, exported.records, exported.left_out_total), (2, 1, 1));
    assert_eq!((exported.left_out[0].key.as_str(), exported.left_out[0].column.as_str()), ("1", "社員名"));

    let (exported, files) = keyed().csv(json!({ "unmappable": { "substitute": "〓" } })).try_write(&rows).unwrap();
    assert_eq!(sjis(&files[0]), "社員コード,社員名\r\n1,〓\r\n2,田\r\n");
    assert_eq!((exported.left_out_total, exported.substituted_total), (0, 1));
    assert_eq!(exported.substituted[0].key, "1");
}

#[test]
fn a_broken_rule_stops_the_run_or_leaves_the_row_out() {
    let columns = json!([{ "header": "code" }, { "header": "name", "max_chars": 2 }]);
    let rows = [vec!["1", "abc"], vec!["2", "ab"]];
    let trial =
        |bad: &str| Trial::new(&["code", "name"], json!({ "columns": columns, "key": ["code"], "bad_rows": bad }));
    let failure = trial("reject").refusal(&rows);
    assert_eq!((failure.code, failure.rows_total), (Code::RowRule, 1));
    assert!(failure.message.starts_with("code 1: name has 3 characters, 2 are allowed."), "{failure}");
    let (exported, files) = trial("skip-row").try_write(&rows).unwrap();
    assert_eq!(files[0], b"code,name\r\n2,ab\r\n");
    assert_eq!(exported.left_out[0].reason.to_string(), "has 3 characters, 2 are allowed");
}

#[test]
fn control_characters_break_a_rule_in_every_charset_and_are_never_marked() {
    for csv in [json!({ "unmappable": { "substitute": "〓" } }), json!({ "charset": "utf8" })] {
        let failure = keyed().csv(csv).refusal(&[vec!["1", "a\0b"]]);
        assert_eq!(failure.code, Code::RowRule);
        assert_eq!(failure.rows[0].reason.to_string(), "has the control character U+0000, which no CSV field may hold");
    }
}

#[test]
fn a_row_without_a_key_is_named_by_its_line() {
    let failure = Trial::new(&["x"], json!({})).refusal(&[vec!["ok"], vec!["𠮷"]]);
    assert!(failure.message.starts_with("line 3: x has U+20BB7"), "{failure}");
    assert_eq!(failure.rows[0].name(), "line 3");
}

#[test]
fn every_missing_column_is_named_at_once_with_what_was_meant() {
    let columns = json!([
        { "header": "社員コード", "field": "emp_no" },
        { "header": "社員名" },
        { "header": "部門", "field": "dept" },
        { "header": "会社", "constant": "x" },
    ]);
    let trial = Trial::new(&["empno", "社員名", "mail"], json!({ "columns": columns, "key": ["社員コード"] }));
    let failure = trial.plan().unwrap_err();
    assert_eq!(failure.code, Code::MissingColumn);
    assert!(
        failure.message.starts_with(
            "the source lacks the columns emp_no (sent as 社員コード) (did you mean empno?), dept (sent as 部門). Its columns \
             are: empno, 社員名, mail."
        ),
        "{failure}"
    );
    let failure = Trial::new(&["a"], json!({ "key": ["b"], "order_by": [{ "header": "c" }] })).plan().unwrap_err();
    assert!(failure.message.starts_with("the source lacks the columns b, c"), "{failure}");
    assert_eq!(Trial::new(&[], json!({})).plan().unwrap_err().code, Code::MissingColumn);
}

#[test]
fn a_header_or_a_mark_that_cannot_be_written_is_refused_before_the_first_row() {
    let failure = Trial::new(&["𠮷"], json!({})).plan().unwrap_err();
    assert_eq!(failure.code, Code::Unmappable);
    assert!(failure.message.starts_with("the header 𠮷 cannot be written"), "{failure}");
    let mark = Trial::new(&["x"], json!({})).csv(json!({ "unmappable": { "substitute": "😀" } }));
    assert_eq!(mark.plan().unwrap_err().code, Code::SettingsInvalid);
    let table = Trial::new(&["x"], json!({})).csv(json!({ "replacements": { "吉": "𠮷" } }));
    assert_eq!(table.plan().unwrap_err().code, Code::SettingsInvalid);
}

#[test]
fn a_preview_shows_rows_as_they_would_be_sent_and_tells_each_fault() {
    let trial = Trial::new(
        &NAMES,
        json!({ "columns": [{ "header": "社員コード", "trim": true }, { "header": "社員名" }], "key": ["社員コード"] }),
    );
    let rows = [vec![" 1 ", "a,\"〜\""], vec!["2", "𠮷"], vec!["3", "c"]];
    let preview = export::preview(&trial.plan().unwrap(), blocks(&rows), 2).unwrap();
    assert_eq!(preview.headers, NAMES);
    assert!(preview.more);
    assert_eq!(preview.rows[0].values, ["1", "a,\"～\""]);
    assert!(preview.rows[0].is_sent && !preview.rows[1].is_sent);
    assert_eq!(preview.rows[1].values, ["2", "𠮷"]);
    assert!(preview.rows[1].faults[0].reason.to_string().contains("use 吉"));
}
