//! The next run into its lane: claims what the order names and hands it to the executor, as often as a lane is free.

use super::steadily::Steps;
use super::{Engine, confirming, ending, executor};
use crate::domain::failure::{Code, Failure};
use crate::domain::gate::{Cause, Gate, gate};
use crate::domain::order::{Candidate, next};
use crate::domain::run::RunState;
use crate::store::StoreError;
use crate::store::runs::Run;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Claims the next run, if a lane is free for one. Runs that have lost their sense (a leader that did not end well, a
/// `start_by` that is over) are skipped on the way.
///
/// # Errors
/// The database could not be asked; nothing was claimed.
pub async fn claim(engine: &Engine) -> Result<Option<Run>, StoreError> {
    engine.store.wake_waiting(engine.clock.now()).await?;
    loop {
        let now = engine.clock.now();
        let candidates = engine.store.candidates(now).await?;
        if skip_lost(engine, &candidates, now).await? {
            // A skipped run may be the leader of others.
            continue;
        }
        let busy = engine.store.busy_lanes().await?;
        let Some(chosen) = next(&candidates, &busy, engine.config.lanes, now) else { return Ok(None) };
        let lane = engine.config.lanes.lane_of(&chosen.account);
        if let Some(run) = engine.store.claim(chosen.seq, &lane, now).await? {
            return Ok(Some(run));
        }
        // Somebody else was quicker (a cancel, say): look again.
    }
}

/// Skips what the gate will never open for, and says whether there was any.
async fn skip_lost(engine: &Engine, candidates: &[Candidate], now: DateTime<Utc>) -> Result<bool, StoreError> {
    let mut any = false;
    for candidate in candidates {
        let Gate::Skip(cause) = gate(&candidate.conditions, now) else { continue };
        let run = engine.store.run_by_seq(candidate.seq).await?;
        let failure = match cause {
            Cause::TooLate(start_by) => {
                let start_by = start_by.with_timezone(&engine.config.timezone).format("%m-%d %H:%M");
                Failure::new(Code::TooLate, format!("it had not started by {start_by}"))
            }
            Cause::Leader(leader) => {
                let message = format!("run {} of the timer {} is {}", leader.run, leader.timer, leader.state);
                Failure::new(Code::Leader, message)
            }
        };
        match ending::end(engine, &run, RunState::Queued, RunState::Skipped, Some(failure)).await {
            // Cancelled meanwhile.
            Ok(()) | Err(StoreError::Conflict(_)) => any = true,
            Err(error) => return Err(error),
        }
    }
    Ok(any)
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

async fn is_open(engine: &Engine, run: &Run) -> Result<bool, StoreError> {
    let now = engine.clock.now();
    let candidates = engine.store.candidates(now).await?;
    Ok(candidates.iter().any(|one| one.seq == run.seq && gate(&one.conditions, now) == Gate::Open))
}

/// Carries one run to where it ends, is held or may not start now, without a daemon: under the database lock, through
/// its waits.
///
/// # Errors
/// The database could not be asked, or a run left behind occupies the lane.
pub async fn carry_alone(engine: &Engine, id: &str, stopping: &CancellationToken) -> Result<Run, StoreError> {
    loop {
        let run = engine.store.run(id).await?;
        match (run.state, run.resume_at) {
            (RunState::Queued, _) if stopping.is_cancelled() => return Ok(run),
            (RunState::Queued, _) if !is_open(engine, &run).await? => return Ok(run),
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
            (RunState::Confirming, _) if !stopping.is_cancelled() => confirming::carry(engine, &run, stopping).await?,
            _ => return Ok(run),
        }
    }
}
