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
pub mod readiness;
pub mod reconciling;
pub mod recovery;
mod reporting;
mod sign_of_life;
mod steadily;
mod verdict_file;

pub use daemon::{Daemon, Ended, StartError};
pub use readiness::{Board, Readiness, Reason};

use crate::clock::Clock;
use crate::config::Config;
use crate::notify::Herald;
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
    /// Tells webhooks and dead-man's switches.
    pub herald: Herald,
    /// Wakes the loops.
    pub bells: Arc<Bells>,
    /// Where the loops write down how they are.
    pub board: Arc<Board>,
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
    /// A notice was written.
    pub notices: Notify,
}

impl Engine {
    /// Where the files of a run lie.
    #[must_use]
    pub fn folder_of(&self, run: &str) -> PathBuf {
        self.config.spool().join(run)
    }

    /// Whether the daemon can do its work now, and if not, why.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.board.now()
    }

    /// The loop that does not move any more, if there is one: only a restart helps then.
    #[must_use]
    pub fn hangs(&self) -> Option<&'static str> {
        self.board.hangs(self.clock.elapsed())
    }

    /// Wakes whoever carries news to people.
    fn news_is_out(&self) {
        self.bells.outbox.notify_one();
        self.bells.notices.notify_one();
    }
}
