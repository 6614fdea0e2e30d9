//! The loops together: recovery first, then planner, dispatcher, confirmation, outbox, notices and alarm, until told to stop. A stop plans
//! and starts nothing more, lets the request in flight end within the deadline, and leaves the rest queued.

use super::steadily::{Steps, keep_going};
use super::{Engine, alarm, confirming, dispatcher, planner, recovery, sign_of_life};
use crate::notify;
use crate::report::outbox::deliver_due;
use crate::store::StoreError;
use std::pin::Pin;
use std::time::Duration;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Running loops.
pub struct Daemon {
    engine: Engine,
    stopping: CancellationToken,
    tracker: TaskTracker,
    alarm: JobScheduler,
}

type Loop = Pin<Box<dyn Future<Output = ()> + Send>>;

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
        let (own, token, runs) = (engine.clone(), stopping.clone(), tracker.clone());
        let going = |part, begin: fn(Engine, CancellationToken, TaskTracker) -> Loop| {
            let (own, token, runs) = (own.clone(), token.clone(), runs.clone());
            tracker.spawn(keep_going(own.clone(), part, move || begin(own.clone(), token.clone(), runs.clone())));
        };
        going("planner", |engine, stopping, _| Box::pin(planner::run(engine, stopping)));
        going("dispatcher", |engine, stopping, runs| Box::pin(dispatcher::run(engine, stopping, runs)));
        going("confirming", |engine, stopping, runs| Box::pin(confirming::run(engine, stopping, runs)));
        going("mail", |engine, stopping, _| Box::pin(carry_mail(engine, stopping)));
        going("notices", |engine, stopping, _| Box::pin(carry_notices(engine, stopping)));
        let alarm = alarm::start(&engine).await?;
        engine.bells.dispatcher.notify_one();
        engine.news_is_out();
        engine.board.started(engine.clock.now());
        going("sign of life", |engine, stopping, _| Box::pin(sign_of_life::run(engine, stopping)));
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
        self.engine.board.stopping(self.engine.clock.now());
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
    let mut steps = Steps::over_network(&engine, "mail");
    loop {
        let last = tokio::select! {
            () = engine.bells.outbox.notified() => false,
            () = stopping.cancelled() => true,
        };
        // After trouble the next heartbeat comes soon enough.
        let _ = steps.take(deliver_due(&engine.store, &postman, &engine.clock)).await;
        if last {
            return;
        }
    }
}

/// Tells webhooks and switches whenever the bell rings; those of the last runs once more before a stop.
async fn carry_notices(engine: Engine, stopping: CancellationToken) {
    let mut steps = Steps::over_network(&engine, "notices");
    loop {
        let last = tokio::select! {
            () = engine.bells.notices.notified() => false,
            () = stopping.cancelled() => true,
        };
        let _ = steps.take(notify::deliver_due(&engine.store, &engine.herald, &engine.clock)).await;
        if last {
            return;
        }
    }
}
