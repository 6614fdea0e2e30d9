//! `renkei serve`: the daemon, until a signal.

use super::session::{Session, on_signal};
use super::{GOOD, apply};
use crate::app::data_folder::{self, Visitor};
use crate::app::supervisor::{self, Supervisor};
use crate::app::{App, AppError, log};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::LockError;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Save these settings files first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    apply: Vec<PathBuf>,
    /// Wait for the database while another daemon works on it, instead of ending
    #[arg(long)]
    standby: bool,
}

/// How often one that waits looks whether the database is free.
const LOOK: Duration = Duration::from_millis(500);

/// Serves until a signal; the second daemon on a database is wrong usage.
pub(super) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(config).context("config.yaml")?;
    let clock = Clock::system();
    log::start(&config.log, config.timezone, &clock);
    data_folder::admit(&config.data_dir, Visitor::Daemon).map_err(AppError::from)?;
    let stopping = on_signal();
    // The lock comes before the database is opened: an opened one may be brought to a newer schema.
    let mut is_told = false;
    let lock = loop {
        match App::lock_soon(&config, &clock, "serve").await {
            Ok(lock) => break lock,
            Err(held @ LockError::Held { .. }) if arguments.standby => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!("standing by: {held}");
                }
                supervisor::waiting("standing by: another daemon works on the database");
                tokio::select! {
                    () = clock.sleep(LOOK) => {}
                    () = stopping.cancelled() => return Ok(GOOD),
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    let Some(app) = opened(&config, &clock, &stopping).await? else { return Ok(GOOD) };
    if !arguments.apply.is_empty() {
        for finding in apply::quietly(&Session::over(app.clone()), &arguments.apply).await? {
            tracing::warn!("{finding}");
        }
    }
    let daemon = app.serve().await?;
    let told = Supervisor::ready(daemon.engine());
    stopping.cancelled().await;
    told.stopping();
    daemon.stop(app.config.drain).await;
    app.store.close().await;
    drop(lock);
    Ok(GOOD)
}

/// Opens the house; waits where another program keeps the database locked, as the daemon does later on. `None`: told to
/// stop meanwhile.
async fn opened(config: &Config, clock: &Clock, stopping: &CancellationToken) -> anyhow::Result<Option<App>> {
    loop {
        let opening = tokio::select! {
            opening = App::open(config.clone(), clock.clone()) => opening,
            () = stopping.cancelled() => return Ok(None),
        };
        match opening {
            Err(AppError::Store(error)) if error.is_locked() => tracing::warn!("waiting for the database: {error}"),
            done => return Ok(Some(done?)),
        }
        supervisor::waiting("waiting for the database: another program keeps it locked");
        tokio::select! {
            () = clock.sleep(LOOK) => {}
            () = stopping.cancelled() => return Ok(None),
        }
    }
}
