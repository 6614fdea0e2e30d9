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

/// How often a standby looks whether the database is free.
const LOOK: Duration = Duration::from_millis(500);

/// Serves until a signal; the second daemon on a database is wrong usage.
pub(super) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(config).context("config.yaml")?;
    let clock = Clock::system();
    log::start(&config.log, config.timezone, &clock);
    data_folder::admit(&config.data_dir, Visitor::Daemon).map_err(AppError::from)?;
    let stopping = on_signal();
    let drain = config.drain;
    // The lock comes before the database is opened: an opened one may be brought to a newer schema.
    let mut is_told = false;
    let lock = loop {
        match App::lock_soon(&config, &clock, "serve").await {
            Ok(lock) => break lock,
            Err(held @ LockError::Held { .. }) if arguments.standby => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!("standing by: {held}");
                }
                supervisor::standing_by();
                tokio::select! {
                    () = clock.sleep(LOOK) => {}
                    () = stopping.cancelled() => return Ok(GOOD),
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    let app = App::open(config, clock).await?;
    if !arguments.apply.is_empty() {
        for finding in apply::quietly(&Session::over(app.clone()), &arguments.apply).await? {
            tracing::warn!("{finding}");
        }
    }
    let daemon = app.serve().await?;
    let told = Supervisor::ready(daemon.engine());
    stopping.cancelled().await;
    told.stopping();
    daemon.stop(drain).await;
    app.store.close().await;
    drop(lock);
    Ok(GOOD)
}
