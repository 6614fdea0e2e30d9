//! The next run into its lane: claims what the order names and hands it to the executor, as often as a lane is free.

use super::steadily::Steps;
use super::{Engine, executor};
use crate::domain::order::next;
use crate::domain::run::RunState;
use crate::store::StoreError;
use crate::store::runs::Run;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Claims the next run, if a lane is free for one.
///
/// # Errors
/// The database could not be asked; nothing was claimed.
pub async fn claim(engine: &Engine) -> Result<Option<Run>, StoreError> {
    engine.store.wake_waiting(engine.clock.now()).await?;
    loop {
        let candidates = engine.store.candidates().await?;
        let busy = engine.store.busy_lanes().await?;
        let Some(chosen) = next(&candidates, &busy, engine.config.lanes) else { return Ok(None) };
        let lane = engine.config.lanes.lane_of(&chosen.account);
        if let Some(run) = engine.store.claim(chosen.seq, &lane, engine.clock.now()).await? {
            return Ok(Some(run));
        }
        // Somebody else was quicker (a cancel, say): look again.
    }
}

/// Claims and carries one run to its end; `false` when there was none.
///
/// # Errors
/// The database could not be asked.
pub async fn step(engine: &Engine, stopping: &CancellationToken) -> Result<bool, StoreError> {
    let Some(run) = claim(engine).await? else { return Ok(false) };
    executor::execute(engine, run, stopping).await;
    Ok(true)
}

/// Starts runs as long as lanes are free, until told to stop; runs that were started go on under `tracker`.
pub(super) async fn run(engine: Engine, stopping: CancellationToken, tracker: TaskTracker) {
    let mut steps = Steps::of(&engine, "dispatcher");
    loop {
        tokio::select! {
            () = engine.bells.dispatcher.notified() => {}
            () = stopping.cancelled() => return,
        }
        // After trouble the next heartbeat comes soon enough.
        while let Ok(Some(run)) = steps.take(claim(&engine)).await {
            let (engine, stopping) = (engine.clone(), stopping.clone());
            tracker.spawn(async move { executor::execute(&engine, run, &stopping).await });
        }
    }
}

/// Carries one run to where it ends or is held, without a daemon: under the database lock, through its waits.
///
/// # Errors
/// The database could not be asked, or a run left behind occupies the lane.
pub async fn carry_alone(engine: &Engine, id: &str, stopping: &CancellationToken) -> Result<Run, StoreError> {
    loop {
        let run = engine.store.run(id).await?;
        match (run.state, run.resume_at) {
            (RunState::Queued, _) if stopping.is_cancelled() => return Ok(run),
            (RunState::Queued, _) => {
                let lane = engine.config.lanes.lane_of(&run.account);
                let claimed = engine.store.claim(run.seq, &lane, engine.clock.now()).await?;
                let busy = || StoreError::Conflict(format!("the lane of run {id} is busy"));
                executor::execute(engine, claimed.ok_or_else(busy)?, stopping).await;
            }
            (RunState::Waiting, Some(until)) => {
                tokio::select! {
                    () = engine.clock.sleep_until(until) => {}
                    () = stopping.cancelled() => return Ok(run),
                }
                engine.store.wake_waiting(engine.clock.now()).await?;
            }
            _ => return Ok(run),
        }
    }
}
