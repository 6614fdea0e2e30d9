//! One run, from its claim to its end; reads as a table of contents. Each step has a file of its own and returns what
//! the next one needs, or a [`Stop`] that says how the run leaves its lane.

use super::job;
use super::steadily::Steady;
use super::{Engine, ending, exporting, pushing, reporting};
use crate::domain::failure::{Code, Failure};
use crate::domain::gate::Obstacle;
use crate::domain::run::RunState;
use crate::domain::trouble::Telling;
use crate::store::StoreError;
use crate::store::confirmations::NewConfirmation;
use crate::store::runs::Run;
use chrono::{DateTime, SecondsFormat, Utc};
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
    /// Its files were taken: what becomes of them is asked without a lane. `failure` is why some were not taken.
    Confirm { batches: Vec<NewConfirmation>, failure: Option<Failure> },
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
    /// Over; nothing was taken, unless an earlier batch was.
    pub(super) fn failed(failure: Failure) -> Self {
        Self::Ended { state: RunState::Failed, failure: Some(failure) }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Carries one claimed run. A panic in it ends this run, not the daemon; a database that fails makes it wait.
pub(super) async fn execute(engine: &Engine, run: Run, stopping: &CancellationToken) {
    info!(run = %run.id, menu = %run.menu, integration = %run.integration, priority = run.priority, "run started");
    let steady = Steady::of(engine, &run.id, stopping);
    let steps = {
        let (engine, run, steady, stopping) = (engine.clone(), run.clone(), steady.clone(), stopping.clone());
        async move { carry(&engine, run, steady, &stopping).await }
    };
    let stop = fenced(engine, &run, &steady, steps).await;
    leave(engine, &run, stop, &steady).await;
}

/// Takes the steps of a run; whatever a defect of ours does in them, the run ends.
async fn fenced(
    engine: &Engine,
    run: &Run,
    steady: &Steady,
    steps: impl Future<Output = Stop> + Send + 'static,
) -> Stop {
    // A task of its own, so that a panic stays in it; it ends with whoever waits for it.
    match AbortOnDropHandle::new(tokio::spawn(steps)).await {
        // What the database refuses is no trouble of its own: waiting would not help.
        Ok(Stop::Store(error)) if !error.is_passing() => {
            error!(run = %run.id, %error, "the database refused what the run had to write");
            let failure = internal(format!("the database refused a step ({error})"));
            pushing::after_failure(engine, run, steady, failure).await
        }
        Ok(Stop::Ended { state: RunState::Failed, failure: Some(failure) }) => {
            pushing::after_failure(engine, run, steady, failure).await
        }
        Ok(stop) => stop,
        Err(panic) => {
            error!(run = %run.id, %panic, "a step of the run panicked");
            pushing::after_failure(engine, run, steady, internal("a step of the run panicked")).await
        }
    }
}

/// The steps.
async fn carry(engine: &Engine, run: Run, steady: Steady, stopping: &CancellationToken) -> Stop {
    let steps = async {
        let job = job::prepare(engine, run, steady).await?;
        let stored = exporting::stored(engine, &job).await?;
        pushing::push(engine, &job, stored, stopping).await
    };
    match steps.await {
        Ok(stop) | Err(stop) => stop,
    }
}

/// Writes how the run left its lane, and what is told of it in the same transaction. The lane is held until the
/// database has taken it.
async fn leave(engine: &Engine, run: &Run, stop: Stop, steady: &Steady) {
    announce(engine, run, &stop);
    let mut written = steady.insist(|| write(engine, run, &stop)).await;
    if written.is_ok() && matches!(stop, Stop::Ended { .. }) {
        written = steady.insist(|| ending::overtake(engine, run)).await;
    }
    if let Err(error) = written {
        // The run stays `running`; recovery at the next start sorts it out from spool and database.
        error!(run = %run.id, %error, "the database did not take the run's state; the next start sorts it out");
    }
    engine.bells.dispatcher.notify_one();
    engine.bells.confirming.notify_one();
    engine.news_is_out();
}

async fn write(engine: &Engine, run: &Run, stop: &Stop) -> Result<(), StoreError> {
    let now = engine.clock.now();
    match stop {
        Stop::Ended { state, failure } => {
            ending::conclude(engine, run, RunState::Running, *state, failure.clone()).await
        }
        Stop::Wait { until, failure } => {
            engine.store.wait(run.seq, until.with_timezone(&engine.config.timezone), failure, now).await
        }
        Stop::Confirm { batches, failure } => engine.store.confirm(run.seq, batches, failure.as_ref(), now).await,
        Stop::Held(failure) => {
            let news = reporting::news(engine, run, RunState::Held, Some(failure), Telling::AsUsual).await?;
            engine.store.hold(run.seq, failure, &news, now).await
        }
        Stop::Interrupted => engine.store.requeue(run.seq, "the daemon stopped", now).await,
        Stop::PutBack(obstacle) => engine.store.requeue(run.seq, &obstacle.to_string(), now).await,
        // Given up because the daemon stops: the verdicts that the database lacks stand in the spool.
        Stop::Store(_) => Ok(()),
    }
}

/// Says once in the log how the run leaves its lane; an end is said where it is written.
fn announce(engine: &Engine, run: &Run, stop: &Stop) {
    match stop {
        Stop::Ended { .. } | Stop::Interrupted => {}
        Stop::Wait { until, failure } => {
            let until = until.with_timezone(&engine.config.timezone).to_rfc3339_opts(SecondsFormat::Secs, false);
            warn!(run = %run.id, code = %failure.code, %until, "run waits: {}", failure.message);
        }
        Stop::Confirm { batches, .. } => {
            info!(run = %run.id, batches = batches.len(), "run's files were taken: asking what becomes of them");
        }
        Stop::Held(failure) => {
            warn!(run = %run.id, code = %failure.code, rows = failure.rows_total, "run held: a person decides");
        }
        Stop::PutBack(obstacle) => info!(run = %run.id, "run goes back into the queue: {obstacle}"),
        Stop::Store(error) => {
            error!(run = %run.id, %error, "the database did not take a step of the run; the next start sorts it out");
        }
    }
}

/// The failure of a defect of our own.
pub(super) fn internal(what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Internal, format!("{what}: this is a defect of renkei, please report it with the log around it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::config::raw::Raw;
    use crate::domain::integration::Account;
    use crate::domain::run::Trigger;
    use crate::engine::{Bells, Board, dispatcher};
    use crate::notify::Herald;
    use crate::settings::secrets::Resolver;
    use crate::store::Store;
    use crate::store::runs::NewRun;
    use std::path::Path;
    use std::sync::Arc;

    async fn engine(folder: &Path) -> Engine {
        let config = Config::check(Raw { data_dir: folder.to_owned(), ..Raw::default() }, None).unwrap();
        let (clock, secrets) = (Clock::system(), Resolver::new(config.key_file()));
        Engine {
            store: Store::open(&config.database).await.unwrap(),
            board: Arc::new(Board::new(clock.now())),
            clock,
            herald: Herald::new(config.notify.clone(), secrets.clone()),
            config: Arc::new(config),
            secrets,
            postman: None,
            bells: Arc::new(Bells::default()),
        }
    }

    async fn queued(engine: &Engine) -> Run {
        let new = NewRun {
            menu: ("list".into(), "list".into()),
            integration: ("push".into(), "push".into()),
            timer: None,
            account: Account::from_stored("example/acme".into()),
            settings_version: 0,
            trigger: Trigger::Hand,
            actor: "sato".into(),
            memo: None,
            priority: 50,
            scheduled_at: None,
            start_by: None,
            wanted_keys: None,
            retry_of: None,
            forced: false,
            only_failed: false,
            behind: None,
        };
        let now = engine.clock.now();
        engine.store.enqueue(&new, now.date_naive(), now).await.unwrap()
    }

    async fn ends(engine: &Engine, steps: impl Future<Output = Stop> + Send + 'static) -> Run {
        let id = queued(engine).await.id;
        let run = dispatcher::claim(engine).await.unwrap().unwrap();
        let steady = Steady::of(engine, &id, &CancellationToken::new());
        let stop = fenced(engine, &run, &steady, steps).await;
        leave(engine, &run, stop, &steady).await;
        engine.store.run(&id).await.unwrap()
    }

    #[tokio::test]
    async fn a_panic_ends_its_run_as_failed_and_frees_the_lane_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path()).await;
        let run = ends(&engine, async { panic!("a defect") }).await;
        let failure = run.failure.unwrap();
        assert_eq!((run.state, failure.code), (RunState::Failed, Code::Internal));
        assert!(failure.message.contains("panicked"), "{failure}");
        let next = ends(&engine, async { Stop::Ended { state: RunState::Accepted, failure: None } }).await;
        assert_eq!(next.state, RunState::Accepted);
    }

    #[tokio::test]
    async fn what_the_database_refuses_for_good_ends_the_run_instead_of_holding_its_lane() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path()).await;
        let refused = StoreError::Conflict("batch 1 may not be sent now".to_owned());
        let run = ends(&engine, async { Stop::Store(refused) }).await;
        assert_eq!((run.state, run.failure.unwrap().code), (RunState::Failed, Code::Internal));
        assert!(engine.store.busy_lanes().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_loop_that_panics_is_begun_anew_and_says_so() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path()).await;
        let begun = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&begun);
        crate::engine::steadily::keep_going(engine.clone(), "planner", move || {
            let count = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(count > 0, "the first one panics") }
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 2);
        assert!(engine.readiness().to_string().contains("planner: it panicked"), "{}", engine.readiness());
    }
}
