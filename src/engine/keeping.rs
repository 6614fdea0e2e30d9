//! What is kept and for how long: files of runs that ended long ago, and generations of records that nobody reads any
//! more. Files of a run that is open, of unknown fate, or named by an open retry are never touched.

use super::Engine;
use crate::store::StoreError;
use chrono::TimeDelta;
use std::io::ErrorKind;
use tracing::{info, warn};

/// How many runs one step clears away.
const AT_ONCE: u32 = 200;
/// A generation that is older than this and is nobody's records belongs to an import that died.
const STALE: TimeDelta = TimeDelta::days(1);

/// Clears away what is past its time; trouble is logged, and the next step tries again.
pub async fn step(engine: &Engine) {
    if let Err(error) = clear(engine).await {
        warn!(%error, "old files could not be cleared away; trying again in an hour");
    }
}

async fn clear(engine: &Engine) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let kept = TimeDelta::from_std(engine.config.keep_files).unwrap_or(TimeDelta::MAX);
    let Some(before) = now.checked_sub_signed(kept) else { return Ok(()) };
    for run in engine.store.runs_with_old_files(before, AT_ONCE).await? {
        let folder = engine.folder_of(&run.id);
        match tokio::fs::remove_dir_all(&folder).await {
            Ok(()) => info!(run = %run.id, "files past their time were removed"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                warn!(run = %run.id, %error, "files past their time could not be removed");
                continue;
            }
        }
        engine.store.files_removed(run.seq, now).await?;
    }
    engine.store.drop_old_notices(before).await?;
    for generation in engine.store.stale_generations(now - STALE).await? {
        engine.store.drop_generation(generation).await?;
    }
    Ok(())
}
