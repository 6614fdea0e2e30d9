//! What one kind of database does its own way: how it is opened, guarded and begun. Only SQLite is known.

use super::{StoreError, StoreResult};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migrate, MigrateError};
use sqlx::{AnyConnection, AnyPool, Connection, Executor, Row};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) type Transaction = sqlx::Transaction<'static, sqlx::Any>;

const MIGRATIONS_TABLE: &str = "_sqlx_migrations";
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// How long a statement waits for another process's lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// One writer, several readers.
pub(super) struct Pools {
    writer: AnyPool,
    reader: AnyPool,
}

impl Pools {
    /// Begins a transaction that may write. It takes the write lock at once: one that begins by reading would fail
    /// when it comes to write, whatever the time-out.
    pub(super) async fn write(&self) -> Result<Transaction, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    pub(super) fn reader(&self) -> &AnyPool {
        &self.reader
    }

    /// Writes the journal back into the database, as far as nobody still reads what it holds.
    pub(super) async fn write_back(&self) -> Result<(), sqlx::Error> {
        self.writer.execute("PRAGMA wal_checkpoint(PASSIVE)").await.map(drop)
    }

    pub(super) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Opens the database for reading and writing; see [`super::Store::open`].
pub(super) async fn open(path: &Path, patience: Duration) -> StoreResult<Pools> {
    sqlx::any::install_default_drivers();
    prepare_file(path)?;
    look_before_touching(path).await?;
    let url = url_of(path, "mode=rwc");
    let pragmas = [
        "PRAGMA journal_mode = WAL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA synchronous = FULL",
        // Pages of the journal. At SQLite's own thousand a commit writes it back now and then, and a slot waits for the
        // disk; the daemon does so once a minute (`Pools::write_back`, decision 0015).
        "PRAGMA wal_autocheckpoint = 10000",
    ];
    let writer = connect(path, &url, 1, patience, &pragmas).await?;
    bring_up_to_date(path, &writer).await?;
    let reader = readers(path, &url, patience).await?;
    Ok(Pools { writer, reader })
}

/// Opens the database for reading alone; see [`super::Store::open_read_only`].
pub(super) async fn open_read_only(path: &Path) -> StoreResult<Pools> {
    sqlx::any::install_default_drivers();
    if !path.exists() {
        return Err(access(path, "there is no database yet: `renkei apply` or `renkei serve` makes it".to_owned()));
    }
    refuse_what_is_no_file(path)?;
    let found = look_before_touching(path).await?;
    if found < newest_version() {
        let detail = format!(
            "the database is of version {found}, this renkei works with {}: start `renkei serve` once to bring it up to date",
            newest_version()
        );
        return Err(access(path, detail));
    }
    // The file must be writable for the owner all the same: readers of a WAL share its index file.
    let reader = readers(path, &url_of(path, "mode=rw"), PATIENCE).await?;
    Ok(Pools { writer: reader.clone(), reader })
}

async fn readers(path: &Path, url: &str, patience: Duration) -> StoreResult<AnyPool> {
    // Half a MiB of pages each: lists are short, and what several readers keep is an idle daemon's memory.
    connect(path, url, READERS, patience, &["PRAGMA query_only = ON", "PRAGMA cache_size = -512"]).await
}

/// A pool tries for a minute, and says nothing, where a connection opens but cannot be prepared (a full disk, say). So one
/// connection is prepared outside of it, and tells what is wrong at once.
async fn connect(
    path: &Path,
    url: &str,
    connections: u32,
    patience: Duration,
    pragmas: &[&str],
) -> StoreResult<AnyPool> {
    let busy = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    let pragmas: Arc<[String]> = std::iter::once(busy).chain(pragmas.iter().map(|&one| one.to_owned())).collect();
    let explained = |error| explain(path, error);
    let mut first = AnyConnection::connect(url).await.map_err(explained)?;
    // Of those who open a new file at once, only one may turn it to WAL; the pool waits its turn.
    let prepared = prepare(&mut first, &pragmas).await;
    prepared.or_else(|error| if trouble(&error) == Some(Trouble::Locked) { Ok(()) } else { Err(explained(error)) })?;
    let pool = pool(connections, pragmas).connect(url).await.map_err(explained)?;
    first.close().await.map_err(explained)?;
    Ok(pool)
}

async fn prepare(connection: &mut AnyConnection, pragmas: &[String]) -> Result<(), sqlx::Error> {
    for pragma in pragmas {
        connection.execute(sqlx::AssertSqlSafe(pragma.clone())).await?;
    }
    Ok(())
}

/// Migrations take no lock of their own on SQLite: they run inside one write transaction, so that two processes that
/// open a new file at once do not both make its tables. The same transaction proves that the file can be written.
async fn bring_up_to_date(path: &Path, writer: &AnyPool) -> StoreResult<()> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| explain(path, error))?;
    migrate(&mut tx).await.map_err(|error| match error {
        MigrateError::Execute(error) => explain(path, error),
        MigrateError::ExecuteMigration(error, _) => explain(path, error),
        // Somebody newer came in since the version was read.
        MigrateError::VersionMissing(found) => {
            StoreError::Newer { path: path.to_owned(), found, known: newest_version() }
        }
        MigrateError::VersionMismatch(version) => {
            let detail = format!(
                "its schema {version} is not the one that this renkei knows: it was made by a build that was never \
                 released; export the settings with that build, and begin with a new file"
            );
            access(path, detail)
        }
        other => access(path, format!("the schema cannot be brought up to date: {other}")),
    })?;
    tx.commit().await.map_err(|error| explain(path, error))
}

/// What `Migrator::run` does, on a connection that is inside a transaction already (its own way of taking one makes a
/// future that cannot change threads).
async fn migrate(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    connection.ensure_migrations_table(MIGRATIONS_TABLE).await?;
    let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await?;
    if let Some(newer) = applied.iter().map(|one| one.version).max().filter(|&version| version > newest_version()) {
        return Err(MigrateError::VersionMissing(newer));
    }
    for migration in MIGRATIONS.iter() {
        match applied.iter().find(|one| one.version == migration.version) {
            None => {
                connection.apply(MIGRATIONS_TABLE, migration).await?;
            }
            Some(one) if one.checksum == migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(migration.version)),
        }
    }
    Ok(())
}

/// What SQLite finds wrong with its file, at most twenty things.
pub(super) async fn integrity(pool: &AnyPool) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("PRAGMA quick_check(20)").fetch_all(pool).await?;
    let lines: Result<Vec<String>, sqlx::Error> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(lines?.into_iter().filter(|line| line != "ok").collect())
}

/// The version of the schema that the database has.
pub(super) async fn schema_version(pool: &AnyPool) -> Result<i64, sqlx::Error> {
    let sql = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
    sqlx::query(sql).fetch_one(pool).await?.try_get(0)
}

fn newest_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn pool(connections: u32, pragmas: Arc<[String]>) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(60))
        .idle_timeout(None)
        .max_lifetime(None)
        // A disk that is full makes SQLite roll back by itself; the driver, which learns of it only when it rolls back
        // too, holds the transaction for open and begins no other on this connection, ever.
        .before_acquire(|connection, _| {
            let usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(usable) })
        })
        .after_connect(move |connection, _| {
            let pragmas = Arc::clone(&pragmas);
            Box::pin(async move { prepare(connection, &pragmas).await })
        })
}

fn url_of(path: &Path, how: &str) -> String {
    // SQLite reads a URL: what has a meaning there must be written otherwise.
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("sqlite://{escaped}?{how}")
}

fn access(path: &Path, detail: String) -> StoreError {
    StoreError::Access { path: path.to_owned(), detail }
}

/// Makes the folder that a file will lie in, for its owner alone; a folder that is there stays as it is.
pub(super) fn make_folder_of(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the folder and an empty file where there is none, both for the owner alone. A file that is there is not
/// opened here: closing it again would take away the locks that SQLite holds on it elsewhere in this process.
fn prepare_file(path: &Path) -> StoreResult<()> {
    let refused = |error: io::Error| access(path, said_by_the_system(path, &error));
    make_folder_of(path).map_err(refused)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            refuse_what_is_no_file(path)?;
            let about = std::fs::metadata(path).map_err(refused)?;
            if about.permissions().readonly() {
                let detail = "the database file is read-only: allow its owner to write it (chmod u+w), or name another \
                              `database` in config.yaml";
                return Err(access(path, detail.to_owned()));
            }
            Ok(())
        }
        Err(error) => Err(refused(error)),
    }
}

fn refuse_what_is_no_file(path: &Path) -> StoreResult<()> {
    let about = std::fs::metadata(path).map_err(|error| access(path, said_by_the_system(path, &error)))?;
    if about.is_file() {
        return Ok(());
    }
    let what = if about.is_dir() { "a folder" } else { "no ordinary file" };
    Err(access(path, format!("this is {what}, not a database file: change `database` in config.yaml")))
}

/// What the system says about a file or its folder, and how to mend it.
fn said_by_the_system(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "{error}: the file or its folder belongs to {}: run renkei as that user, or give both to the user who runs it",
            owner_of(path)
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            format!(
                "{error}: a part of this path is a file, not a folder: change `database` or `data_dir` in config.yaml"
            )
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!("{error}: name a `database` on a disk that can be written in config.yaml")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("{error}: make room on the disk, or name a `database` on another one in config.yaml")
        }
        _ => format!("the database file cannot be made or read: {error}"),
    }
}

#[cfg(unix)]
fn owner_of(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let there = path.ancestors().find_map(|part| std::fs::metadata(part).ok());
    there.map_or_else(|| "somebody else".to_owned(), |about| format!("user number {}", about.uid()))
}

#[cfg(not(unix))]
fn owner_of(_: &Path) -> String {
    "somebody else".to_owned()
}

/// Reads the schema's version without writing a byte, so that a newer or damaged file stays as it is; 0 for an empty
/// file.
async fn look_before_touching(path: &Path) -> StoreResult<i64> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Ok(0);
    }
    // Where no journal lies beside it, nobody works on the file and all there is stands in it: read so, SQLite leaves
    // no files of its own behind. Should somebody have come meanwhile, the second look is the one that counts.
    let mut quiet = None;
    if !journal_of(path).exists() {
        refuse_a_stump(path)?;
        quiet = version_by(path, "mode=ro&immutable=1").await.ok();
    }
    let found = match quiet {
        Some(found) => found,
        None => version_by(path, "mode=ro").await.map_err(|error| explain(path, error))?,
    };
    let known = newest_version();
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// SQLite takes a file that is shorter than its first page for an empty one, and would begin anew in it.
fn refuse_a_stump(path: &Path) -> StoreResult<()> {
    let refused = |error: io::Error| access(path, said_by_the_system(path, &error));
    let mut head = Vec::with_capacity(100);
    let file = std::fs::File::open(path).map_err(refused)?;
    let length = file.metadata().map_err(refused)?.len();
    file.take(100).read_to_end(&mut head).map_err(refused)?;
    let corrupt = |detail: String| Err(StoreError::Corrupt { path: path.to_owned(), detail });
    if !head.starts_with(b"SQLite format 3\0") {
        return corrupt("it does not begin as a database does".to_owned());
    }
    // The size of a page, of which 1 stands for 65,536 (SQLite file format).
    let page = match head.get(16..18) {
        Some(&[0, 1]) => 65_536,
        Some(&[high, low]) => u64::from(high) << 8 | u64::from(low),
        _ => u64::MAX,
    };
    if length < page {
        return corrupt(format!("it ends after {length} bytes, inside its first page"));
    }
    Ok(())
}

fn journal_of(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    PathBuf::from(journal)
}

async fn version_by(path: &Path, how: &str) -> Result<i64, sqlx::Error> {
    let mut connection = AnyConnection::connect(&url_of(path, how)).await?;
    let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query(sql).fetch_one(&mut connection).await?.try_get(0)?;
    let mut found = 0;
    if tables == 1 {
        let sql = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
        found = sqlx::query(sql).fetch_one(&mut connection).await?.try_get(0)?;
    }
    connection.close().await?;
    Ok(found)
}

fn explain(path: &Path, error: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    match trouble(&error) {
        Some(Trouble::Damaged) => StoreError::Corrupt { path, detail: error.to_string() },
        Some(trouble @ (Trouble::ReadOnly | Trouble::CannotOpen | Trouble::Full)) => {
            StoreError::Access { path, detail: trouble.advice().to_owned() }
        }
        _ => StoreError::from(error),
    }
}

/// What people can do something about, among all that SQLite reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Locked,
    Full,
    ReadOnly,
    Damaged,
    CannotOpen,
    Disk,
}

impl Trouble {
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Locked => {
                "another program kept the database locked for too long: close what else has it open (a backup, a \
                 database browser), and try again"
            }
            Self::Full => "the disk is full: make room; what was written down before stands",
            Self::ReadOnly => {
                "the database cannot be written: it, its folder or its disk is read-only for this user; run renkei as \
                 the owner of the folder"
            }
            Self::Damaged => "the file is damaged: stop renkei and restore it from a backup",
            Self::CannotOpen => {
                "the database, or a file that SQLite puts beside it, cannot be opened: run renkei as the owner of the folder"
            }
            Self::Disk => "the disk reports an error: look at the system's log",
        }
    }
}

/// Whether an error says something about the database as it is now, not about the statement.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    trouble(error).is_some() || matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
}

/// Sorts an error by SQLite's result codes, of which the lowest eight bits say the kind (SQLite documentation).
pub(super) fn trouble(error: &sqlx::Error) -> Option<Trouble> {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return Some(Trouble::Locked);
    }
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(match code & 0xff {
        // SQLITE_IOERR_SHMSIZE: the index beside the journal cannot grow.
        10 if code == 4874 => Trouble::Full,
        5 | 6 => Trouble::Locked,
        8 => Trouble::ReadOnly,
        10 => Trouble::Disk,
        11 | 26 => Trouble::Damaged,
        13 => Trouble::Full,
        14 => Trouble::CannotOpen,
        _ => return None,
    })
}
