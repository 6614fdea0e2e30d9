//! `menu preview` says what a run would do, and does it as the run does.

use super::{Machine, files, text};
use serde_json::Value;
use std::time::{Duration, SystemTime};

async fn machine(list: &str, csv: &str, menu: &str) -> Machine {
    let machine = Machine::new().await;
    let settings = machine.settings("off");
    let settings = settings.replace("    params:", &format!("    csv: {{ {csv} }}\n    params:"));
    let settings = settings.replace("key: [社員コード]", &format!("key: [社員コード]{menu}"));
    machine.put("settings.yaml", &settings);
    let path = machine.put("list.csv", list);
    let hour_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    let applied = machine.run(&["apply", "settings.yaml"]).await;
    assert!(applied.status.success(), "{}", text(&applied));
    machine
}

/// What the preview says, and what a run then does.
async fn both(list: &str, csv: &str, menu: &str) -> (Value, Option<i32>, String, Value) {
    let machine = machine(list, csv, menu).await;
    let told = machine.run(&["menu", "preview", "社員一覧"]).await;
    let preview = machine.json(&["menu", "preview", "社員一覧", "--json"]).await["run"].clone();
    let spool = machine.folder.path().join("data/spool");
    assert!(!spool.exists() || files(&spool).is_empty(), "it leaves no file behind");
    let run = machine.json(&["run", "start", "社員一覧", "--wait", "--json"]).await;
    (preview, told.status.code(), text(&told), run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_how_a_run_would_end_and_the_run_ends_so() {
    let head = "社員コード,社員名\n";
    let columns = ", columns: [{ header: 社員コード, field: 社員コード }, { header: 役職, field: 役職 }]";
    for (list, csv, menu, state, code) in [
        ("1045,佐藤\n", "header: true", "", "accepted", ""),
        ("", "header: true", "", "held", "CHECK-EMPTY"),
        ("1045,佐藤\n1045,佐藤\n", "header: true", "", "held", "CHECK-DUPLICATE-KEY"),
        ("1045,a\n1045,b\n", "header: true", ", checks: { duplicate_keys: fail }", "failed", "CHECK-DUPLICATE-KEY"),
        ("1045,佐藤\n", "header: true", columns, "failed", "CHECK-MISSING-COLUMN"),
        ("1045,𠮷田\n1102,佐藤\n", "header: true", "", "failed", "ROW-UNMAPPABLE"),
        ("1045,𠮷田\n1102,佐藤\n", "unmappable: skip-row", "", "partial", "ROW-UNMAPPABLE"),
        ("1045,𠮷田\n1102,佐藤\n", "unmappable: { substitute: \"〓\" }", "", "accepted", ""),
    ] {
        let (preview, exit, told, run) = both(&format!("{head}{list}"), csv, menu).await;
        let case = format!("{list:?} {csv} {menu}: {told}\n{preview}\n{run}");
        assert_eq!((preview["state"].as_str(), run["state"].as_str()), (Some(state), Some(state)), "{case}");
        assert_eq!(preview["error"]["code"].as_str().unwrap_or(""), code, "{case}");
        assert_eq!(run["error"]["code"].as_str().unwrap_or(""), code, "{case}");
        assert_eq!(exit, Some(if matches!(state, "accepted" | "partial") { 0 } else { 1 }), "{case}");
        assert!(told.contains(code), "{case}");
        if state != "failed" {
            assert_eq!((&preview["records"], &preview["bytes"]), (&run["records"], &run["bytes"]), "{case}");
        }
        assert_eq!(list.contains('𠮷'), told.contains("U+20BB7"), "the letter is named: {case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_beyond_the_rows_shown_is_told_too() {
    let rows: String = (0..500).map(|row| format!("{row:04},佐藤\n")).collect();
    let machine = machine(&format!("社員コード,社員名\n{rows}0499,𠮷田\n"), "header: true", "").await;
    let told = machine.run(&["menu", "preview", "社員一覧", "-n", "1"]).await;
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told).contains("0499") && text(&told).contains("U+20BB7"), "{}", text(&told));
    assert_eq!(String::from_utf8_lossy(&told.stdout).lines().count(), 3, "a header, a row, and that there are more");
}
