//! 2 says that the call is wrong and would be so again, 1 that something stood in its way: a service manager starts a
//! daemon again after 1 alone.

use super::{Machine, output_of, text};
use std::process::Command;

/// A menu that keeps records, one with two integrations, and a timer without a schedule, beside what a machine has.
const MORE: &str = "
menus:
  - { name: 控え, source: { records: {} }, integrations: [社員マスタ連携] }
  - { name: 両方, source: { records: {} }, integrations: [社員マスタ連携, もう一つ] }
integrations:
  - name: もう一つ
    url: http://127.0.0.1:9/acme/api/v1/csvimport
    allow_http: true
    headers: { X-RS-apitoken: \"${env:NONE}\", Content-Type: \"multipart/form-data;\" }
    params: { masterId: 0, duplicateKey: 1 }
timers:
  - { name: いつか, menu: 社員一覧, integration: 社員マスタ連携, switch: off }
";

async fn machine() -> Machine {
    let machine = Machine::new().await;
    machine.put("more.yaml", MORE);
    let applied = machine.run(&["apply", "settings.yaml", "more.yaml"]).await;
    assert!(applied.status.success(), "{}", text(&applied));
    machine
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_could_not_do_its_work_ends_with_1() {
    let machine = machine().await;
    let run = machine.json(&["run", "start", "社員一覧", "--wait", "--json"]).await;
    let id = run["id"].as_str().unwrap();
    let busy = machine.sandbox.address().to_string();
    std::fs::remove_file(machine.folder.path().join("list.csv")).unwrap();
    for command in [
        vec!["menu", "preview", "社員一覧"],
        vec!["menu", "export", "社員一覧"],
        vec!["menu", "preview", "控え"],
        vec!["menu", "show", "none"],
        vec!["integration", "show", "none"],
        vec!["records", "import", "控え", "none.csv"],
        vec!["records", "import", "控え", "data"],
        vec!["run", "start", "none"],
        vec!["run", "show", "R-1"],
        vec!["run", "log", "R-1"],
        vec!["run", "cancel", id],
        vec!["run", "approve", id],
        vec!["run", "refuse", id],
        vec!["run", "retry", id, "--batches", "failed"],
        vec!["run", "retry", "R-1"],
        vec!["timer", "on", "none"],
        vec!["timer", "next", "none"],
        vec!["timer", "next", "いつか"],
        vec!["user", "grant", "none", "db_settings"],
        vec!["sandbox", "--listen", &busy],
    ] {
        let output = machine.run(&command).await;
        assert_eq!(output.status.code(), Some(1), "{command:?}: {}", text(&output));
        assert!(text(&output).contains("error: "), "{command:?}: {}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_as_wrong_again_ends_with_2() {
    let machine = machine().await;
    machine.put("unknown-key.yaml", "colour: red\n");
    machine.put(
        "mail.yaml",
        "mail: { url: 'smtp://x@127.0.0.1:25?tls=none', password: '${env:NONE}', from: a@example.jp }\n",
    );
    for command in [
        vec!["run", "start"],
        vec!["run", "start", "両方"],
        vec!["run", "start", "社員一覧", "--integration", "もう一つ"],
        vec!["run", "start", "控え", "--key", "1045"],
        vec!["run", "list", "--state", "done"],
        vec!["records", "import", "社員一覧", "list.csv"],
        vec!["menu", "export", "社員一覧", "--output", "data"],
        vec!["timer", "on", "いつか"],
        vec!["timer", "next", "毎秒", "-n", "1001"],
        vec!["timer", "next", "毎秒", "-n", "0"],
        vec!["timer", "next", "毎秒", "--from", "tomorrow"],
        vec!["timer", "ledger", "毎秒", "--from", "2026-12-02", "--to", "2026-12-01"],
        vec!["mail", "test", "nobody"],
        vec!["mail", "test", "it@example.jp"],
        vec!["user", "add", "x", "--mail", "nobody"],
        vec!["apply", "none.yaml"],
        vec!["serve", "--apply", "none.yaml"],
        vec!["--config", "none.yaml", "run", "list"],
        vec!["--config", "unknown-key.yaml", "serve"],
        vec!["--config", "mail.yaml", "serve"],
    ] {
        let output = machine.run(&command).await;
        assert_eq!(output.status.code(), Some(2), "{command:?}: {}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_a_full_disk_or_a_missing_folder_stops_ends_with_1_and_is_started_again() {
    let machine = Machine::new().await;
    machine.put("elsewhere.yaml", "data_dir: list.csv/data\n");
    let output = machine.run(&["--config", "elsewhere.yaml", "serve"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("list.csv/data"), "it names the place: {}", text(&output));

    // A disk that takes not one byte more. The binary and its arguments follow the script.
    let daemon = machine.command(&["serve"]);
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let mut full = Command::new("sh");
    full.current_dir(machine.folder.path()).env("RENKEI_CONFIG", "config.yaml");
    full.args(["-c", script]).arg(daemon.get_program()).args(daemon.get_args());
    let output = output_of(full).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("error: "), "{}", text(&output));
}
