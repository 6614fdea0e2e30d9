//! Daemons on one database, how they are told to stop, and the folder that they write into.

use super::{Machine, files, output_of, text};
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::runs::RunFilter;
use sqlx::{Connection as _, Executor as _};
use std::io::Write as _;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_names_the_holder_waits_and_takes_over_when_it_ends() {
    let machine = Machine::new().await;
    let first = machine.serve().await;
    let mut standby = machine.start(&["serve", "--standby"], "standby.log");
    let line = standby.says("standing by").await;
    assert!(line.contains(&format!("process {}", first.child.id())), "it names the holder: {line}");
    assert_eq!(first.terminate().await, Some(0));
    standby.says("renkei is ready").await;
    let third = machine.run(&["serve"]).await;
    assert_eq!(third.status.code(), Some(2));
    assert!(text(&third).contains(&format!("process {}", standby.child.id())), "{}", text(&third));
    assert_eq!(standby.terminate().await, Some(0));
    let log = std::fs::read_to_string(machine.folder.path().join("standby.log")).unwrap();
    assert_eq!(log.matches("standing by").count(), 1, "it is said once: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_nobody_needs_any_more_ends_well() {
    let machine = Machine::new().await;
    let first = machine.serve().await;
    let mut standby = machine.start(&["serve", "--standby"], "standby.log");
    standby.says("standing by").await;
    assert_eq!(standby.terminate().await, Some(0));
    assert_eq!(first.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_a_draining_daemon_at_once_and_the_next_one_sorts_it_out() {
    for (first, second) in [("-TERM", "-TERM"), ("-INT", "-TERM")] {
        let machine = Machine::new().await;
        machine.put("config.yaml", "data_dir: data\ndrain: 10m\n");
        machine.run(&["apply", "settings.yaml"]).await;
        machine.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
        let mut daemon = machine.serve().await;
        let run = machine.json(&["run", "start", "社員一覧", "--json"]).await;
        let id = run["id"].as_str().unwrap();
        machine.sandbox.wait_arrived(1, LONG).await.unwrap();
        daemon.signal(first);
        daemon.says("nothing new is started").await;
        daemon.signal(second);
        assert_eq!(daemon.ended().await, Some(130), "{first}, then {second}");
        assert_eq!(machine.json(&["run", "show", id, "--json"]).await["state"], "running", "it is left as it was");

        let mut next = machine.start(&["serve"], "next.log");
        next.says("an interrupted request was concluded").await;
        next.says("run ended").await;
        assert_eq!(next.terminate().await, Some(0));
        let run = machine.json(&["run", "show", id, "--json"]).await;
        assert_eq!((&run["state"], &run["batches"][0]["attempts"]), (&"accepted".into(), &2.into()), "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_others_may_look_into_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new().await;
    let data = machine.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for mode in [0o750, 0o705, 0o777] {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
        for command in [vec!["serve"], vec!["serve", "--standby"], vec!["apply", "settings.yaml"], vec!["run", "list"]]
        {
            let output = machine.run(&command).await;
            assert_eq!(output.status.code(), Some(1), "{command:?}: {}", text(&output));
            assert!(text(&output).contains("chmod 700"), "{}", text(&output));
            assert!(files(&data).is_empty(), "nothing was written by {command:?}");
        }
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(machine.code(&["run", "list"]).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_somebody_else_is_refused_and_left_alone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let machine = Machine::new().await;
    if std::fs::metadata(machine.folder.path()).unwrap().uid() != 0 {
        // Past the test harness, which keeps what is printed to itself.
        writeln!(std::io::stderr(), "skipped: only root can give a folder to another user").unwrap();
        return;
    }
    let (owner, other) = (54_321, 54_322);
    let data = machine.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(owner), Some(owner)).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    let serve = machine.run(&["serve"]).await;
    assert_eq!(serve.status.code(), Some(1), "{}", text(&serve));
    assert!(text(&serve).contains(&format!("user number {owner}")), "{}", text(&serve));
    assert!(files(&data).is_empty(), "root's daemon leaves no file there");

    // Everybody may enter the machine's folder, so that only the data folder's owner stands in the way.
    std::fs::set_permissions(machine.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // The binary may lie where only root comes: a copy is at hand for all.
    let binary = machine.folder.path().join("renkei");
    std::fs::copy(machine.command(&[]).get_program(), &binary).unwrap();
    let data_for_all = std::fs::Permissions::from_mode(0o777);
    for mode in [std::fs::Permissions::from_mode(0o700), data_for_all] {
        std::fs::set_permissions(&data, mode).unwrap();
        for command in [&["serve"][..], &["apply", "settings.yaml"], &["run", "list"]] {
            let mut stranger = std::process::Command::new(&binary);
            stranger.current_dir(machine.folder.path()).env("RENKEI_CONFIG", "config.yaml").args(command);
            stranger.uid(other).gid(other);
            let output = output_of(stranger).await;
            assert_eq!(output.status.code(), Some(1), "{command:?}: {}", text(&output));
            assert!(text(&output).contains(&format!("user number {owner}")), "{}", text(&output));
            assert!(files(&data).is_empty(), "nothing was written by {command:?}");
        }
    }

    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(machine.code(&["run", "list"]).await, Some(0), "root may look into the folder of the daemon's user");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_reaches_a_running_daemon_within_two_seconds() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    let daemon = machine.serve().await;
    let store = renkei::store::Store::open_read_only(&machine.folder.path().join("data/renkei.db")).await.unwrap();
    let mut delays = Vec::new();
    for _ in 0..3 {
        let seen = machine.sandbox.received().len() as u64;
        machine.put("on.yaml", &machine.settings("on"));
        assert_eq!(machine.code(&["apply", "on.yaml"]).await, Some(0));
        machine.sandbox.wait_for(seen + 1, LONG).await.unwrap();
        let version = store.settings_version().await.unwrap();
        let saved_at = store.settings_of(version).await.unwrap().at;
        assert_eq!(machine.code(&["apply", "settings.yaml"]).await, Some(0));
        let runs = store.list_runs(&RunFilter { limit: 100, ..RunFilter::default() }).await.unwrap();
        let first = runs.iter().filter_map(|run| run.scheduled_at).filter(|slot| *slot > saved_at).min().unwrap();
        // The slot that was the newest when the daemon looked.
        delays.push(first - saved_at);
    }
    // Two of three, for a machine that has much else to do.
    delays.sort();
    assert!(delays[1] <= chrono::TimeDelta::seconds(2), "{delays:?}");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_starts_while_the_database_is_locked_waits_for_it() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    let url = format!("sqlite://{}", machine.folder.path().join("data/renkei.db").display());
    sqlx::any::install_default_drivers();
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut daemon = machine.start(&["serve"], "serve.log");
    let line = daemon.says("waiting for the database").await;
    assert!(line.contains("locked"), "{line}");
    other.execute("COMMIT").await.unwrap();
    daemon.says("renkei is ready").await;
    assert_eq!(daemon.terminate().await, Some(0));

    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut told_to_stop = machine.start(&["serve"], "again.log");
    told_to_stop.says("waiting for the database").await;
    assert_eq!(told_to_stop.terminate().await, Some(0));
}
