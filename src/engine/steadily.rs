//! Going on while the database does not: what a run has to write is tried until it is written or the daemon stops, the
//! lane held meanwhile; a loop that fails rests a little longer each time and tries again; a loop that panics is begun
//! anew. Nothing here gives up by itself, and nothing hides it: the board says that renkei is not ready.

use super::Engine;
use super::readiness::Board;
use crate::store::{StoreError, StoreResult};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, error};

/// The first pause after the database has failed, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE)
}

/// Insists on what a run asks of the database.
#[derive(Clone)]
pub(super) struct Steady {
    engine: Engine,
    part: String,
    stopping: CancellationToken,
}

impl Steady {
    /// For a run, by its 実行番号.
    pub(super) fn of(engine: &Engine, run: &str, stopping: &CancellationToken) -> Self {
        Self { engine: engine.clone(), part: format!("run {run}"), stopping: stopping.clone() }
    }

    /// Does it until the database has taken it. After the daemon was told to stop one more try is made.
    ///
    /// # Errors
    /// What would fail for ever; or, once the daemon stops, what the database said last.
    pub(super) async fn insist<T, F>(&self, what: impl Fn() -> F) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>>,
    {
        let board: &Board = &self.engine.board;
        let mut failures = 0;
        loop {
            let last = self.stopping.is_cancelled();
            let error = match what().await {
                Err(error) if error.is_passing() && !last => error,
                done => {
                    if failures > 0 {
                        board.well(&self.part, self.engine.clock.now());
                    }
                    return done;
                }
            };
            board.trouble(&self.part, &error.to_string(), self.engine.clock.now());
            tokio::select! {
                () = self.engine.clock.sleep(pause(failures)) => {}
                () = self.stopping.cancelled() => {}
            }
            failures += 1;
        }
    }
}

/// How a loop's steps go.
pub(super) struct Steps {
    engine: Engine,
    part: &'static str,
    is_watched: bool,
    failures: u32,
}

impl Steps {
    /// Of the loop that is called so.
    pub(super) fn of(engine: &Engine, part: &'static str) -> Self {
        Self { engine: engine.clone(), part, is_watched: true, failures: 0 }
    }

    /// The same where a step waits for other people's servers, so that its length says nothing.
    pub(super) fn over_network(engine: &Engine, part: &'static str) -> Self {
        Self { is_watched: false, ..Self::of(engine, part) }
    }

    /// Takes a step. What failed is written on the board; the pause says when to try again.
    pub(super) async fn take<T>(&mut self, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, Duration> {
        let (board, clock) = (&self.engine.board, &self.engine.clock);
        if self.is_watched {
            board.begins(self.part, clock.elapsed());
        }
        let done = step.await;
        board.rests(self.part);
        match done {
            Ok(done) => {
                self.failures = 0;
                board.well(self.part, clock.now());
                Ok(done)
            }
            Err(error) => {
                board.trouble(self.part, &error.to_string(), clock.now());
                debug!(part = self.part, %error, "trying again");
                let pause = pause(self.failures);
                self.failures += 1;
                Err(pause)
            }
        }
    }
}

/// Runs a loop until it ends by itself; one that panics is begun anew, since a loop that is silently dead is what
/// nobody notices.
pub(super) async fn keep_going<F>(engine: Engine, part: &'static str, begin: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut failures = 0;
    while let Err(panic) = AbortOnDropHandle::new(tokio::spawn(begin())).await {
        error!(part, %panic, "a loop panicked and is begun anew: this is a defect of renkei, please report it");
        engine.board.rests(part);
        engine.board.trouble(part, "it panicked and is begun anew", engine.clock.now());
        engine.clock.sleep(pause(failures)).await;
        failures += 1;
    }
}
