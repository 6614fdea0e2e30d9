//! The alarm clock: tokio-cron-scheduler rings a heartbeat once a second and the cron-like chores. It polls, knows no
//! overlap and may lose a ring, so nothing depends on a single one: the database is the truth, and a late heartbeat
//! only means a late look.

use super::Engine;
use super::reconciling::Told;
use super::steadily::Steps;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::warn;

/// Which version of the settings the loops have seen, and whether somebody is looking.
#[derive(Debug, Default)]
pub(super) struct Seen {
    version: AtomicI64,
    looking: tokio::sync::Mutex<()>,
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
    let accountant = engine.clone();
    let (told, busy) = (std::sync::Arc::new(Told::default()), std::sync::Arc::new(tokio::sync::Mutex::new(())));
    scheduler
        .add(Job::new_async("15 * * * * *", move |_, _| {
            let (engine, told, busy) = (accountant.clone(), told.clone(), busy.clone());
            Box::pin(async move {
                // A ring that comes while the last one is still at work is not needed.
                if let Ok(_alone) = busy.try_lock() {
                    hold_accounts(&engine, &told).await;
                    write_back(&engine).await;
                }
            })
        })?)
        .await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Holds the ledger against the schedules, and tells the day's page when it is time.
async fn hold_accounts(engine: &Engine, told: &Told) {
    if let Err(error) = super::reconciling::step(engine, told).await {
        warn!(%error, "the ledger could not be held against the schedules; trying again in a minute");
    }
    if let Err(error) = super::morning::step(engine).await {
        warn!(%error, "the day's page could not be told; trying again in a minute");
    }
}

async fn write_back(engine: &Engine) {
    if let Err(error) = engine.store.write_back().await {
        warn!(%error, "the database's journal could not be written back; trying again in a minute");
    }
}

/// Looks whether another process (the command line) changed settings or queued a run, and whether a refused token is
/// another one now, and wakes the loops.
async fn heartbeat(engine: &Engine, seen: &Seen) {
    engine.board.rang(engine.clock.elapsed());
    engine.bells.dispatcher.notify_one();
    engine.news_is_out();
    // The rings do not wait for each other; a database that is slow to answer is asked once.
    let Ok(_alone) = seen.looking.try_lock() else { return };
    let version = Steps::of(engine, "settings").take(engine.store.settings_version()).await;
    if version.is_ok_and(|version| seen.version.swap(version, Ordering::Relaxed) != version) {
        engine.bells.planner.notify_one();
    }
    // After trouble the next heartbeat comes soon enough.
    let _ = Steps::of(engine, "pauses").take(super::pausing::review(engine)).await;
}
