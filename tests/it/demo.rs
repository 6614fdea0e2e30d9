//! The demo as a user starts it: one command, no configuration, three lists in priority order, three mails.

use assert_cmd::Command;
use serde_json::Value;

#[test]
fn the_demo_carries_three_lists_in_order_and_adds_up() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut demo = Command::cargo_bin("renkei").unwrap();
    let done =
        demo.args(["demo", "--json"]).current_dir(elsewhere.path()).env_remove("RENKEI_CONFIG").assert().success();
    let summary: Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    let menus: Vec<&str> =
        summary["runs"].as_array().unwrap().iter().map(|run| run["menu"].as_str().unwrap()).collect();
    assert_eq!(menus, ["部門一覧", "社員一覧", "プロジェクト一覧"], "the larger priority first");
    for run in summary["runs"].as_array().unwrap() {
        assert_eq!(run["state"], "accepted", "{run}");
        assert_eq!(run["batches"][0]["http_status"], 200);
        assert!(run["started_at"].as_str().unwrap().ends_with("+09:00"), "{run}");
    }
    assert_eq!(summary["slots"]["due"], 3);
    assert_eq!(summary["slots"]["run"], 3);
    assert_eq!(summary["mails"].as_array().unwrap().len(), 3);
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing is left behind");
}
