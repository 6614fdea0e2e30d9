//! The order of rows.

use super::*;

#[test]
fn rows_are_sent_in_the_order_that_the_menu_asks_for() {
    let order = json!([{ "header": "dept" }, { "header": "no", "numeric": true, "descending": true }]);
    let mut trial = Trial::new(&["dept", "no", "name"], json!({ "order_by": order })).csv(json!({ "header": false }));
    let rows = [
        vec!["b", "2", "first"],
        vec!["a", "9", "x"],
        vec!["b", "10", "y"],
        vec!["a", "none", "z"],
        vec!["b", "2", "second"],
    ];
    let expected = "a,9,x\r\na,none,z\r\nb,10,y\r\nb,2,first\r\nb,2,second\r\n";
    assert_eq!(trial.text(&rows), expected);
    trial.tuning.sort_bytes = 1;
    assert_eq!(trial.text(&rows), expected, "through the folder");
}

#[test]
fn the_order_is_that_of_the_values_after_the_steps() {
    let columns = json!([{ "header": "d", "date": { "from": "%d.%m.%Y", "to": "%Y-%m-%d" } }]);
    let trial = Trial::new(&["d"], json!({ "columns": columns, "order_by": [{ "header": "d" }] }));
    assert_eq!(trial.text(&[vec!["01.02.2026"], vec!["31.01.2026"]]), "d\r\n2026-01-31\r\n2026-02-01\r\n");
}

#[test]
fn more_rows_than_memory_are_put_in_order_too() {
    let mut trial = Trial::new(&["n"], json!({ "key": ["n"], "order_by": [{ "header": "n", "numeric": true }] }));
    (trial.tuning.sort_bytes, trial.tuning.key_entries) = (4_000, 100);
    let numbers: Vec<String> = (0..5_000_u32).map(|n| (n * 2_741 % 5_000).to_string()).collect();
    let rows: Vec<Vec<&str>> = numbers.iter().map(|n| vec![n.as_str()]).collect();
    let mut expected: Vec<u32> = numbers.iter().map(|n| n.parse().unwrap()).collect();
    expected.sort_unstable();
    let text = trial.text(&rows);
    let got: Vec<u32> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert_eq!(got, expected);
}
