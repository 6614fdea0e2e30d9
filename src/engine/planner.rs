//! Slots into runs: sleeps to the exact next slot, plans what is due, and is woken when a timer changes.

use super::Engine;
use super::steadily::Steps;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Plans what is due now and says when the next slot comes.
///
/// # Errors
/// The database did not take the plan; nothing was planned then, and nothing is lost.
pub async fn step(engine: &Engine) -> Result<Option<DateTime<Utc>>, StoreError> {
    let planned = engine.store.plan_due(engine.config.timezone, engine.clock.now()).await?;
    if planned > 0 {
        debug!(runs = planned, "slots planned");
        engine.bells.dispatcher.notify_one();
    }
    engine.store.next_due().await
}

/// Steps until told to stop.
pub(super) async fn run(engine: Engine, stopping: CancellationToken) {
    let mut steps = Steps::of(&engine, "planner");
    loop {
        let next = steps.take(step(&engine)).await.unwrap_or_else(|pause| Some(engine.clock.now() + pause));
        let slot = async {
            match next {
                Some(next) => engine.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = slot => {}
            () = engine.bells.planner.notified() => {}
            () = stopping.cancelled() => return,
        }
    }
}
