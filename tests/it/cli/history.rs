//! What the history shows of a run: who caused it, whose bytes it sent, and when, in local time; and timers looked at
//! from afar.

use super::{Machine, text};
use renkei::sandbox::{Misbehaviour, Plan};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

/// A run of the timer that failed, and its number.
async fn failed_by_timer(machine: &Machine) -> String {
    machine.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    machine.put("settings.yaml", &machine.settings("on"));
    machine.run(&["apply", "settings.yaml"]).await;
    let mut daemon = machine.serve().await;
    daemon.says("run ended").await;
    machine.run(&["timer", "off", "毎秒"]).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let runs = machine.json(&["run", "list", "--state", "failed", "--json"]).await;
    runs[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_timers_run_is_the_persons_and_names_its_origin() {
    let machine = Machine::new().await;
    let failed = failed_by_timer(&machine).await;
    let retried = machine.run(&["run", "retry", &failed, "--force", "--wait", "--json"]).await;
    assert!(!text(&retried).contains("anew"), "its files are there: {}", text(&retried));
    let retry: serde_json::Value = serde_json::from_slice(&retried.stdout).unwrap();
    assert_eq!((&retry["actor"], &retry["trigger"]), (&"sato".into(), &"retry".into()), "{retry}");
    assert_eq!(retry["retry_of"], failed.as_str());
    let id = retry["id"].as_str().unwrap();
    let list = text(&machine.run(&["run", "list"]).await);
    let line = |id: &str| list.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    assert!(line(id).contains("sato (retry)") && !line(id).contains("毎秒"), "{list}");
    assert!(line(&failed).contains("毎秒"), "{list}");
    let show = text(&machine.run(&["run", "show", id]).await);
    for (name, value) in [("by", "sato (retry)".to_owned()), ("retry of", failed), ("origin", "timer 毎秒".to_owned())]
    {
        let line = show.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {show}"));
        assert!(line.contains(&value), "{show}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_whose_files_are_gone_says_that_it_exports_anew_and_does() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    machine.sandbox.misbehave(Plan::once(Misbehaviour::ErrorBody));
    let first = machine.json(&["run", "start", "社員一覧", "--wait", "--json"]).await;
    let id = first["id"].as_str().unwrap();
    std::fs::remove_dir_all(machine.folder.path().join("data/spool").join(id)).unwrap();
    let part = machine.run(&["run", "retry", id, "--batches", "failed"]).await;
    assert_eq!(part.status.code(), Some(1), "a part of what is gone cannot be sent: {}", text(&part));

    let output = machine.run(&["run", "retry", id, "--wait", "--json"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("files are gone") && said.contains("anew"), "{said}");
    let retry: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&retry["state"], &retry["records"]), (&"accepted".into(), &2.into()), "{retry}");
    let events = retry["events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["kind"] == "anew" && event["text"].as_str().unwrap().contains(id)),
        "{retry}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_run_that_never_had_files_says_so_too() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    let list = machine.folder.path().join("list.csv");
    let away = machine.folder.path().join("away.csv");
    std::fs::rename(&list, &away).unwrap();
    let first = machine.json(&["run", "start", "社員一覧", "--wait", "--json"]).await;
    assert_eq!(first["error"]["code"], "SOURCE-MISSING");
    std::fs::rename(&away, &list).unwrap();
    let output = machine.run(&["run", "retry", first["id"].as_str().unwrap(), "--wait"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("it has no files") && text(&output).contains("anew"), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_tells_times_in_local_time_with_the_offset() {
    let machine = Machine::new().await;
    machine.put("config.yaml", "data_dir: data\ntimezone: America/St_Johns\n");
    machine.run(&["apply", "settings.yaml"]).await;
    machine.sandbox.misbehave(Plan::once(Misbehaviour::Maintenance));
    let mut daemon = machine.serve().await;
    let run = machine.json(&["run", "start", "社員一覧", "--json"]).await;
    machine.sandbox.wait_arrived(1, LONG).await.unwrap();
    let waits = daemon.says("run waits").await;
    daemon.says("run ended").await;
    daemon.terminate().await;
    let log = text(&machine.run(&["run", "log", run["id"].as_str().unwrap()]).await);
    let line = log.lines().find(|line| line.contains(" waiting ")).unwrap();
    assert!(
        line.matches("-03:30").count() + line.matches("-02:30").count() == 2,
        "its own time and the next try's: {line}"
    );
    assert!(!log.contains("+00:00") && !log.contains("UTC"), "{log}");
    assert!(!waits.contains("+00:00") && !waits.contains("UTC") && !waits.contains("Z "), "{waits}");
    assert!(log.lines().all(|line| line.contains("-03:30") || line.contains("-02:30")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_slots_from_a_date_are_shown_in_the_timers_zone_and_nothing_is_touched() {
    let machine = Machine::new().await;
    let zoned = machine
        .settings("off")
        .replace("schedule: { every: 1s }", "timezone: Europe/London, schedule: { daily: \"06:00\" }");
    machine.put("settings.yaml", &zoned);
    machine.run(&["apply", "settings.yaml"]).await;
    let before = machine.json(&["timer", "list", "--json"]).await;
    let slots = machine.json(&["timer", "next", "毎秒", "-n", "400", "--from", "2027-01-01T06:00", "--json"]).await;
    let slots = slots.as_array().unwrap();
    assert_eq!(
        (slots.len(), &slots[0]),
        (400, &"2027-01-01T06:00:00+00:00".into()),
        "the slot at that moment is the first"
    );
    assert_eq!(slots[399], "2028-02-04T06:00:00+00:00");
    assert_eq!(slots[180], "2027-06-30T06:00:00+01:00", "summer time is the timer's zone's");
    assert_eq!(machine.code(&["timer", "next", "毎秒", "-n", "1000", "--from", "2027-01-01"]).await, Some(0));
    assert_eq!(machine.json(&["timer", "list", "--json"]).await, before);
    assert_eq!(machine.json(&["run", "list", "--json"]).await, serde_json::json!([]));
    assert_eq!(machine.json(&["timer", "ledger", "毎秒", "--json"]).await, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_on_a_closed_day_is_shown_as_one_that_will_be_skipped() {
    let machine = Machine::new().await;
    let of_business_days = machine.settings("on").replace("{ every: 1s }", "{ daily: \"06:00\", business_day: only }");
    machine.put("settings.yaml", &of_business_days);
    machine.run(&["apply", "settings.yaml"]).await;
    let next = machine.run(&["timer", "next", "毎秒", "-n", "5", "--from", "2026-11-21"]).await;
    let next = String::from_utf8(next.stdout).unwrap();
    let days: Vec<&str> =
        next.lines().map(|line| line.split_once("skipped: ").map_or("runs", |(_, why)| why)).collect();
    assert_eq!(
        days,
        ["closed day (weekend)", "closed day (weekend)", "closed day (勤労感謝の日)", "runs", "runs"],
        "{next}"
    );
}
