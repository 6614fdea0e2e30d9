//! The alarm clock: tokio-cron-scheduler rings a heartbeat once a second and the cron-like chores. It polls, knows no
//! overlap and may lose a ring, so nothing depends on a single one: the database is the truth, and a late heartbeat
//! only means a late look.

use super::Engine;
use super::steadily::Steps;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Which version of the settings the loops have seen, and whether somebody is looking.
#[derive(Debug, Default)]
pub(super) struct Seen {
    version: AtomicI64,
    looking: AtomicBool,
}

/// Starts ringing; the scheduler stops when it is shut down.
pub(super) async fn start(engine: &Engine) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let seen = std::sync::Arc::new(Seen::default());
    let heart = engine.clone();
    scheduler
        .add(Job::new_async("* * * * * *", move |_, _| {
            let (engine, seen) = (heart.clone(), seen.clone());
            Box::pin(async move { heartbeat(&engine, &seen).await })
        })?)
        .await?;
    let keeper = engine.clone();
    scheduler
        .add(Job::new_async("30 17 * * * *", move |_, _| {
            let engine = keeper.clone();
            Box::pin(async move { super::keeping::step(&engine).await })
        })?)
        .await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Looks whether another process (the command line) changed settings or queued a run, and whether a refused token is
/// another one now, and wakes the loops.
async fn heartbeat(engine: &Engine, seen: &Seen) {
    engine.board.rang(engine.clock.elapsed());
    engine.bells.dispatcher.notify_one();
    engine.news_is_out();
    // The rings do not wait for each other; a database that is slow to answer is asked once.
    if seen.looking.swap(true, Ordering::AcqRel) {
        return;
    }
    let version = Steps::of(engine, "settings").take(engine.store.settings_version()).await;
    if version.is_ok_and(|version| seen.version.swap(version, Ordering::Relaxed) != version) {
        engine.bells.planner.notify_one();
    }
    // After trouble the next heartbeat comes soon enough.
    let _ = Steps::of(engine, "pauses").take(super::pausing::review(engine)).await;
    seen.looking.store(false, Ordering::Release);
}
