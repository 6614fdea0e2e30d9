//! The machine in the storm: a folder, the binary, its lives, and a receiver that outlives them all.

use crate::support::TOKEN;
use chrono::{DateTime, Utc};
use renkei::clock::Clock;
use renkei::domain::run::RunState;
use renkei::sandbox::{Limits, Sandbox, SandboxOptions};
use renkei::store::Store;
use renkei::store::runs::RunFilter;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A timer: its name, its schedule with policies, and the seconds of the minute that the schedule names.
type Rule = (&'static str, &'static str, fn(i64) -> bool);

/// An account, its menu, and the timers that carry it.
pub(super) struct Route {
    /// The account, the integration and the menu.
    pub(super) name: &'static str,
    /// Whether a request of unknown fate may be repeated.
    pub(super) repeat_safe: bool,
    pub(super) timers: &'static [Rule],
}

/// Three routes that are carried, and one whose list has a key twice, so that each of its runs is held.
pub(super) const ROUTES: [Route; 4] = [
    Route {
        name: "north",
        repeat_safe: true,
        timers: &[
            ("every-second", "schedule: { every: 1s }, misfire: last, overlap: skip", |_| true),
            ("seventh", "schedule: { cron: '*/7 * * * * *' }, misfire: all, priority: 90", |second| second % 7 == 0),
        ],
    },
    Route {
        name: "south",
        repeat_safe: true,
        timers: &[("even", "schedule: { cron: '*/2 * * * * *' }, misfire: all, overlap: queue-one", |second| {
            second % 2 == 0
        })],
    },
    Route {
        name: "once",
        repeat_safe: false,
        timers: &[("third", "schedule: { cron: '1-59/3 * * * * *' }, misfire: none, overlap: skip", |second| {
            second % 3 == 1
        })],
    },
    Route { name: "twice", repeat_safe: true, timers: &[] },
];

/// Rows of each list; with 100 lines a file, three batches a run.
const ROWS: usize = 250;

/// A life that is over.
pub(super) struct Past {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// A life of the daemon.
pub(super) struct Life {
    child: Child,
    from: DateTime<Utc>,
    clock: Clock,
}

impl Life {
    pub(super) async fn last(&mut self, time: Duration) {
        self.clock.sleep(time).await;
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success(), "kill {name}");
    }

    /// SIGSTOP, and SIGCONT after a while.
    pub(super) async fn pause(&mut self, time: Duration) {
        self.signal("-STOP");
        self.last(time).await;
        self.signal("-CONT");
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) struct Machine {
    folder: Option<tempfile::TempDir>,
    binary: PathBuf,
    pub(super) sandbox: Sandbox,
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// Lives that are over; the first has the number 1.
    pub(super) past: Vec<Past>,
    /// The runs that a process was told are queued.
    pub(super) promised: Vec<String>,
    /// Orders that were killed before they could say anything.
    pub(super) orders_killed: usize,
    pub(super) pauses: usize,
    arrivals: u64,
}

impl Machine {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { requests: 1_000_000_000, ..Limits::default() };
        let options = SandboxOptions { token: TOKEN.into(), limits, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        // Of its own, so that whoever builds meanwhile does not change it.
        let binary = folder.path().join("renkei");
        std::fs::copy(env!("CARGO_BIN_EXE_renkei"), &binary).unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("config.yaml", "data_dir: data\nlanes: per-account\ndrain: 20s\n");
        let mut settings = String::from("integrations:\n");
        for Route { name, repeat_safe, .. } in &ROUTES {
            writeln!(
                settings,
                "  - {{ name: {name}, url: '{}', allow_http: true, repeat_safe: {repeat_safe}, limits: {{ requests_per_minute: 100000, file_lines: 101 }},\n      \
                 headers: {{ X-RS-apitoken: '${{env:RENKEI_STORM_TOKEN}}', X-Life: '${{env:RENKEI_STORM_LIFE}}', Content-Type: 'multipart/form-data;' }},\n      \
                 params: {{ masterId: 0, duplicateKey: 1 }} }}",
                sandbox.url_of(name)
            )
            .unwrap();
        }
        settings += "menus:\n";
        for Route { name, .. } in &ROUTES {
            writeln!(settings, "  - {{ name: {name}, source: {{ csv: {{ path: {name}.csv }} }}, key: [社員コード], integrations: [{name}] }}").unwrap();
            let mut list = String::from("社員コード,社員名,氏名カナ\n");
            for row in 0..ROWS {
                // The last route's list has its first key twice.
                let key = if *name == "twice" && row + 1 == ROWS { 0 } else { row };
                writeln!(list, "{name}-{key},髙橋{row},ﾀｶﾊｼ").unwrap();
            }
            put(&format!("{name}.csv"), &list);
            let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            let file = File::options().write(true).open(folder.path().join(format!("{name}.csv"))).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        settings += "timers:\n";
        for Route { name, timers, .. } in &ROUTES {
            for (timer, rules, _) in *timers {
                writeln!(settings, "  - {{ name: {timer}, menu: {name}, integration: {name}, switch: on, {rules} }}")
                    .unwrap();
            }
        }
        put("settings.yaml", &settings);
        let database = folder.path().join("data/renkei.db");
        let applied = command(&binary, folder.path(), "0", &["apply", "settings.yaml"]).output().unwrap();
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let store = Store::open(&database).await.unwrap();
        Self {
            folder: Some(folder),
            binary,
            sandbox,
            store,
            clock: Clock::system(),
            past: Vec::new(),
            promised: Vec::new(),
            orders_killed: 0,
            pauses: 0,
            arrivals: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Leaves the folder behind for whoever looks for a fault.
    pub(super) fn keep(&mut self) -> Option<PathBuf> {
        self.folder.take().map(tempfile::TempDir::keep)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let life = (self.past.len() + 1).to_string();
        command(&self.binary, self.path(), &life, arguments)
    }

    /// Up to where each timer's slots are accounted for.
    pub(super) async fn cursors(&self) -> BTreeMap<String, DateTime<Utc>> {
        let settings = self.store.settings().await.unwrap();
        settings.timers.iter().map(|stored| (stored.timer.name().to_owned(), stored.cursor_at)).collect()
    }

    pub(super) fn start(&mut self) -> Life {
        let log = File::options().append(true).create(true).open(self.path().join("serve.log")).unwrap();
        let errors = log.try_clone().unwrap();
        let from = self.clock.now();
        let child = self.command(&["serve"]).stdout(log).stderr(errors).spawn().unwrap();
        Life { child, from, clock: self.clock.clone() }
    }

    /// SIGKILL, at once.
    pub(super) async fn kill(&mut self, mut life: Life) {
        life.child.kill().unwrap();
        let status = life.child.wait().unwrap();
        assert_eq!(status.code(), None, "the daemon ended by itself: {status}; see {:?}", self.keep());
        self.past.push(Past { from: life.from, to: self.clock.now() });
    }

    /// Queues a run by another process, which is killed after a while or left to its end.
    pub(super) async fn order(&mut self, route: u64, killed_after: Option<Duration>) {
        let menu = ROUTES[usize::try_from(route).unwrap()].name;
        let mut child = self.command(&["run", "start", menu, "--json"]);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        if let Some(time) = killed_after {
            self.clock.sleep(time).await;
            let _ = child.kill();
        }
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        match serde_json::from_slice::<serde_json::Value>(&output.stdout) {
            Ok(run) => self.promised.push(run["id"].as_str().unwrap().to_owned()),
            Err(_) => {
                assert!(killed_after.is_some(), "the order was not taken");
                self.orders_killed += 1;
            }
        }
    }

    /// Waits until a further request has begun to arrive, but not for ever.
    pub(super) async fn next_request(&mut self, within: Duration) {
        let seen = self.sandbox.arrived().max(self.arrivals);
        self.arrivals = seen;
        let _ = self.sandbox.wait_arrived(seen + 1, within).await;
    }

    /// The open runs; held ones wait for a person and are not among them.
    async fn open_runs(&self) -> usize {
        let mut open = 0;
        for state in [RunState::Queued, RunState::Running, RunState::Waiting] {
            let filter = RunFilter { state: Some(state), menu: None, limit: 1_000 };
            open += self.store.list_runs(&filter).await.unwrap().len();
        }
        open
    }

    async fn run(&self, arguments: &[&str]) {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A last life in peace: the timers are switched off, what is open comes to its end, and SIGTERM ends it.
    pub(super) async fn drain(&mut self) {
        let mut life = self.start();
        for (timer, ..) in ROUTES.iter().flat_map(|route| route.timers) {
            self.run(&["timer", "off", timer]).await;
        }
        let give_up = self.clock.elapsed() + Duration::from_secs(180);
        while self.open_runs().await > 0 && self.clock.elapsed() < give_up {
            life.last(Duration::from_millis(100)).await;
        }
        life.signal("-TERM");
        let (status, life) = tokio::task::spawn_blocking(move || (life.child.wait().unwrap(), life)).await.unwrap();
        assert!(status.success(), "the last life ended with {status}");
        self.past.push(Past { from: life.from, to: self.clock.now() });
    }
}

fn command(binary: &Path, folder: &Path, life: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).env("RENKEI_CONFIG", "config.yaml").env("USER", "sato").env_remove("SUDO_USER");
    command.env("RENKEI_STORM_TOKEN", TOKEN).env("RENKEI_STORM_LIFE", life).stdin(Stdio::null()).args(arguments);
    command
}
