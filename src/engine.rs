//! Planner, dispatcher, executor, confirmation, recovery and alarm: thin loops around the pure decisions. Each loop only reads,
//! decides and writes; the database is the truth, so that a loop may stop anywhere and start again. A step of each
//! can be driven alone by a test.

mod alarm;
pub mod confirming;
mod daemon;
pub mod dispatcher;
mod ending;
mod executor;
mod exporting;
mod job;
pub mod keeping;
pub mod morning;
pub mod orders;
pub mod outlook;
pub mod pausing;
pub mod planner;
mod pushing;
pub mod reconciling;
pub mod recovery;
mod reporting;
mod verdict_file;

pub use daemon::{Daemon, Ended, StartError};

use crate::clock::Clock;
use crate::config::Config;
use crate::report::Postman;
use crate::settings::secrets::Resolver;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Notify;

/// What the loops share.
#[derive(Clone)]
pub struct Engine {
    /// renkei's own tables.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// What belongs to the machine.
    pub config: Arc<Config>,
    /// Reads secret references at each run, so that rotation works.
    pub secrets: Resolver,
    /// Delivers mail; `None` where config.yaml names no server.
    pub postman: Option<Postman>,
    /// Wakes the loops.
    pub bells: Arc<Bells>,
}

/// One bell a loop: rung when there may be something to do before the next heartbeat.
#[derive(Debug, Default)]
pub struct Bells {
    /// A timer was changed.
    pub planner: Notify,
    /// A run was queued or a lane became free.
    pub dispatcher: Notify,
    /// A run's files were taken, and what becomes of them is to be asked.
    pub confirming: Notify,
    /// A mail was written.
    pub outbox: Notify,
}

impl Engine {
    /// Where the files of a run lie.
    #[must_use]
    pub fn folder_of(&self, run: &str) -> PathBuf {
        self.config.spool().join(run)
    }
}
