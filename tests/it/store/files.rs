//! The database file: who may have it, and what is refused without a byte being changed.

use crate::support::{TOKYO, TempStore, at, save, temp_store, timer};
use renkei::store::{DatabaseLock, LockError, Store, StoreError};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Every file of a folder with its bytes.
fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|one| (one.file_name().into_string().unwrap(), std::fs::read(one.path()).unwrap())).collect()
}

/// Runs one statement as another program would, and leaves no journal behind.
async fn by_another_program(path: &Path, statement: &'static str) {
    use sqlx::{Connection, Executor};
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    connection.execute(statement).await.unwrap();
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    connection.close().await.unwrap();
}

const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
                     VALUES (9999, 'later', '2030-01-01', 1, x'00', 0)";

async fn closed() -> TempStore {
    let db = temp_store().await;
    save(&db.store, vec![], at("2026-11-24 06:00:00")).await;
    db.store.close().await;
    db
}

#[tokio::test]
async fn a_newer_database_is_refused_and_nothing_in_its_folder_changes() {
    let db = closed().await;
    by_another_program(&db.path, LATER).await;
    let before = everything(db.path.parent().unwrap());
    for error in [Store::open(&db.path).await.err(), Store::open_read_only(&db.path).await.err()] {
        let error = error.unwrap();
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
        assert!(error.to_string().contains("install the newer renkei"), "{error}");
    }
    assert_eq!(everything(db.path.parent().unwrap()), before);
}

#[tokio::test]
async fn a_newer_database_is_known_even_when_its_version_stands_in_the_journal_alone() {
    use sqlx::{Connection, Executor};
    let db = closed().await;
    let mut newer = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    newer.execute(LATER).await.unwrap();
    let before = std::fs::read(&db.path).unwrap();
    let error = Store::open(&db.path).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
    assert_eq!(std::fs::read(&db.path).unwrap(), before);
    newer.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renkei.db");
    std::fs::write(&path, b"this is a spreadsheet, honestly".repeat(100)).unwrap();
    let before = everything(folder.path());
    let error = Store::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("restore it from a backup"), "{error}");
    assert_eq!(everything(folder.path()), before);
}

#[tokio::test]
async fn a_database_cut_in_the_middle_is_refused_and_stays_as_it_is() {
    let db = closed().await;
    let whole = std::fs::read(&db.path).unwrap();
    std::fs::write(&db.path, &whole[..2_000]).unwrap();
    let before = everything(db.path.parent().unwrap());
    let error = Store::open(&db.path).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(everything(db.path.parent().unwrap()), before);
}

#[tokio::test]
async fn a_read_only_database_is_refused_for_work_and_stays_as_it_is() {
    let db = closed().await;
    let mut permissions = std::fs::metadata(&db.path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&db.path, permissions).unwrap();
    let before = everything(db.path.parent().unwrap());
    let error = Store::open(&db.path).await.err().unwrap();
    assert!(matches!(&error, StoreError::Access { detail, .. } if detail.contains("chmod u+w")), "{error}");
    assert_eq!(everything(db.path.parent().unwrap()), before);
}

#[tokio::test]
async fn a_folder_and_a_path_through_a_file_are_named_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path()).await.err().unwrap();
    assert!(error.to_string().contains("this is a folder"), "{error}");
    std::fs::write(folder.path().join("data"), "x").unwrap();
    let error = Store::open(&folder.path().join("data").join("renkei.db")).await.err().unwrap();
    assert!(error.to_string().contains("is a file, not a folder"), "{error}");
    assert_eq!(everything(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_store_for_reading_shows_all_makes_nothing_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open_read_only(&folder.path().join("renkei.db")).await.err().unwrap();
    assert!(error.to_string().contains("there is no database yet"), "{error}");
    assert!(everything(folder.path()).is_empty());
    let db = closed().await;
    let reading = Store::open_read_only(&db.path).await.unwrap();
    assert_eq!(reading.settings().await.unwrap().menus.len(), 1);
    let change = renkei::store::settings::SettingsChange::default();
    let now = at("2026-11-24 06:00:01");
    let error = reading.save_settings(&change, 1, "a", crate::support::TOKYO, now).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn several_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renkei.db");
    let opened = futures_util::future::join_all((0..8).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { Store::open(&path).await.map(|_| ()) })
    }));
    for one in opened.await {
        one.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_locked_database_says_who_is_to_be_asked() {
    use sqlx::{Connection, Executor};
    let db = temp_store().await;
    let mut other = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    other.execute("PRAGMA busy_timeout = 1").await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut third = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    third.execute("PRAGMA busy_timeout = 1").await.unwrap();
    let error = StoreError::from(third.execute("BEGIN IMMEDIATE").await.unwrap_err());
    assert!(error.to_string().contains("close what else has it open"), "{error}");
    other.execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_called_one_and_takes_back_the_whole_change() {
    use sqlx::{Connection, Executor};
    let db = closed().await;
    let mut small = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.path.display())).await.unwrap();
    // SQLite reports a file that may not grow in the same way as a disk that has no room.
    small.execute("PRAGMA max_page_count = 1").await.unwrap();
    small.execute("BEGIN IMMEDIATE").await.unwrap();
    let much = "INSERT INTO audit (number, at, actor, action, entity) VALUES (99, 0, 'a', 'b', hex(zeroblob(4000000)))";
    let error = StoreError::from(small.execute(much).await.unwrap_err());
    assert!(error.to_string().contains("the disk is full"), "{error}");
    small.close().await.unwrap();
    let store = Store::open(&db.path).await.unwrap();
    assert!(store.audit_log(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("renkei.db");
    let _lock = DatabaseLock::acquire(&path, "serve").unwrap();
    let store = Store::open(&path).await.unwrap();
    save(&store, vec![], at("2026-11-24 06:00:00")).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in everything(path.parent().unwrap()).keys() {
        assert_eq!(mode(&path.with_file_name(name)) & 0o077, 0, "{name}");
    }
}

#[test]
fn a_second_daemon_learns_who_the_first_is_whatever_path_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renkei.db");
    std::fs::write(&path, "").unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let first = DatabaseLock::acquire(&path, "serve, process 4711").unwrap();
    for way in [&path, &link] {
        let second = DatabaseLock::acquire(way, "serve, process 4712").unwrap_err();
        assert!(matches!(&second, LockError::Held { holder, .. } if holder.contains("4711")), "{second}");
    }
    drop(first);
    DatabaseLock::acquire(&path, "serve, process 4712").unwrap();
}

#[tokio::test]
async fn the_journal_is_written_back_when_the_chore_comes_and_not_by_a_commit_before() {
    let db = temp_store().await;
    save(
        &db.store,
        vec![timer("t", "list", "push", json!({ "schedule": { "every": "1s" }, "misfire": "all", "switch": "on" }))],
        at("2026-11-24 06:00:00"),
    )
    .await;
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    db.store.write_back().await.unwrap();
    let before = size(&db.path);
    for minute in 1..5 {
        db.store.plan_due(TOKYO, at(&format!("2026-11-24 06:{:02}:00", minute * 14))).await.unwrap();
    }
    assert_eq!(size(&db.path), before, "what was planned stands in the journal");
    db.store.write_back().await.unwrap();
    assert!(size(&db.path) > before + 100_000, "{} after {before}", size(&db.path));
}
