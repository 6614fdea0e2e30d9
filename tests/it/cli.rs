//! The command line on the real binary: exit codes, JSON, a daemon that is steered from outside, and secrets that are
//! nowhere to be found.

mod calendar;
mod daemons;
mod exit_codes;
mod history;
mod people;
mod preview;

use crate::support::TOKEN;
use assert_cmd::cargo::CommandCargoExt as _;
use renkei::sandbox::{Misbehaviour, Plan, Sandbox, SandboxOptions};
use renkei::store::DatabaseLock;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A machine: a configuration, a list, a sandbox, and the binary.
struct Machine {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Machine {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(SandboxOptions { token: TOKEN.into(), ..Default::default() }).await.unwrap();
        let machine = Self { folder, sandbox };
        machine.put("config.yaml", "data_dir: data\nlog: { level: trace }\n");
        let list = machine.put("list.csv", "社員コード,社員名\n1045,佐藤\n1102,髙橋\n");
        let hour_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(list).unwrap().set_modified(hour_ago).unwrap();
        machine.put("settings.yaml", &machine.settings("off"));
        machine
    }

    fn settings(&self, switch: &str) -> String {
        format!(
            "integrations:
  - name: 社員マスタ連携
    url: {}
    allow_http: true
    headers: {{ X-RS-apitoken: \"{TOKEN}\", Content-Type: \"multipart/form-data;\" }}
    params: {{ masterId: 0, duplicateKey: 1 }}
menus:
  - {{ name: 社員一覧, source: {{ csv: {{ path: list.csv }} }}, key: [社員コード], integrations: [社員マスタ連携] }}
timers:
  - {{ name: 毎秒, menu: 社員一覧, integration: 社員マスタ連携, switch: {switch}, schedule: {{ every: 1s }} }}
",
            self.sandbox.url()
        )
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("renkei").unwrap();
        command.current_dir(self.folder.path()).env("RENKEI_CONFIG", "config.yaml").env("USER", "sato").args(arguments);
        command.env_remove("SUDO_USER");
        command
    }

    /// Runs a command to its end, off the runtime's threads so that the sandbox can answer.
    async fn run(&self, arguments: &[&str]) -> Output {
        output_of(self.command(arguments)).await
    }

    async fn code(&self, arguments: &[&str]) -> Option<i32> {
        self.run(arguments).await.status.code()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output)))
    }

    /// Starts the daemon and returns once it says that it is ready; its log goes on into `serve.log`.
    async fn serve(&self) -> Daemon {
        let mut daemon = self.start(&["serve"], "serve.log");
        daemon.says("renkei is ready").await;
        daemon
    }

    /// Starts a daemon whose log goes into a file and can be waited for.
    fn start(&self, arguments: &[&str], log: &str) -> Daemon {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut log = std::fs::File::create(self.folder.path().join(log)).unwrap();
        let (tell, said) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                writeln!(log, "{line}").unwrap();
                // A test that has heard enough does not listen any more.
                let _ = tell.send(line);
            }
        });
        Daemon { child, said }
    }
}

/// What a command printed and how it ended; one that does not end is killed.
async fn output_of(mut command: Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    within_a_minute(child.id(), move || child.wait_with_output().unwrap()).await
}

/// Waits for a child's end off the runtime's threads. Nobody has reaped one that is late: its number is still its own.
async fn within_a_minute<T: Send + 'static>(id: u32, wait: impl FnOnce() -> T + Send + 'static) -> T {
    let mut waiting = tokio::task::spawn_blocking(wait);
    let Ok(ended) = tokio::time::timeout(Duration::from_secs(60), &mut waiting).await else {
        assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
        panic!("it does not end");
    };
    ended.unwrap()
}

/// A daemon that is ended with its test.
struct Daemon {
    child: Child,
    said: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// Waits for a line of its log that holds a text, and gives the line.
    async fn says(&mut self, text: &str) -> String {
        let line = async {
            loop {
                let line = self.said.recv().await.unwrap_or_else(|| panic!("it ended without saying {text:?}"));
                if line.contains(text) {
                    return line;
                }
            }
        };
        let within = Duration::from_secs(30);
        tokio::time::timeout(within, line).await.unwrap_or_else(|_| panic!("it has not said {text:?}"))
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// How it ended; one that does not end is killed.
    async fn ended(mut self) -> Option<i32> {
        within_a_minute(self.child.id(), move || self.child.wait().unwrap().code()).await
    }

    /// SIGTERM, and how it ended.
    async fn terminate(self) -> Option<i32> {
        self.signal("-TERM");
        self.ended().await
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_by_hand_and_looked_at() {
    let machine = Machine::new().await;
    assert_eq!(machine.code(&["apply", "settings.yaml"]).await, Some(0));
    let run = machine.json(&["run", "start", "社員一覧", "--memo", "試し", "--wait", "--json"]).await;
    for (key, value) in
        [("state", "accepted"), ("trigger", "hand"), ("actor", "sato"), ("memo", "試し"), ("menu", "社員一覧")]
    {
        assert_eq!(run[key], value, "{run}");
    }
    assert_eq!((run["records"].as_u64(), run["batches"][0]["attempts"].as_u64()), (Some(2), Some(1)));
    let id = run["id"].as_str().unwrap();
    assert_eq!(machine.json(&["run", "show", id, "--json"]).await, run);
    assert_eq!(machine.json(&["run", "list", "--json"]).await[0]["id"], run["id"]);
    for command in
        [vec!["run", "log", id], vec!["run", "show", id], vec!["timer", "list"], vec!["check"], vec!["menu", "list"]]
    {
        assert_eq!(machine.code(&command).await, Some(0), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_and_wrong_settings_end_with_2_and_change_nothing() {
    let machine = Machine::new().await;
    machine.put("bad.yaml", "integrations:\n  - { name: x, url: ftp://x, colour: red }\n");
    let output = machine.run(&["apply", "bad.yaml"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("bad.yaml:2:"), "{}", text(&output));
    assert_eq!(machine.code(&["nonsense"]).await, Some(2));
    assert_eq!(machine.json(&["menu", "list", "--json"]).await, Value::Array(vec![]));
    assert_eq!(machine.code(&["--config", "none.yaml", "check"]).await, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_applied_again_changes_nothing_and_a_plan_saves_nothing() {
    let machine = Machine::new().await;
    let plan = machine.run(&["apply", "settings.yaml", "--plan"]).await;
    assert!(plan.status.success() && !text(&plan).contains(TOKEN), "{}", text(&plan));
    assert_eq!(machine.json(&["menu", "list", "--json"]).await, Value::Array(vec![]));
    machine.run(&["apply", "settings.yaml"]).await;
    let exported = machine.run(&["settings", "export"]).await;
    let exported = String::from_utf8(exported.stdout).unwrap();
    assert!(!exported.contains(TOKEN) && exported.contains("${sealed:"), "{exported}");
    machine.put("again.yaml", &exported);
    let again = machine.run(&["apply", "again.yaml"]).await;
    assert!(text(&again).contains("nothing changes"), "{}", text(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_follows_a_switch_drains_on_sigterm_and_is_alone() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    let daemon = machine.serve().await;
    let second = machine.run(&["serve"]).await;
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second).contains(&daemon.child.id().to_string()), "it names the holder: {}", text(&second));

    assert_eq!(machine.code(&["timer", "on", "毎秒"]).await, Some(0));
    machine.sandbox.wait_for(2, Duration::from_secs(20)).await.unwrap();
    assert_eq!(machine.code(&["timer", "off", "毎秒"]).await, Some(0));
    assert_eq!(daemon.terminate().await, Some(0));
    let open = machine.json(&["run", "list", "--state", "running", "--json"]).await;
    assert_eq!(open, Value::Array(vec![]), "nothing is left running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_waits_through_the_confirmation_and_show_tells_the_counts() {
    let machine = Machine::new().await;
    let confirm = format!(
        "    confirm:
      url: {}/status
      body: {{ importId: \"{{id}}\" }}
      id: /items/importId
      success: {{ at: /items/state, is: completed }}
      failure: {{ at: /items/state, is: error }}
      imported: /items/imported
      rows: {{ at: /items/refused, key: /value, column: /name, reason: /msg }}
      headers: {{ X-RS-apitoken: \"{TOKEN}\" }}
      interval: 1s
menus:",
        machine.sandbox.url()
    );
    machine.put("settings.yaml", &machine.settings("off").replace("menus:", &confirm));
    assert_eq!(machine.code(&["apply", "settings.yaml"]).await, Some(0));
    let output = machine.run(&["run", "start", "社員一覧", "--wait", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let run = machine.json(&["run", "list", "--json"]).await[0].clone();
    assert_eq!((&run["state"], &run["imported"]), (&"imported".into(), &2.into()));
    assert_eq!(run["batches"][0]["confirmation"]["outcome"], "imported");

    machine.sandbox.misbehave(Plan::once(Misbehaviour::RefuseLater { rows: 1 }));
    let output = machine.run(&["run", "start", "社員一覧", "--wait"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let run = machine.json(&["run", "list", "--json"]).await[0].clone();
    let shown = text(&machine.run(&["run", "show", run["id"].as_str().unwrap()]).await);
    for part in ["imported     1 of 2 records (1 of 1 files known)", "ROW-REFUSED", "refused by order"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let integration = text(&machine.run(&["integration", "show", "社員マスタ連携"]).await);
    assert!(integration.contains("/items/importId") && !integration.contains(TOKEN), "{integration}");
    assert!(!text(&machine.run(&["settings", "export"]).await).contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_for_a_moment_keeps_no_daemon_from_starting() {
    let machine = Machine::new().await;
    let held = DatabaseLock::acquire(&machine.folder.path().join("data/renkei.db"), "a short command").unwrap();
    let mut daemon = machine.start(&["serve"], "serve.log");
    let told = daemon.says("looking again").await;
    assert!(told.contains("a short command"), "{told}");
    drop(held);
    daemon.says("renkei is ready").await;
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_record_is_in_log_database_or_spool_names_and_nobody_else_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    machine.run(&["timer", "on", "毎秒"]).await;
    let daemon = machine.serve().await;
    machine.sandbox.wait_for(1, Duration::from_secs(20)).await.unwrap();
    assert_eq!(daemon.terminate().await, Some(0));
    let contains = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let log = std::fs::read(machine.folder.path().join("serve.log")).unwrap();
    assert!(contains(&log, "run ended"), "the log tells of the run");
    for value in [TOKEN, "佐藤", "髙橋"] {
        assert!(!contains(&log, value), "{value} is in the log at trace level");
    }
    for file in files(&machine.folder.path().join("data")) {
        assert!(!contains(&std::fs::read(&file).unwrap(), TOKEN), "the token is in {}", file.display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} may be read by others", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_morning_page_ends_with_1_as_long_as_something_needs_a_person() {
    let machine = Machine::new().await;
    assert_eq!(machine.code(&["today"]).await, Some(1), "there is no database yet");
    machine.run(&["apply", "settings.yaml"]).await;
    let quiet = machine.run(&["today"]).await;
    assert_eq!(quiet.status.code(), Some(0), "a timer that is off is no trouble: {}", text(&quiet));
    for line in
        ["nothing needs a person", "off: 毎秒 for 0 days", "due 0 = run 0 + skipped 0 + superseded 0 + unexplained 0"]
    {
        assert!(text(&quiet).contains(line), "{line}: {}", text(&quiet));
    }
    let list = machine.folder.path().join("list.csv");
    let away = machine.folder.path().join("away.csv");
    std::fs::rename(&list, &away).unwrap();
    machine.run(&["run", "start", "社員一覧", "--wait"]).await;
    assert_eq!(machine.code(&["today"]).await, Some(1));
    let page = machine.json(&["today", "--json"]).await;
    assert_eq!(
        (&page["needs"][0]["kind"], page["needs"][0]["count"].as_u64()),
        (&Value::from("failed"), Some(1)),
        "{page}"
    );
    assert_eq!(page["adds_up"], true);
    std::fs::rename(&away, &list).unwrap();
    machine.run(&["run", "start", "社員一覧", "--wait"]).await;
    assert_eq!(machine.code(&["today"]).await, Some(0), "a good run of the same list came after it");
    assert_eq!(machine.code(&["today", "--date", "2026-11-24"]).await, Some(0));
    machine.run(&["integration", "pause", "社員マスタ連携", "--reason", "x"]).await;
    assert_eq!(machine.code(&["today"]).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_broken_with_its_fix_and_changes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new().await;
    assert_eq!(machine.code(&["doctor"]).await, Some(1), "there is no database yet");
    assert!(!machine.folder.path().join("data").exists());
    machine.run(&["apply", "settings.yaml"]).await;
    machine.run(&["run", "start", "社員一覧", "--wait"]).await;
    let sound = machine.run(&["doctor"]).await;
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound));
    for line in ["ok   database:", "ok   ledger:", "ok   spool: 1 folders", "warn mail: none is sent"] {
        assert!(text(&sound).contains(line), "{line}: {}", text(&sound));
    }
    let daemon = machine.serve().await;
    assert!(text(&machine.run(&["doctor"]).await).contains(&format!("process {}", daemon.child.id())));
    assert_eq!(daemon.terminate().await, Some(0));

    let data = machine.folder.path().join("data");
    std::fs::remove_dir_all(data.join("spool")).unwrap();
    std::fs::create_dir_all(data.join("spool/R-1")).unwrap();
    std::fs::set_permissions(data.join("renkei.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let broken = machine.run(&["doctor"]).await;
    assert_eq!(broken.status.code(), Some(1));
    for line in ["FAIL files: others may read", "(1 such runs): they cannot be sent again", "R-1 belongs to no run"] {
        assert!(text(&broken).contains(line), "{line}: {}", text(&broken));
    }
    let bytes = std::fs::read(data.join("renkei.db")).unwrap();
    std::fs::write(data.join("renkei.db"), &bytes[..2_000]).unwrap();
    let damaged = machine.json(&["doctor", "--json"]).await;
    let database = damaged.as_array().unwrap().iter().find(|line| line["part"] == "database").unwrap();
    assert_eq!(database["level"], "FAIL", "{database}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_timer_says_on_time_late_or_why_not() {
    let machine = Machine::new().await;
    machine.run(&["apply", "settings.yaml"]).await;
    machine.run(&["timer", "on", "毎秒"]).await;
    let daemon = machine.serve().await;
    machine.sandbox.wait_for(2, Duration::from_secs(20)).await.unwrap();
    assert_eq!(daemon.terminate().await, Some(0));
    machine.run(&["timer", "off", "毎秒"]).await;
    let printed = text(&machine.run(&["timer", "ledger", "毎秒"]).await);
    assert!(printed.contains("on time") || printed.contains("late by"), "{printed}");
    let lines = machine.json(&["timer", "ledger", "毎秒", "--json"]).await;
    let good = lines.as_array().unwrap().iter().filter(|line| line["run_state"] == "accepted").count();
    assert!(good >= 1, "{lines}");
    assert_eq!(machine.json(&["today", "--json"]).await["adds_up"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_for_machines_is_one_object_a_line_with_the_local_offset() {
    let machine = Machine::new().await;
    machine.put("config.yaml", "data_dir: data\nlog: { format: json }\n");
    let mut daemon = machine.start(&["serve"], "serve.log");
    let line: serde_json::Value = serde_json::from_str(&daemon.says("renkei is ready").await).unwrap();
    assert_eq!((&line["level"], &line["zone"]), (&"INFO".into(), &"Asia/Tokyo".into()));
    assert!(line["timestamp"].as_str().unwrap().ends_with("+09:00"), "{line}");
    assert_eq!(daemon.terminate().await, Some(0));
}
