//! A database that is locked or full never ends the daemon and loses no verdict: renkei waits, says that it is not ready,
//! and goes on where it was. The lock is held by another process (Python's sqlite3) with RENKEI_SERVICES=1, by another
//! connection without it; both lock the same bytes of the file.

use crate::support::{House, timer};
use renkei::domain::run::{BatchState, RunState};
use renkei::engine::{Daemon, Ended, Readiness, dispatcher, recovery};
use renkei::report::outbox::deliver_due;
use renkei::sandbox::{Misbehaviour, Plan};
use renkei::store::runs::{Run, RunFilter};
use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(30);

/// Somebody who keeps everybody else from writing.
enum Lock {
    Process(Child),
    Connection(AnyConnection),
}

impl Lock {
    async fn hold(house: &House) -> Self {
        let database = &house.app.config.database;
        if std::env::var_os("RENKEI_SERVICES").is_some() {
            let program = "import sqlite3, sys\n\
                 c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n\
                 c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.readline(); c.execute('COMMIT')";
            let mut command = Command::new("python3");
            command.args(["-c", program]).arg(database).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line.trim(), "locked");
            return Self::Process(child);
        }
        let mut connection = AnyConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
        connection.execute("PRAGMA busy_timeout = 30000").await.unwrap();
        connection.execute("BEGIN EXCLUSIVE").await.unwrap();
        Self::Connection(connection)
    }

    async fn let_go(self) {
        match self {
            Self::Process(mut child) => {
                child.stdin.take().unwrap().write_all(b"\n").unwrap();
                assert!(child.wait().unwrap().success());
            }
            Self::Connection(mut connection) => {
                connection.execute("COMMIT").await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

/// A house with a list of so many rows, three a file.
async fn house(database: Option<PathBuf>, rows: u32) -> House {
    let house = House::impatient(database).await;
    let rows: String = (0..rows).map(|n| format!("{n:04},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(json!({ "limits": { "file_lines": 4 } }), json!({}), vec![]).await;
    house
}

/// Waits until the board says so.
async fn until(house: &House, what: impl Fn(&Readiness) -> bool) -> Readiness {
    let mut board = house.engine.board.watch();
    tokio::time::timeout(LONG, board.wait_for(what)).await.expect("the board never said so").unwrap().clone()
}

fn troubles(readiness: &Readiness, part: &str) -> bool {
    readiness.reasons.iter().any(|reason| reason.part.starts_with(part))
}

type Carrying = JoinHandle<bool>;

fn carry(house: &House, stopping: &CancellationToken) -> Carrying {
    let (engine, stopping) = (house.engine.clone(), stopping.clone());
    tokio::spawn(async move { dispatcher::step(&engine, &stopping).await.unwrap() })
}

/// A run whose first request has arrived and is not answered yet.
async fn in_flight(house: &House, stopping: &CancellationToken) -> (Run, Carrying) {
    house.sandbox.misbehave(Plan::once(Misbehaviour::Hold));
    let run = house.start().await;
    let carrying = carry(house, stopping);
    // It is held from here on, not from its arrival.
    house.sandbox.wait_for(1, LONG).await.unwrap();
    (run, carrying)
}

fn verdict_in_spool(house: &House, run: &Run) -> String {
    std::fs::read_to_string(house.engine.folder_of(&run.id).join("batch-001.verdict")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_between_intent_and_verdict_is_waited_out_and_the_lane_held() {
    let house = house(None, 5).await;
    let (run, carrying) = in_flight(&house, &CancellationToken::new()).await;
    let lock = Lock::hold(&house).await;
    house.sandbox.release();
    let readiness = until(&house, |readiness| troubles(readiness, "run R-")).await;
    assert!(readiness.to_string().contains("kept the database locked"), "{readiness}");
    assert!(verdict_in_spool(&house, &run).contains("\"accepted\""), "the verdict stands in the spool");
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts[0].verdict), (RunState::Running, None));
    assert_eq!(house.received().len(), 1, "nothing more is sent meanwhile");
    assert_eq!(house.app.store.busy_lanes().await.unwrap().len(), 1, "the lane is held");
    lock.let_go().await;
    assert!(tokio::time::timeout(LONG, carrying).await.unwrap().unwrap());
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 2));
    assert!(!detail.attempts[0].answer.as_deref().unwrap_or_default().is_empty(), "the answer is kept too");
    assert_eq!(house.received().len(), 2, "no file went twice");
    assert!(!troubles(&house.engine.readiness(), "run"), "{}", house.engine.readiness());
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_at_any_moment_of_a_run_double_nothing_and_lose_nothing() {
    let house = house(None, 36).await;
    let run = house.start().await;
    let carrying = carry(&house, &CancellationToken::new());
    let mut locks = 0;
    while !carrying.is_finished() {
        let lock = Lock::hold(&house).await;
        // As long as it takes until somebody is hindered, or nobody is.
        let _ = tokio::time::timeout(Duration::from_millis(40), async {
            house.engine.board.watch().wait_for(|readiness| troubles(readiness, "run")).await.map(|_| ()).unwrap();
        })
        .await;
        lock.let_go().await;
        locks += 1;
        // The next one comes when the run has got a step further.
        let before = house.detail(&run.id).await.events.len();
        while !carrying.is_finished() && house.detail(&run.id).await.events.len() == before {
            tokio::task::yield_now().await;
        }
    }
    // A claim that met the lock failed whole; the next look finds the run in the queue.
    carrying.await.ok();
    while house.detail(&run.id).await.run.state == RunState::Queued {
        dispatcher::step(&house.engine, &CancellationToken::new()).await.unwrap();
    }
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.batches.len()), (RunState::Accepted, 12), "after {locks} locks: {detail:?}");
    assert!(detail.attempts.iter().all(|attempt| attempt.verdict.is_some()));
    assert_eq!((detail.attempts.len(), house.received().len()), (12, 12), "no file went twice");
    assert_eq!(house.sandbox.master(0).records.len(), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_the_database_is_locked_leaves_the_verdict_to_the_next_start() {
    let house = house(None, 2).await;
    let stopping = CancellationToken::new();
    let (run, carrying) = in_flight(&house, &stopping).await;
    let lock = Lock::hold(&house).await;
    house.sandbox.release();
    until(&house, |readiness| troubles(readiness, "run R-")).await;
    stopping.cancel();
    tokio::time::timeout(LONG, carrying).await.expect("a stop does not wait for the database").unwrap();
    assert_eq!(house.detail(&run.id).await.run.state, RunState::Running);
    lock.let_go().await;
    let house = house.reopened().await;
    recovery::recover(&house.engine).await.unwrap();
    house.settle().await;
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Accepted, 1), "the spool was believed");
    assert_eq!(house.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_come_while_the_database_is_locked_are_all_accounted_for() {
    let house = house(None, 2).await;
    let every = timer("毎秒", "社員一覧", "社員マスタ連携", json!({ "schedule": { "every": "1s" } }));
    house.settings(json!({}), json!({}), vec![every]).await;
    let daemon = Daemon::start(house.engine.clone()).await.unwrap();
    house.sandbox.wait_for(1, LONG).await.unwrap();
    let lock = Lock::hold(&house).await;
    let readiness = until(&house, |readiness| troubles(readiness, "planner")).await;
    assert!(!readiness.is_ready());
    let locked_at = house.app.clock.now();
    house.app.clock.sleep_until(locked_at + chrono::TimeDelta::milliseconds(2_100)).await;
    lock.let_go().await;
    until(&house, Readiness::is_ready).await;
    let seen = house.received().len();
    house.sandbox.wait_for(seen as u64 + 1, LONG).await.unwrap();
    assert_eq!(daemon.stop(LONG).await, Ended::Drained);

    let store = &house.app.store;
    let (from, to) = (locked_at - chrono::TimeDelta::hours(1), house.app.clock.now());
    let ledger = store.occurrences("毎秒", from, to).await.unwrap();
    let slots: u64 = ledger.iter().map(|row| row.slots).sum();
    let span = ledger.last().unwrap().scheduled_at - ledger[0].first_at;
    assert_eq!(i64::try_from(slots).unwrap(), span.num_seconds() + 1, "one fate for each second: {ledger:#?}");
    let runs = store.list_runs(&RunFilter { limit: 100, ..RunFilter::default() }).await.unwrap();
    let planned = ledger.iter().filter(|row| row.run.is_some()).count();
    assert_eq!(runs.len(), planned);
    let sent = runs.iter().filter(|run| run.state == RunState::Accepted).count();
    assert_eq!(sent, house.received().len(), "each run went once");
    assert!(runs.iter().all(|run| matches!(run.state, RunState::Accepted | RunState::Queued)), "{runs:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_late_and_not_repeated_while_the_database_is_locked() {
    let house = house(None, 2).await;
    house.start().await;
    dispatcher::step(&house.engine, &CancellationToken::new()).await.unwrap();
    let lock = Lock::hold(&house).await;
    let postman = house.engine.postman.clone().unwrap();
    for _ in 0..3 {
        assert!(deliver_due(&house.app.store, &postman, &house.app.clock).await.is_err());
    }
    assert!(house.mails().is_empty(), "what cannot be written down is not sent");
    lock.let_go().await;
    assert_eq!(deliver_due(&house.app.store, &postman, &house.app.clock).await.unwrap(), 1);
    assert_eq!(house.mails().len(), 1);
}

/// A small disk of its own, gone with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: mounting a tmpfs takes root, so a full disk was not tried");
        None
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let lazily = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(lazily.is_ok_and(|status| status.success()), "the disk stays mounted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_database_is_waited_out_and_the_verdict_kept() {
    let Some(disk) = Disk::mount() else { return };
    let database: &Path = &disk.0.path().join("renkei.db");
    let house = house(Some(database.to_owned()), 5).await;
    let (run, carrying) = in_flight(&house, &CancellationToken::new()).await;
    disk.fill();
    house.sandbox.release();
    let readiness = until(&house, |readiness| troubles(readiness, "run R-")).await;
    assert!(readiness.to_string().contains("disk"), "{readiness}");
    assert!(verdict_in_spool(&house, &run).contains("\"accepted\""));
    assert_eq!(house.received().len(), 1);
    std::fs::remove_file(disk.filler()).unwrap();
    assert!(tokio::time::timeout(LONG, carrying).await.unwrap().unwrap());
    let detail = house.detail(&run.id).await;
    assert_eq!((detail.run.state, detail.attempts.len(), house.received().len()), (RunState::Accepted, 2, 2));
    assert!(detail.batches.iter().all(|batch| batch.state == BatchState::Accepted));
    house.app.store.close().await;
}
