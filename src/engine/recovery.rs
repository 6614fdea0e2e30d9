//! What a crash left behind, put right before anything new is started. The database lock is held, so every run that
//! still says `running` belongs to a process that is gone. A verdict that stands in the spool is believed; an intent
//! without one is of unknown fate, and its bytes are sent again only where that is harmless.

use super::{Engine, ending, pushing, verdict_file};
use crate::domain::failure::{Code, Failure};
use crate::domain::run::RunState;
use crate::domain::verdict::Verdict;
use crate::store::StoreError;
use crate::store::batches::{Attempt, Batch, Conclusion};
use crate::store::runs::Run;
use tracing::{info, warn};

/// Puts every run right that a dead process left open, and gives its request slots back.
///
/// # Errors
/// The database could not be asked; the daemon does not start then.
pub async fn recover(engine: &Engine) -> Result<(), StoreError> {
    engine.store.recover_slots(&engine.clock.boot()).await?;
    let moved = engine.store.realign_timers(engine.config.timezone).await?;
    if moved > 0 {
        info!(timers = moved, "next slots were computed anew: the zone or the rules had changed while no daemon ran");
    }
    for run in engine.store.running().await? {
        let batches = engine.store.batches(run.seq).await?;
        for attempt in engine.store.open_attempts(run.seq).await? {
            let conclusion = conclude(engine, &run, &batches, &attempt);
            warn!(run = %run.id, batch = attempt.batch, verdict = %conclusion.verdict, "an interrupted request was concluded: {}", conclusion.note);
            engine.store.conclude(run.seq, attempt.batch, attempt.number, &conclusion, engine.clock.now()).await?;
        }
        resume(engine, run).await?;
    }
    Ok(())
}

/// The verdict that the spool has, or that nobody knows.
fn conclude(engine: &Engine, run: &Run, batches: &[Batch], attempt: &Attempt) -> Conclusion {
    let batch = batches.iter().find(|batch| batch.number == attempt.batch);
    let written = batch.and_then(|batch| {
        let written = verdict_file::read(&engine.folder_of(&run.id).join(&batch.file))?;
        (written.attempt == attempt.number && written.sha256 == batch.sha256).then_some(written)
    });
    let (verdict, http_status, note) = match written.map(|written| (written.verdict, written.http_status)) {
        Some((Some(verdict), status)) => (verdict, status, "the verdict was found in the spool after a crash"),
        _ => (Verdict::Unknown, None, "the daemon ended while the request was under way"),
    };
    Conclusion { verdict, http_status, answer: None, note: note.to_owned() }
}

/// Queues the run again where nothing is in doubt or sending twice is harmless; ends it as unknown otherwise.
async fn resume(engine: &Engine, run: Run) -> Result<(), StoreError> {
    let in_doubt = pushing::in_doubt(&engine.store.batches(run.seq).await?);
    let settings = engine.store.settings().await?;
    let harmless = settings.integration(&run.integration_id).is_some_and(|integration| integration.repeat_safe());
    if !in_doubt || harmless {
        info!(run = %run.id, "run goes on after a crash");
        return engine.store.requeue(run.seq, "the daemon ended in the middle of it", engine.clock.now()).await;
    }
    let message = "the daemon ended while a file was being sent; sending it again could do harm (repeat_safe)";
    let failure = Failure::new(Code::Interrupted, message);
    ending::end(engine, &run, RunState::Running, RunState::Unknown, Some(failure)).await
}
