//! From the spool to the receiver, batch by batch: a request slot, the intent, the request, the verdict. Before a byte
//! is sent the intent stands in spool and database; after the answer the verdict goes to the spool first.

use super::Engine;
use super::confirming;
use super::executor::Stop;
use super::exporting::Stored;
use super::job::Job;
use super::steadily::Steady;
use super::verdict_file::VerdictFile;
use crate::domain::ending::{end_state, stopped_state};
use crate::domain::failure::{Code, Failure};
use crate::domain::run::{BatchState, RunState};
use crate::domain::verdict::{Next, Verdict, api_error, try_again_at};
use crate::push::{self, Reply, Upload};
use crate::store::batches::{Batch, Conclusion};
use crate::store::runs::Run;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

/// Pushes every batch that has not been taken, in order.
pub(super) async fn push(
    engine: &Engine,
    job: &Job,
    exported: Stored,
    stopping: &CancellationToken,
) -> Result<Stop, Stop> {
    let Stored { mut batches, warning } = exported;
    let stop = match each(engine, job, &mut batches, warning, stopping).await {
        // A step that failed does not undo what was sent before it.
        Ok(stop) | Err(stop) => by_batches(stop, &batches),
    };
    confirming::instead(engine, job, &batches, stop).await
}

async fn each(
    engine: &Engine,
    job: &Job,
    batches: &mut [Batch],
    warning: Option<Failure>,
    stopping: &CancellationToken,
) -> Result<Stop, Stop> {
    overtaken(engine, job).await?;
    let patience = Patience::of(engine, job, stopping);
    for index in 0..batches.len() {
        if batches[index].state == BatchState::Accepted {
            continue;
        }
        if job.steady.insist(|| engine.store.is_cancel_requested(job.run.seq)).await? {
            return Ok(cancelled(batches));
        }
        let (reply, state) = match send(engine, job, &batches[index], &patience.token).await? {
            Some(sent) => sent,
            None if stopping.is_cancelled() => return Ok(Stop::Interrupted),
            None => {
                let state = end_state(&states(batches), false);
                return Ok(Stop::Ended { state, failure: Some(job.over_time()) });
            }
        };
        batches[index].state = state;
        if let Some(stop) = after(engine, job, batches, index, &reply) {
            return Ok(stop);
        }
    }
    let state = end_state(&states(batches), warning.is_some());
    // Rows left out are the one failure that a run whose batches were all taken can carry.
    Ok(Stop::Ended { state, failure: warning })
}

/// A failure as the batches have it: a run of which something was taken has not failed as a whole.
fn by_batches(stop: Stop, batches: &[Batch]) -> Stop {
    match stop {
        Stop::Ended { state: RunState::Failed, failure } => {
            let state = match end_state(&states(batches), false) {
                RunState::Accepted => RunState::Partial,
                state => state,
            };
            Stop::Ended { state, failure }
        }
        stop => stop,
    }
}

/// How long a run may wait for request slots: until the daemon stops, or its `time_limit` is over.
struct Patience {
    token: CancellationToken,
    _watch: Option<AbortOnDropHandle<()>>,
}

impl Patience {
    fn of(engine: &Engine, job: &Job, stopping: &CancellationToken) -> Self {
        let token = stopping.child_token();
        let watch = job.deadline.map(|deadline| {
            let (clock, token) = (engine.clock.clone(), token.clone());
            if deadline <= clock.now() {
                token.cancel();
            }
            AbortOnDropHandle::new(tokio::spawn(async move {
                clock.sleep_until(deadline).await;
                token.cancel();
            }))
        });
        Self { token, _watch: watch }
    }
}

/// Older bytes never overtake newer ones, unless a person says so.
async fn overtaken(engine: &Engine, job: &Job) -> Result<(), Stop> {
    if job.run.forced {
        return Ok(());
    }
    // As it stands after its export, which gave the bytes their age.
    let run = job.steady.insist(|| engine.store.run_by_seq(job.run.seq)).await?;
    let Some(newer) = job.steady.insist(|| engine.store.newer_sent(&run)).await? else { return Ok(()) };
    let message =
        format!("run {newer} of the same menu and integration has sent newer data; --force sends this all the same");
    let failure = Failure::new(Code::Overtaken, message);
    // Whatever it had sent before, the newer list stands for it: nobody has to look.
    Err(Stop::Ended { state: RunState::Cancelled, failure: Some(failure) })
}

/// One request: slot, intent, bytes, verdict; with the state of the batch after it. `None` when patience was over
/// before the intent.
async fn send(
    engine: &Engine,
    job: &Job,
    batch: &Batch,
    patience: &CancellationToken,
) -> Result<Option<(Reply, BatchState)>, Stop> {
    let path = job.folder.join(&batch.file);
    let account = job.integration.account();
    let holder = &job.run.id;
    let steady = &job.steady;
    let acquire = || push::acquire(&engine.store, &engine.clock, account, job.limit, holder, patience);
    let Some(slot) = steady.insist(acquire).await? else { return Ok(None) };
    // Waiting for the slot takes its time, and earlier batches took theirs.
    if let Some(obstacle) = steady.insist(|| engine.store.obstacle(&job.run, engine.clock.now())).await? {
        steady.insist(|| slot.release()).await?;
        return Err(Stop::PutBack(obstacle));
    }
    let intent = steady.insist(|| engine.store.intend(job.run.seq, batch.number, engine.clock.now())).await;
    let attempt = match intent {
        Ok(attempt) => attempt,
        Err(error) => {
            // Nothing was sent; should the database not even take this, recovery gives the slot back.
            let _ = slot.release().await;
            return Err(Stop::Store(error));
        }
    };
    let verdict_file = VerdictFile::intend(&path, attempt, &batch.sha256).map_err(|error| {
        let message = format!("{}: the intent cannot be written: {error}: free some space", path.display());
        Stop::failed(Failure::new(Code::SpoolUnwritable, message))
    });
    let verdict_file = match verdict_file {
        Ok(file) => file,
        Err(stop) => {
            unsent(engine, job, batch, attempt, "the intent could not be written to the spool").await?;
            steady.insist(|| slot.release()).await?;
            return Err(stop);
        }
    };
    let upload = Upload {
        path: path.clone(),
        file_name: batch.file.clone(),
        bytes: batch.bytes,
        sha256: Some(batch.sha256.clone()),
        params_json: job.integration.params_json(),
    };
    let reply = match job.client.push(&upload, &engine.clock).await {
        Ok(reply) => reply,
        Err(damaged) => {
            unsent(engine, job, batch, attempt, "the stored file was damaged").await?;
            steady.insist(|| slot.release()).await?;
            return Err(Stop::failed(Failure::new(Code::SpoolDamaged, damaged.to_string())));
        }
    };
    let kept = verdict_file.conclude(reply.verdict, reply.http_status, reply.import.as_ref());
    if let Err(error) = kept {
        warn!(run = %job.run.id, batch = batch.number, %error, "the verdict could not be written to the spool");
    }
    let conclusion = Conclusion {
        verdict: reply.verdict,
        http_status: reply.http_status,
        answer: Some(reply.answer.clone()).filter(|answer| !answer.is_empty()),
        note: reply.note.clone(),
    };
    // The verdict stands in the spool; nothing more is sent until the database has it too.
    let answered_at = engine.clock.now();
    let conclude = || engine.store.conclude(job.run.seq, batch.number, attempt, &conclusion, answered_at);
    let state = steady.insist(conclude).await?;
    steady.insist(|| slot.release()).await?;
    info!(
        run = %job.run.id, batch = batch.number, records = batch.records, bytes = batch.bytes, attempt,
        verdict = %reply.verdict, http_status = reply.http_status, "batch pushed: {}", reply.note
    );
    Ok(Some((reply, state)))
}

/// What follows from a batch's verdict; `None` to go on with the next one.
fn after(engine: &Engine, job: &Job, batches: &[Batch], index: usize, reply: &Reply) -> Option<Stop> {
    let again = match reply.verdict.next() {
        Next::GoOn => return None,
        Next::Stop => false,
        Next::TryAgain => true,
        Next::TryAgainIfHarmless => job.integration.repeat_safe(),
    };
    let failure = failure(&batches[index], batches.len(), reply);
    if again && let Some(until) = resume_at(engine, job, reply.retry_after) {
        return Some(Stop::Wait { until, failure });
    }
    Some(Stop::Ended { state: end_state(&states(batches), false), failure: Some(failure) })
}

/// When to try again, if `retry_for` allows it: it is counted from the run's first trouble.
fn resume_at(engine: &Engine, job: &Job, retry_after: Option<Duration>) -> Option<chrono::DateTime<chrono::Utc>> {
    let now = engine.clock.now();
    let tries = job.run.tries.saturating_add(1);
    let since = job.run.trouble_since.unwrap_or(now);
    let retry_for = job.integration.form().retry_for.to_std();
    let until = try_again_at(now, since, retry_for, tries, jitter(&job.run.id, tries), retry_after)?;
    job.deadline.is_none_or(|deadline| until <= deadline).then_some(until)
}

/// Spreads runs over the upper half of their wait, the same for the same run and try.
fn jitter(run: &str, tries: u32) -> f64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (run, tries).hash(&mut hasher);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

fn failure(batch: &Batch, of: usize, reply: &Reply) -> Failure {
    let code = reply.verdict.code().unwrap_or(Code::Internal);
    let said = api_error(reply.answer.as_bytes()).map(|error| format!(": {error}")).unwrap_or_default();
    Failure::new(code, format!("batch {} of {of}: {}{said}", batch.number, reply.note))
}

/// An attempt of which no byte was sent.
async fn unsent(engine: &Engine, job: &Job, batch: &Batch, attempt: u32, why: &str) -> Result<(), Stop> {
    let conclusion = Conclusion {
        verdict: Verdict::Unreachable,
        http_status: None,
        answer: None,
        note: format!("{why}; nothing was sent"),
    };
    let now = engine.clock.now();
    job.steady.insist(|| engine.store.conclude(job.run.seq, batch.number, attempt, &conclusion, now)).await?;
    Ok(())
}

fn states(batches: &[Batch]) -> Vec<BatchState> {
    batches.iter().map(|batch| batch.state).collect()
}

/// Whether a batch may be with the receiver without anybody knowing.
pub(super) fn in_doubt(batches: &[Batch]) -> bool {
    batches.iter().any(|batch| matches!(batch.state, BatchState::Unknown | BatchState::Sending))
}

fn cancelled(batches: &[Batch]) -> Stop {
    let taken = batches.iter().filter(|batch| batch.state == BatchState::Accepted).count();
    let failure = Failure::new(Code::Cancelled, format!("cancelled after {taken} of {} batches", batches.len()));
    Stop::Ended { state: stopped_state(&states(batches)), failure: Some(failure) }
}

/// A step that failed does not undo what was sent before it: the batches decide how the run ended. One that was being
/// sent is of unknown fate.
pub(super) async fn after_failure(engine: &Engine, run: &Run, steady: &Steady, failure: Failure) -> Stop {
    let batches = match steady.insist(|| engine.store.batches(run.seq)).await {
        Ok(batches) => batches,
        Err(error) => return Stop::Store(error),
    };
    by_batches(Stop::failed(failure), &batches)
}
