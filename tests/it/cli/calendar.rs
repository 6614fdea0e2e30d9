//! The calendar from the command line: a list is taken over or refused, and a simulation touches nothing.

use super::{Machine, text};
use crate::support::TOKEN;
use serde_json::Value;

/// The Cabinet Office's list of 2027 in Shift_JIS, with one holiday that the law does not know.
fn list(extra: &str) -> Vec<u8> {
    let days = "1/1,元日 1/11,成人の日 2/11,建国記念の日 2/23,天皇誕生日 3/21,春分の日 3/22,休日 4/29,昭和の日 5/3,憲法記念日 \
                5/4,みどりの日 5/5,こどもの日 6/1,臨時の祝日 7/19,海の日 8/11,山の日 9/20,敬老の日 9/23,秋分の日 10/11,スポーツの日 \
                11/3,文化の日 11/23,勤労感謝の日";
    let lines: String = days.split_whitespace().map(|day| format!("2027/{day}\r\n")).collect();
    let text = format!("国民の祝日・休日月日,国民の祝日・休日名称\r\n{lines}{extra}");
    let mut bytes = Vec::with_capacity(2 * text.len());
    let mut encoder = encoding_rs::SHIFT_JIS.new_encoder();
    let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(&text, &mut bytes, true);
    assert_eq!(result, encoding_rs::EncoderResult::InputEmpty);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_holidays_is_taken_over_or_refused_with_its_lines() {
    let machine = Machine::new().await;
    std::fs::write(machine.folder.path().join("syukujitsu.csv"), list("")).unwrap();
    let output = machine.run(&["calendar", "import", "syukujitsu.csv"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("18 holidays from 2027 to 2027: saved as version 1"), "{said}");
    assert!(said.contains("2027-06-01 臨時の祝日, not in the built-in rules"), "{said}");
    let listed = machine.json(&["calendar", "list", "--year", "2027", "--json"]).await;
    assert!(listed.as_array().unwrap().iter().any(|day| day["date"] == "2027-06-01" && day["kind"] == "holiday"));

    std::fs::write(machine.folder.path().join("bad.csv"), list("2027/12/32,x\r\n")).unwrap();
    let output = machine.run(&["calendar", "import", "bad.csv"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("bad.csv: line 20: `2027/12/32,x`"), "{}", text(&output));
    assert_eq!(listed, machine.json(&["calendar", "list", "--year", "2027", "--json"]).await);
    assert_eq!(machine.code(&["calendar", "import", "none.csv"]).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_needs_no_database_and_makes_none() {
    let machine = Machine::new().await;
    let settings = machine.settings("on").replace("every: 1s", "daily: \"06:00\", business_day: only");
    let settings = settings.replace(TOKEN, "${env:SEISAN_TOKEN}") + "calendar: { closed: [ 2027-06-02 ] }\n";
    machine.put("year.yaml", &settings);
    let arguments = ["timer", "simulate", "year.yaml", "--from", "2027-06-01", "--days", "30", "--json"];
    let told = machine.json(&arguments).await;
    let skipped = |told: &Value| told["timers"][0]["skipped"].as_array().unwrap().len();
    assert_eq!((&told["timers"][0]["runs"], skipped(&told)), (&Value::from(21), 1));
    assert!(!machine.folder.path().join("data").exists(), "it made a data folder");
    let lines = machine.run(&arguments[..7]).await;
    assert!(text(&lines).contains("2027-06-02 Wed 休業日: 1 slot skipped"), "{}", text(&lines));
    assert_eq!(machine.code(&["timer", "simulate", "none.yaml"]).await, Some(2));

    // With a database, its list of holidays holds, and what is stored stays as it is.
    std::fs::write(machine.folder.path().join("syukujitsu.csv"), list("")).unwrap();
    machine.run(&["calendar", "import", "syukujitsu.csv"]).await;
    let before = text(&machine.run(&["check"]).await);
    assert_eq!(skipped(&machine.json(&arguments).await), 2);
    assert!(before.contains("settings version 1: 0 integrations"), "{before}");
    assert_eq!(text(&machine.run(&["check"]).await), before);
}
