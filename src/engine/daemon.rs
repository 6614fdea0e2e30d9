//! The loops together: recovery first, then planner, dispatcher, outbox and alarm, until told to stop. A stop plans
//! and starts nothing more, lets the request in flight end within the deadline, and leaves the rest queued.

use super::{Engine, alarm, confirming, dispatcher, planner, recovery};
use crate::report::outbox::deliver_due;
use crate::store::StoreError;
use std::time::Duration;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// Running loops.
pub struct Daemon {
    engine: Engine,
    stopping: CancellationToken,
    tracker: TaskTracker,
    alarm: JobScheduler,
}

/// Why the loops did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Recovery could not read or write the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The alarm clock did not start.
    #[error("the alarm clock did not start: {0}")]
    Alarm(#[from] JobSchedulerError),
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything in flight ended in time.
    Drained,
    /// The deadline passed; recovery sorts out what was in flight.
    Cut,
}

impl Daemon {
    /// Recovers, then starts the loops.
    pub async fn start(engine: Engine) -> Result<Self, StartError> {
        recovery::recover(&engine).await?;
        let (stopping, tracker) = (CancellationToken::new(), TaskTracker::new());
        tracker.spawn(planner::run(engine.clone(), stopping.clone()));
        tracker.spawn(dispatcher::run(engine.clone(), stopping.clone(), tracker.clone()));
        tracker.spawn(confirming::run(engine.clone(), stopping.clone(), tracker.clone()));
        tracker.spawn(carry_mail(engine.clone(), stopping.clone()));
        let alarm = alarm::start(&engine).await?;
        engine.bells.dispatcher.notify_one();
        engine.bells.outbox.notify_one();
        info!(database = %engine.config.database.display(), zone = %engine.config.timezone, "renkei is ready");
        Ok(Self { engine, stopping, tracker, alarm })
    }

    /// What the loops share, to ring their bells.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops: waits up to `deadline` for what is in flight, and up to a few seconds for mails that are due.
    pub async fn stop(mut self, deadline: Duration) -> Ended {
        info!("stopping: nothing new is started");
        if let Err(error) = self.alarm.shutdown().await {
            warn!(%error, "the alarm clock did not stop cleanly");
        }
        self.stopping.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {
                info!("stopped");
                Ended::Drained
            }
            () = self.engine.clock.sleep(deadline) => {
                warn!(seconds = deadline.as_secs(), "the deadline passed with a request in flight; the next start sorts it out");
                Ended::Cut
            }
        }
    }
}

/// Carries mail whenever the bell rings. The mails of the last runs are carried before a stop.
async fn carry_mail(engine: Engine, stopping: CancellationToken) {
    let Some(postman) = engine.postman.clone() else { return };
    loop {
        let last = tokio::select! {
            () = engine.bells.outbox.notified() => false,
            () = stopping.cancelled() => true,
        };
        if let Err(error) = deliver_due(&engine.store, &postman, &engine.clock).await {
            error!(%error, "the outbox could not be read; trying again at the next heartbeat");
        }
        if last {
            return;
        }
    }
}
