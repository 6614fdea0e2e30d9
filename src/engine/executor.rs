//! One run, from its claim to its end; reads as a table of contents. Each step has a file of its own and returns what
//! the next one needs, or a [`Stop`] that says how the run leaves its lane.

use super::job;
use super::{Engine, ending, exporting, pushing, reporting};
use crate::domain::failure::{Code, Failure};
use crate::domain::gate::Obstacle;
use crate::domain::run::RunState;
use crate::domain::trouble::Telling;
use crate::store::StoreError;
use crate::store::runs::Run;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

/// How a run leaves its lane.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is over.
    Ended { state: RunState, failure: Option<Failure> },
    /// It tries again later.
    Wait { until: DateTime<Utc>, failure: Failure },
    /// A check tripped: a person decides.
    Held(Failure),
    /// The daemon is stopping: the run goes on after the next start.
    Interrupted,
    /// A pause or a planned stop has begun: the run goes on after it.
    PutBack(Obstacle),
    /// The database did not take what had to be written: nothing more may be sent; recovery decides.
    Store(StoreError),
}

impl Stop {
    /// Over, and nothing was taken.
    pub(super) fn failed(failure: Failure) -> Self {
        Self::Ended { state: RunState::Failed, failure: Some(failure) }
    }

    /// What went wrong, if anything did.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Ended { failure, .. } => failure.as_ref(),
            Self::Wait { failure, .. } | Self::Held(failure) => Some(failure),
            Self::Interrupted | Self::PutBack(_) | Self::Store(_) => None,
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Carries one claimed run. A panic in it ends this run, not the daemon.
pub(super) async fn execute(engine: &Engine, run: Run, stopping: &CancellationToken) {
    info!(run = %run.id, menu = %run.menu, integration = %run.integration, priority = run.priority, "run started");
    // A task of its own, so that a panic stays in it; it ends with whoever waits for it.
    let task = AbortOnDropHandle::new(tokio::spawn({
        let (engine, run, stopping) = (engine.clone(), run.clone(), stopping.clone());
        async move { carry(&engine, run, &stopping).await }
    }));
    let stop = match task.await {
        Ok(stop) => stop,
        Err(panic) => {
            error!(run = %run.id, %panic, "a step of the run panicked");
            pushing::after_panic(engine, &run).await
        }
    };
    leave(engine, &run, stop).await;
}

/// The steps.
async fn carry(engine: &Engine, run: Run, stopping: &CancellationToken) -> Stop {
    let steps = async {
        let job = job::prepare(engine, run).await?;
        let stored = exporting::stored(engine, &job).await?;
        pushing::push(engine, &job, stored, stopping).await
    };
    match steps.await {
        Ok(stop) | Err(stop) => stop,
    }
}

/// Writes how the run left its lane; the mail goes into the outbox in the same transaction.
async fn leave(engine: &Engine, run: &Run, stop: Stop) {
    let written = match stop {
        Stop::Ended { state, failure } => ending::end(engine, run, RunState::Running, state, failure).await,
        Stop::Wait { until, failure } => {
            warn!(run = %run.id, code = %failure.code, %until, "run waits: {}", failure.message);
            engine.store.wait(run.seq, until, &failure, engine.clock.now()).await
        }
        Stop::Held(failure) => {
            warn!(run = %run.id, code = %failure.code, rows = failure.rows_total, "run held: a person decides");
            let mail = reporting::mail(engine, run, RunState::Held, Some(&failure), Telling::AsUsual).await;
            engine.store.hold(run.seq, &failure, mail.as_ref(), engine.clock.now()).await
        }
        Stop::Interrupted => engine.store.requeue(run.seq, "the daemon stopped", engine.clock.now()).await,
        Stop::PutBack(obstacle) => {
            info!(run = %run.id, "run goes back into the queue: {obstacle}");
            engine.store.requeue(run.seq, &obstacle.to_string(), engine.clock.now()).await
        }
        Stop::Store(error) => Err(error),
    };
    if let Err(error) = written {
        // The run stays `running`; recovery at the next start sorts it out from spool and database.
        error!(run = %run.id, %error, "the database did not take the run's state");
    }
    engine.bells.dispatcher.notify_one();
    engine.bells.outbox.notify_one();
}

/// The failure of a defect of our own.
pub(super) fn internal(what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Internal, format!("{what}: this is a defect of renkei, please report it with the log around it"))
}
