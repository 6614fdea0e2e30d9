//! What one kind of database does its own way: how it is opened, guarded and begun. Only SQLite is known.

use super::{StoreError, StoreResult};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor, Row};
use std::path::Path;
use std::time::Duration;

pub(super) type Transaction = sqlx::Transaction<'static, sqlx::Any>;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// How long a writer waits for another process's write.
const BUSY: &str = "PRAGMA busy_timeout = 10000";
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

    pub(super) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

pub(super) async fn open(path: &Path) -> StoreResult<Pools> {
    sqlx::any::install_default_drivers();
    prepare_folder(path)?;
    look_before_touching(path).await?;
    let url = url_of(path, "rwc");
    let writer = pool(1, &["PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL", BUSY]);
    let writer = writer.connect(&url).await.map_err(|error| explain(path, error))?;
    MIGRATIONS.run(&writer).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => explain(path, error),
        other => StoreError::Access {
            path: path.to_owned(),
            detail: format!("the schema cannot be brought up to date: {other}"),
        },
    })?;
    let reader = pool(READERS, &["PRAGMA query_only = ON", BUSY]);
    let reader = reader.connect(&url).await.map_err(|error| explain(path, error))?;
    Ok(Pools { writer, reader })
}

fn pool(connections: u32, pragmas: &'static [&'static str]) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(60))
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for pragma in pragmas {
                    connection.execute(*pragma).await?;
                }
                Ok(())
            })
        })
}

fn url_of(path: &Path, mode: &str) -> String {
    // SQLite reads a URL: what has a meaning there must be written otherwise.
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("sqlite://{escaped}?mode={mode}")
}

/// Makes the folder and the file, both for the owner alone.
fn prepare_folder(path: &Path) -> StoreResult<()> {
    let access = |at: &Path, detail: String| StoreError::Access { path: at.to_owned(), detail };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| access(folder, format!("the folder cannot be made: {error}")))?;
    }
    if path.is_dir() {
        return Err(access(path, "this is a folder, not a database file: change `database` in config.yaml".into()));
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        let detail =
            format!("the database cannot be opened for writing: {error}: run renkei as the owner of this folder");
        access(path, detail)
    })
}

/// Reads the schema's version without writing a byte, so that a newer or damaged file stays as it is.
async fn look_before_touching(path: &Path) -> StoreResult<()> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Ok(());
    }
    let mut connection = AnyConnection::connect(&url_of(path, "ro")).await.map_err(|error| explain(path, error))?;
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let known: i64 = sqlx::query(tables)
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| explain(path, error))?;
    if known == 1 {
        let newest = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
        let found: i64 = sqlx::query(newest)
            .fetch_one(&mut connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| explain(path, error))?;
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
    }
    connection.close().await.map_err(|error| explain(path, error))
}

fn explain(path: &Path, error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("not a database") || text.contains("malformed") {
        return StoreError::Corrupt { path: path.to_owned(), detail: text };
    }
    if text.contains("readonly") || text.contains("unable to open") || text.contains("disk is full") {
        return StoreError::Access { path: path.to_owned(), detail: text };
    }
    StoreError::Database(error)
}
