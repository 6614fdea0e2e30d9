//! Columns: what each step does, and what breaks a rule.

use super::*;
use renkei::domain::failure::Code;

/// The values that one column gives, without quotes and line ends, or the reason of the first row that it refuses.
fn column(settings: Value, values: &[&str]) -> Result<Vec<String>, String> {
    let mut column = json!({ "header": "x" });
    column.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let trial = Trial::new(&["x"], json!({ "columns": [column] }))
        .csv(json!({ "header": false, "replacements": { "㈱": "(株)" } }));
    let rows: Vec<Vec<&str>> = values.iter().map(|&value| vec![value]).collect();
    match trial.try_write(&rows) {
        Ok((_, files)) => Ok(sjis(&files[0]).lines().map(|line| line.trim_matches('"').to_owned()).collect()),
        Err(failure) => {
            assert_eq!(failure.code, Code::RowRule);
            Err(failure.rows[0].reason.to_string())
        }
    }
}

#[test]
fn columns_are_sent_in_the_menus_order_under_their_headers() {
    let columns = json!([
        { "header": "氏名", "field": "name" },
        { "header": "会社", "constant": "Acme, Inc." },
        { "header": "code" },
    ]);
    let trial = Trial::new(&["code", "name", "secret"], json!({ "columns": columns }));
    assert_eq!(trial.text(&[vec!["1", "佐藤", "x"]]), "氏名,会社,code\r\n佐藤,\"Acme, Inc.\",1\r\n");
}

#[test]
fn several_fields_are_joined_and_empty_ones_leave_no_gap() {
    let trial = |more: Value| {
        let mut column = json!({ "header": "氏名", "concat": ["sei", "middle", "mei"], "between": "\u{3000}" });
        column.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Trial::new(&["mei", "middle", "sei"], json!({ "columns": [column] })).csv(json!({ "header": false }))
    };
    let rows = [vec!["花子", "", "佐藤"], vec!["", " ", "山田 "], vec!["太郎", "M", "鈴木"]];
    assert_eq!(trial(json!({})).text(&rows), "佐藤　花子\r\n山田 　 \r\n鈴木　M　太郎\r\n");
    assert_eq!(trial(json!({ "trim": true })).text(&rows), "佐藤　花子\r\n山田\r\n鈴木　M　太郎\r\n");
    assert_eq!(
        trial(json!({ "between": null, "trim": true, "max_chars": 4 })).text(&rows[..2]),
        "佐藤花子\r\n山田\r\n"
    );
    let missing = Trial::new(&["mei"], json!({ "columns": [{ "header": "氏名", "concat": ["sei", "mei", "m"] }] }));
    let failure = missing.plan().unwrap_err();
    assert_eq!(failure.code, Code::MissingColumn);
    assert!(
        failure.message.contains("columns sei (sent as 氏名)") && failure.message.contains("m (sent as 氏名)"),
        "{failure}"
    );
}

#[test]
fn blanks_are_trimmed_only_where_asked() {
    assert_eq!(column(json!({ "trim": true }), &[" \u{3000}a b\t\u{3000}", "\u{3000}"]).unwrap(), ["a b", ""]);
    assert_eq!(column(json!({}), &[" a "]).unwrap(), [" a "]);
}

#[test]
fn several_blanks_become_the_first_of_them_and_lines_stay() {
    let collapsed =
        column(json!({ "collapse_spaces": true }), &["佐藤 \u{3000} 花子", "山田\u{3000}\u{3000}太郎", " a\t b "]);
    assert_eq!(collapsed.unwrap(), ["佐藤 花子", "山田\u{3000}太郎", " a\tb "]);
    let lines = Trial::new(&["x"], json!({ "columns": [{ "header": "x", "collapse_spaces": true }] }));
    assert_eq!(lines.text(&[vec!["港区  1-2\n\n  3階"]]), "x\r\n\"港区 1-2\n\n 3階\"\r\n");
    assert_eq!(column(json!({}), &["a  b"]).unwrap(), ["a  b"]);
}

#[test]
fn a_default_stands_where_the_value_is_empty_after_the_trim() {
    assert_eq!(
        column(json!({ "default": "未定", "trim": true }), &["", " \u{3000}", "a"]).unwrap(),
        ["未定", "未定", "a"]
    );
    assert_eq!(column(json!({ "default": "未定" }), &[" "]).unwrap(), [" "]);
    // It goes through the steps that follow, and answers the rule.
    let settings = json!({ "default": "ab1", "required": true, "case": "upper", "pad": { "to": 5 }, "max_chars": 5 });
    assert_eq!(column(settings, &[""]).unwrap(), ["00AB1"]);
}

#[test]
fn a_table_replaces_whole_values_and_says_what_becomes_of_others() {
    let replace = |otherwise: Value| json!({ "trim": true, "replace": { "map": { "1": "正社員", "2": "契約社員", "9": "" }, "otherwise": otherwise } });
    let values = ["1", " 2 ", "9", "12", "", "正社員"];
    assert_eq!(column(replace(json!("keep")), &values).unwrap(), ["正社員", "契約社員", "", "12", "", "正社員"]);
    let other = replace(json!({ "text": "その他" }));
    assert_eq!(column(other, &values).unwrap(), ["正社員", "契約社員", "", "その他", "", "その他"]);
    assert_eq!(column(replace(json!("reject")), &["1", "", "9"]).unwrap(), ["正社員", "", ""]);
    assert_eq!(
        column(replace(json!("reject")), &["1", "3"]).unwrap_err(),
        "is none of the values that replace.map has"
    );
    // An empty value can have its text in the table, and what stands there goes through the steps that follow.
    let empty =
        json!({ "replace": { "map": { "": "none" }, "otherwise": "reject" }, "case": "upper", "required": true });
    assert_eq!(column(empty, &[""]).unwrap(), ["NONE"]);
    let default = json!({ "default": "1", "replace": { "map": { "1": "A" } } });
    assert_eq!(column(default, &["", "B"]).unwrap(), ["A", "B"]);
}

#[test]
fn letters_become_large_or_small_in_either_width() {
    assert_eq!(column(json!({ "case": "upper" }), &["ab-1ｂдα東"]).unwrap(), ["AB-1ＢДΑ東"]);
    assert_eq!(column(json!({ "case": "lower" }), &["AB-1ＢДΑ東"]).unwrap(), ["ab-1ｂдα東"]);
}

#[test]
fn a_code_is_filled_up_and_a_longer_or_empty_one_stays() {
    let zeros = json!({ "pad": { "to": 6 }, "trim": true });
    assert_eq!(
        column(zeros, &["12", "123456", "1234567", "", " ", "東京"]).unwrap(),
        ["000012", "123456", "1234567", "", "", "0000東京"]
    );
    assert_eq!(column(json!({ "pad": { "to": 4, "with": "　", "side": "right" } }), &["ab"]).unwrap(), ["ab　　"]);
    assert_eq!(column(json!({ "pad": { "to": 8, "with": "0" }, "width": "half" }), &["１２"]).unwrap(), ["00000012"]);
}

#[test]
fn widths_and_kana_are_folded_where_asked() {
    assert_eq!(column(json!({ "width": "half" }), &["ＡＢ−１ カナ"]).unwrap(), ["AB-1 カナ"]);
    assert_eq!(column(json!({ "width": "full" }), &["AB-1"]).unwrap(), ["ＡＢ－１"]);
    assert_eq!(column(json!({ "kana": "full" }), &["ｶﾞｷﾞA"]).unwrap(), ["ガギA"]);
    assert_eq!(column(json!({ "kana": "half", "width": "half" }), &["ガ　Ｂ"]).unwrap(), ["ｶﾞ B"]);
}

#[test]
fn dates_are_rewritten_and_what_is_none_is_refused() {
    let date = |from: &str, to: &str| json!({ "date": { "from": from, "to": to } });
    assert_eq!(
        column(date("%Y/%m/%d", "%Y%m%d"), &["2026/4/1", "", "2028/02/29"]).unwrap(),
        ["20260401", "", "20280229"]
    );
    assert_eq!(
        column(date("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M"), &["2026-04-01 23:59:59"]).unwrap(),
        ["2026/04/01 23:59"]
    );
    assert_eq!(column(date("%Y-%m-%dT%H:%M:%S%z", "%Y/%m/%d"), &["2026-04-01T00:30:00+0900"]).unwrap(), ["2026/04/01"]);
    assert_eq!(column(date("%Y年%m月%d日", "%Y/%m/%d %H:%M"), &["2026年4月1日"]).unwrap(), ["2026/04/01 00:00"]);
    for wrong in ["2026/02/29", "2026-04-01", "soon", "2026/4", "2026/4/1 x"] {
        assert_eq!(column(date("%Y/%m/%d", "%Y"), &[wrong]).unwrap_err(), "is no date of the form %Y/%m/%d");
    }
    assert_eq!(
        column(date("%Y/%m/%d", "%z"), &["2026/04/01"]).unwrap_err(),
        "has a date that the format under date.to cannot write"
    );
}

#[test]
fn dates_with_the_name_of_an_era_are_read() {
    let wareki = json!({ "date": { "from": "wareki", "to": "%Y/%m/%d" } });
    let dates = ["令和6年4月1日", "令和元年5月1日", "R6.4.1", " H310430 ", ""];
    assert_eq!(column(wareki.clone(), &dates).unwrap(), ["2024/04/01", "2019/05/01", "2024/04/01", "2019/04/30", ""]);
    for wrong in ["令和1年4月1日", "2024/04/01", "R6.13.1"] {
        assert_eq!(column(wareki.clone(), &[wrong]).unwrap_err(), "is no date of the form wareki");
    }
}

#[test]
fn what_is_required_is_not_empty_after_the_other_steps() {
    assert_eq!(column(json!({ "required": true }), &[""]).unwrap_err(), "is empty, but required");
    assert_eq!(column(json!({ "required": true, "trim": true }), &["\u{3000}"]).unwrap_err(), "is empty, but required");
    assert_eq!(column(json!({ "required": true }), &[" "]).unwrap(), [" "]);
    let cut = json!({ "required": true, "max_bytes": 1, "on_long": "truncate" });
    assert_eq!(column(cut, &["髙"]).unwrap_err(), "is empty, but required", "what was cut away is not there");
}

#[test]
fn a_pattern_asks_the_whole_value_as_it_is_sent() {
    let code = json!({ "trim": true, "pad": { "to": 6 }, "pattern": "[0-9]{6}" });
    assert_eq!(column(code.clone(), &["12", "", "123456"]).unwrap(), ["000012", "", "123456"]);
    for wrong in ["1234567", "12a", "123 45"] {
        assert_eq!(column(code.clone(), &[wrong]).unwrap_err(), "does not match the pattern [0-9]{6}");
    }
    assert_eq!(
        column(json!({ "kana": "full", "pattern": r"[\p{Katakana}ー]+" }), &["ｻﾄｳ", "コーヒー"]).unwrap(),
        ["サトウ", "コーヒー"]
    );
}

#[test]
fn lengths_are_those_of_what_is_sent() {
    let chars = |most: u32| json!({ "max_chars": most });
    assert_eq!(
        column(chars(3), &["髙橋あ", "abc", "か\u{3099}か\u{3099}か\u{3099}"]).unwrap(),
        ["髙橋あ", "abc", "ががが"]
    );
    assert_eq!(column(chars(3), &["髙橋あx"]).unwrap_err(), "has 4 characters, 3 are allowed");
    assert_eq!(column(chars(2), &["㈱"]).unwrap_err(), "has 3 characters, 2 are allowed");
    let bytes = |most: u32| json!({ "max_bytes": most });
    assert_eq!(column(bytes(4), &["髙橋", "ｶﾅｶﾅ", "abcd"]).unwrap(), ["髙橋", "ｶﾅｶﾅ", "abcd"]);
    assert_eq!(column(bytes(4), &["髙橋x"]).unwrap_err(), "has 5 bytes in Shift_JIS, 4 are allowed");
}

#[test]
fn a_cut_never_parts_a_letter() {
    let cut = |most: u32, text: &str| column(json!({ "max_bytes": most, "on_long": "truncate" }), &[text]).unwrap();
    assert_eq!(cut(3, "髙橋"), ["髙"]);
    assert_eq!(cut(4, "髙橋"), ["髙橋"]);
    assert_eq!(cut(1, "髙橋"), [""]);
    assert_eq!(cut(3, "aか\u{3099}x"), ["aが"]);
    assert_eq!(cut(2, "aｶﾞ"), ["a"]);
    assert_eq!(cut(3, "㈱x"), ["(株"], "three of the four bytes that are sent");
    let chars = json!({ "max_chars": 2, "on_long": "truncate" });
    assert_eq!(column(chars, &["か\u{3099}き\u{3099}く", "abc"]).unwrap(), ["がぎ", "ab"]);
}
