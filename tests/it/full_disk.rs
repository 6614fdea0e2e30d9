//! A disk that fills up while a run is carried: at the export, at the intent, between intent and verdict. The disk is a
//! small real one (tmpfs); only root can have it, and not in every container, so set RENKEI_SERVICES=1 as root.

use crate::support::{House, repeat};
use assert_cmd::cargo::CommandCargoExt as _;
use renkei::domain::failure::Code;
use renkei::domain::run::{BatchState, RunState};
use renkei::domain::verdict::Verdict;
use renkei::engine::orders;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The spool's disk: so many pages, of which a file takes whole ones.
const PAGES: u64 = 64;
const PAGE: u64 = 4096;

/// A small disk, unmounted when it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// Mounts it over a folder; `None`, said aloud, where that may not be.
    fn over(folder: &Path) -> Option<Self> {
        Self::holding(folder, PAGES * PAGE)
    }

    /// The same with so many bytes.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn holding(folder: &Path, bytes: u64) -> Option<Self> {
        if std::env::var_os("RENKEI_SERVICES").is_none() {
            eprintln!("skipped: set RENKEI_SERVICES=1 and be root to mount a small disk");
            return None;
        }
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={bytes},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder.to_owned()));
        }
        eprintln!("skipped: this process may not mount a disk");
        None
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Fills it up but for so many pages.
    fn leave(&self, pages: u64) {
        let mut file = File::create(self.ballast()).unwrap();
        let page = vec![b'x'; usize::try_from(PAGE).unwrap()];
        let mut filled = 0;
        while file.write_all(&page).is_ok() {
            filled += PAGE;
        }
        assert!(filled > pages * PAGE, "only {filled} bytes were free");
        file.set_len(filled - pages * PAGE).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status().is_ok_and(|status| status.success());
        // What is still open goes with its last handle.
        if !unmounted {
            let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
}

/// A house whose spool lies on a small disk, over a list of `rows` short rows.
async fn house(rows: usize, more: Value) -> Option<(House, Disk)> {
    let house = House::new().await;
    let disk = Disk::over(&house.engine.config.spool())?;
    let rows: String = (0..rows).map(|n| format!("{n:06},name\n")).collect();
    house.file("list.csv", format!("社員コード,社員名\n{rows}"));
    house.settings(more, json!({}), vec![]).await;
    Some((house, disk))
}

/// What lies in a run's folder.
fn files(house: &House, run: &str) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(house.engine.folder_of(run)) else { return Vec::new() };
    let mut names: Vec<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_export_sends_nothing_and_leaves_no_half_file() {
    let Some((house, disk)) = house(5_000, json!({})).await else { return };
    disk.leave(3);
    let run = house.carried().await.run;
    let failure = run.failure.unwrap();
    assert_eq!((run.state, failure.code), (RunState::Failed, Code::SpoolUnwritable));
    assert!(failure.message.contains("No space left"), "{failure}");
    assert!(house.received().is_empty());
    assert_eq!(files(&house, &run.id), [""; 0]);
    let mail = house.mails().remove(0);
    assert!(mail.subject().starts_with("[エラー]"), "{}", mail.subject());
    assert!(mail.text().contains("ディスク") && mail.text().contains("SPOOL-UNWRITABLE"), "{}", mail.text());

    disk.free();
    assert_eq!(house.carried().await.run.state, RunState::Accepted, "nothing else was broken");
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_intent_sends_nothing_and_the_stored_file_goes_later() {
    let Some((house, disk)) = house(3, json!({})).await else { return };
    // One page takes the list; the intent finds none.
    disk.leave(1);
    let detail = house.carried().await;
    let failure = detail.run.failure.unwrap();
    assert_eq!((detail.run.state, failure.code), (RunState::Failed, Code::SpoolUnwritable));
    assert!(failure.message.contains("the intent cannot be written"), "{failure}");
    assert_eq!(detail.attempts[0].verdict, Some(Verdict::Unreachable), "no byte was sent, and that is known");
    assert!(house.received().is_empty());
    assert!(house.mails()[0].text().contains("SPOOL-UNWRITABLE"));

    disk.free();
    let retry = orders::retry(&house.engine, &repeat(&detail.run.id, false, false), "佐藤").await.unwrap();
    house.settle().await;
    let again = house.detail(&retry.id).await;
    assert_eq!(again.run.state, RunState::Accepted);
    assert_eq!(again.batches[0].sha256, detail.batches[0].sha256, "the very bytes that were exported");
}

#[tokio::test]
async fn a_disk_that_fills_up_before_the_answer_does_not_lose_the_verdict() {
    let Some((house, disk)) = house(3, json!({})).await else { return };
    // The list and the intent take the last two pages; the answer comes to a full disk.
    disk.leave(2);
    let detail = house.carried().await;
    assert_eq!((detail.run.state, detail.batches[0].state), (RunState::Accepted, BatchState::Accepted));
    assert!(File::create(disk.0.join("more")).unwrap().write_all(b"x").is_err(), "the disk is full");
    let verdict = std::fs::read_to_string(house.engine.folder_of(&detail.run.id).join("batch-001.verdict")).unwrap();
    let verdict: Value = serde_json::from_str(verdict.trim_end()).unwrap();
    assert_eq!((&verdict["verdict"], &verdict["http_status"]), (&json!("accepted"), &json!(200)));
}

#[tokio::test]
async fn a_disk_that_fills_up_between_two_files_makes_the_run_partial_and_the_mail_says_so() {
    let Some((house, disk)) = house(6, json!({ "limits": { "file_lines": 3 } })).await else { return };
    // Three files and the first intent fit.
    disk.leave(4);
    let detail = house.carried().await;
    let states: Vec<_> = detail.batches.iter().map(|batch| batch.state).collect();
    assert_eq!(states, [BatchState::Accepted, BatchState::NotTaken, BatchState::Ready]);
    let failure = detail.run.failure.unwrap();
    assert_eq!((detail.run.state, failure.code), (RunState::Partial, Code::SpoolUnwritable));
    let mail = house.mails().remove(0);
    assert!(mail.subject().starts_with("[一部エラー]"), "{}", mail.subject());
    assert!(mail.text().contains("CSV3ファイルのうち1ファイルは受け付けられました"), "{}", mail.text());

    disk.free();
    let retry = orders::retry(&house.engine, &repeat(&detail.run.id, true, false), "佐藤").await.unwrap();
    house.settle().await;
    assert_eq!(house.detail(&retry.id).await.run.state, RunState::Accepted);
    assert_eq!(house.received().len(), 3, "the first file was not sent twice");
}

#[tokio::test]
async fn a_database_whose_disk_is_full_is_an_error_at_once_and_stays_as_it_is() {
    let machine = tempfile::tempdir().unwrap();
    let data = machine.path().join("data");
    let Some(disk) = Disk::holding(&data, 4 * 1024 * 1024) else { return };
    std::fs::write(machine.path().join("config.yaml"), "data_dir: data\n").unwrap();
    let settings = json!({
        "integrations": [{ "name": "i", "url": "http://127.0.0.1:9/acme/api/v1/csvimport", "allow_http": true,
            "headers": { "X-RS-apitoken": "x", "Content-Type": "multipart/form-data;" },
            "params": { "masterId": 0, "duplicateKey": 1 } }],
        "menus": [{ "name": "m", "source": { "records": {} }, "integrations": ["i"] }],
    });
    std::fs::write(machine.path().join("settings.yaml"), settings.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("renkei").unwrap();
        command.current_dir(machine.path()).args(["--config", "config.yaml"]).args(arguments).output().unwrap()
    };
    assert_eq!(run(&["apply", "settings.yaml"]).status.code(), Some(0));
    let database = data.join("renkei.db");
    assert!(!data.join("renkei.db-wal").exists(), "the last one out takes the journal with it");
    let before = std::fs::read(&database).unwrap();

    // Neither the journal nor its index finds a page; then the index does and the journal does not.
    for pages in [0, 9] {
        disk.leave(pages);
        for command in [&["run", "list"][..], &["run", "start", "m"], &["doctor"], &["apply", "settings.yaml"]] {
            let output = run(command);
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let reads = pages > 0 && command[1..] != ["start", "m"];
            assert!(reads || output.status.code() == Some(1), "{command:?} with {pages} pages: {said}");
            assert!(reads || said.contains("disk is full"), "{command:?} with {pages} pages: {said}");
        }
        assert_eq!(std::fs::read(&database).unwrap(), before, "{pages} pages");
        disk.free();
    }
    assert_eq!(run(&["run", "start", "m"]).status.code(), Some(0), "with room again all is well");
}
