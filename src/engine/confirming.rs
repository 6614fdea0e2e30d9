//! Asking what became of imports: a run whose files were taken leaves its lane and is asked after, batch by batch,
//! within the account's request slots, until everything is known or the limit has passed. The rows in the database
//! are the truth: whoever asks may die at any time, and the next one goes on.
//!
//! Of one account one question is under way at a time, so that questions never crowd out pushes, and one receiver
//! that hangs does not keep the others from being asked.

use super::executor::Stop;
use super::job::{Job, limit_of, proxy, resolved};
use super::steadily::{Steady, Steps};
use super::{Engine, ending, verdict_file};
use crate::domain::confirm::{self, Finding, Meaning, Part, ask_again};
use crate::domain::failure::Code;
use crate::domain::integration::Account;
use crate::domain::integration::confirm::{ConfirmForm, usual_interval};
use crate::domain::run::{BatchState, RunState};
use crate::domain::verdict::Verdict;
use crate::push::{self, StatusClient, StatusReply, headers_of};
use crate::store::StoreError;
use crate::store::batches::Batch;
use crate::store::confirmations::{Asked, Confirmation, NewConfirmation};
use crate::store::runs::Run;
use crate::store::settings::Settings;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info};

/// How long an account rests after the database has refused what was to be written of a question.
const REST: Duration = Duration::from_secs(1);

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One question was asked.
    Asked,
    /// Nobody is to be asked before then; at all, where it is nothing.
    Idle(Option<DateTime<Utc>>),
}

/// What a run does whose batches will not be sent again: it is confirmed where the integration says how and something
/// was taken; otherwise it stops as it would have.
pub(super) async fn instead(engine: &Engine, job: &Job, batches: &[Batch], stop: Stop) -> Result<Stop, Stop> {
    let Some(confirm) = &job.integration.form().confirm else { return Ok(stop) };
    let failure = match stop {
        Stop::Ended { state: RunState::Accepted | RunState::Partial, failure } => failure,
        other => return Ok(other),
    };
    let steady = &job.steady;
    let now = engine.clock.now();
    let mut taken = Vec::new();
    for batch in batches.iter().filter(|batch| batch.state == BatchState::Accepted) {
        let (reference, mut finding) = named(engine, job, confirm, batch).await?;
        if reference.is_none() && finding.is_none() {
            let note = format!("the answer to the push names no import at {} (confirm.id)", confirm.id);
            finding = Some(Finding::unknown(Code::ConfirmUnnamed, note));
        }
        let (next_at, until_at) = (now + confirm.interval.to_delta(), now + confirm.limit.to_delta());
        taken.push(NewConfirmation { batch: batch.number, reference, next_at, until_at, finding });
    }
    // Rows that were left out stay with the run as its warning.
    let warning = steady.insist(|| engine.store.run_by_seq(job.run.seq)).await?.warning;
    Ok(Stop::Confirm { batches: taken, failure: failure.filter(|failure| Some(failure) != warning.as_ref()) })
}

/// How the receiver calls the import of a batch that it has taken, now or in the earlier run that this one repeats;
/// what became of it, where that is known from there.
async fn named(
    engine: &Engine,
    job: &Job,
    confirm: &ConfirmForm,
    batch: &Batch,
) -> Result<(Option<Value>, Option<Finding>), StoreError> {
    let mut run = job.run.clone();
    loop {
        let detail = job.steady.insist(|| engine.store.run_detail(&run.id)).await?;
        if let Some(known) =
            detail.confirmations.iter().find(|one| one.batch == batch.number && one.reference.is_some())
        {
            let known_well = known.finding.clone().filter(|finding| finding.outcome != confirm::Outcome::Unknown);
            return Ok((known.reference.clone(), known_well));
        }
        let of_batch = |number: u32| number == batch.number;
        let taken =
            detail.attempts.iter().rev().find(|one| of_batch(one.batch) && one.verdict == Some(Verdict::Accepted));
        if let Some(attempt) = taken {
            // The verdict's file is written before the database hears of the answer, and from all of it.
            let written = verdict_file::read(&engine.folder_of(&run.id).join(&batch.file));
            let written = written.filter(|written| written.attempt == attempt.number && written.sha256 == batch.sha256);
            let in_answer = || confirm.id_in(&serde_json::from_str(attempt.answer.as_deref()?).ok()?);
            return Ok((written.and_then(|written| written.import).or_else(in_answer), None));
        }
        match &run.retry_of {
            Some(earlier) => run = job.steady.insist(|| engine.store.run(earlier)).await?,
            None => return Ok((None, None)),
        }
    }
}

/// Ends the runs of which everything is known, and asks one question if one is due.
///
/// # Errors
/// The database could not be asked, or did not take the answer: the same question is asked again then.
pub async fn step(engine: &Engine, stopping: &CancellationToken) -> Result<Step, StoreError> {
    end_known(engine).await?;
    let now = engine.clock.now();
    for account in engine.store.accounts_to_ask(now).await? {
        if let Some((run, batch)) = engine.store.due_confirmation(&account, now).await? {
            ask(engine, &run, batch, stopping).await?;
            end_known(engine).await?;
            return Ok(Step::Asked);
        }
    }
    Ok(Step::Idle(engine.store.next_confirmation(now).await?))
}

/// Asks until told to stop; a question that is under way goes on under `tracker`.
pub(super) async fn run(engine: Engine, stopping: CancellationToken, tracker: TaskTracker) {
    let busy = Arc::new(Mutex::new(BTreeSet::new()));
    let mut steps = Steps::of(&engine, "confirming");
    loop {
        let looked = steps.take(look(&engine, &stopping, &tracker, &busy)).await;
        let next = looked.unwrap_or_else(|pause| Some(engine.clock.now() + pause));
        let due = async {
            match next {
                Some(next) => engine.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = engine.bells.confirming.notified() => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// The accounts of which a question is under way.
type Busy = Arc<Mutex<BTreeSet<Account>>>;

/// Gives an account free again, however its question ended, and wakes the loop.
struct Asking {
    engine: Engine,
    busy: Busy,
    account: Account,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
        self.engine.bells.confirming.notify_one();
    }
}

/// Ends what is known, begins a question of each account that has one due and none under way, and says when to look
/// again; the end of a question rings by itself.
async fn look(
    engine: &Engine,
    stopping: &CancellationToken,
    tracker: &TaskTracker,
    busy: &Busy,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    end_known(engine).await?;
    let now = engine.clock.now();
    for account in engine.store.accounts_to_ask(now).await? {
        let Some((run, batch)) = engine.store.due_confirmation(&account, now).await? else { continue };
        if !busy.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone()) {
            continue;
        }
        let asking = Asking { engine: engine.clone(), busy: busy.clone(), account };
        let stopping = stopping.clone();
        tracker.spawn(async move {
            let engine = &asking.engine;
            if let Err(error) = ask(engine, &run, batch, &stopping).await {
                error!(run = %run.id, batch, %error, "what became of an import could not be written down; asking again");
                engine.clock.sleep(REST).await;
            }
        });
    }
    engine.store.next_confirmation(now).await
}

/// Asks after one run's imports until they are known, without a daemon and under the database lock.
pub(super) async fn carry(engine: &Engine, run: &Run, stopping: &CancellationToken) -> Result<(), StoreError> {
    loop {
        end_known(engine).await?;
        if engine.store.run_by_seq(run.seq).await?.state != RunState::Confirming {
            return Ok(());
        }
        let open = engine.store.confirmations(run.seq).await?;
        let due = open.iter().filter_map(|one| Some((one.next_at?, one.batch))).min();
        let Some((at, batch)) = due else { continue };
        tokio::select! {
            () = engine.clock.sleep_until(at) => {}
            () = stopping.cancelled() => return Ok(()),
        }
        ask(engine, run, batch, stopping).await?;
    }
}

/// One question: slot, request, answer, what it means, written down.
async fn ask(engine: &Engine, run: &Run, number: u32, stopping: &CancellationToken) -> Result<(), StoreError> {
    let steady = Steady::of(engine, &run.id, stopping);
    let settings = engine.store.settings().await?;
    let open = engine.store.confirmations(run.seq).await?;
    let open = open.into_iter().find(|one| one.batch == number && one.finding.is_none());
    let batch = engine.store.batches(run.seq).await?.into_iter().find(|batch| batch.number == number);
    let (Some(open), Some(batch)) = (open, batch) else { return Ok(()) };
    let reply = match prepare(engine, &settings, run) {
        // Settings are read anew at each question: what is mended serves at once.
        Err(why) => nothing(why),
        Ok(client) => {
            let limit = limit_of(&settings, &run.account);
            let acquire = || push::acquire(&engine.store, &engine.clock, &run.account, limit, &run.id, stopping);
            let Some(slot) = steady.insist(acquire).await? else { return Ok(()) };
            let id = open.reference.clone().unwrap_or_default();
            let reply = client.ask(&id, batch.records, &batch.file, &engine.clock).await;
            steady.insist(|| slot.release()).await?;
            reply
        }
    };
    let integration = settings.integration(&run.integration_id);
    let interval = integration.and_then(|one| Some(one.form().confirm.as_ref()?.interval));
    write(engine, &steady, run, &open, reply, interval.unwrap_or_else(usual_interval)).await
}

/// The client for a run's question, or why there is none.
fn prepare(engine: &Engine, settings: &Settings, run: &Run) -> Result<StatusClient, String> {
    let gone = || format!("the integration {:?} no longer says how to ask (confirm): apply it again", run.integration);
    let integration = settings.integration(&run.integration_id).ok_or_else(gone)?;
    let headers = resolved(engine, headers_of(integration)).map_err(|error| error.to_string())?;
    let proxy = proxy(engine, integration).map_err(|error| error.to_string())?;
    StatusClient::build(integration, headers, proxy).map_err(|error| error.to_string())?.ok_or_else(gone)
}

fn nothing(why: String) -> StatusReply {
    StatusReply {
        meaning: Meaning::Nothing("nobody was asked"),
        http_status: None,
        answer: String::new(),
        retry_after: None,
        note: why,
    }
}

/// Writes down what a question brought.
async fn write(
    engine: &Engine,
    steady: &Steady,
    run: &Run,
    open: &Confirmation,
    reply: StatusReply,
    interval: crate::domain::duration::Span,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let said = match &reply.meaning {
        Meaning::Over(finding) => finding.note.clone(),
        Meaning::GoesOn => "the import goes on".to_owned(),
        Meaning::Nothing(why) | Meaning::Denied(why) => (*why).to_owned(),
    };
    let status = reply.http_status.map(|status| format!("HTTP {status}: "));
    let more = Some(reply.note).filter(|note| !note.is_empty()).map(|note| format!(": {note}"));
    let note = format!("{}{said}{}", status.unwrap_or_default(), more.unwrap_or_default());
    let answer = Some(reply.answer).filter(|answer| !answer.is_empty());
    let asked = Asked { http_status: reply.http_status, answer, note };
    let finding = match reply.meaning {
        Meaning::Over(finding) => finding,
        Meaning::Denied(_) => Finding::unknown(Code::ConfirmDenied, asked.note.clone()),
        Meaning::GoesOn | Meaning::Nothing(_) => match ask_again(interval, open.until_at, now, reply.retry_after) {
            Some(next) => {
                debug!(run = %run.id, batch = open.batch, %next, "asked what became of an import: {}", asked.note);
                return steady.insist(|| engine.store.ask_later(run.seq, open.batch, next, &asked, now)).await;
            }
            None => {
                let times = open.asked.saturating_add(1);
                let note = format!("not known at the limit, asked {times} times; the last answer: {}", asked.note);
                Finding::unknown(Code::ConfirmLimit, note)
            }
        },
    };
    info!(
        run = %run.id, batch = open.batch, outcome = %finding.outcome, imported = finding.imported,
        rows = finding.rows.len(), http_status = asked.http_status, "what became of an import is known: {}", finding.note
    );
    steady.insist(|| engine.store.conclude_confirmation(run.seq, open.batch, &finding, &asked, now)).await
}

/// Ends every confirming run of which everything is known, with its mail.
async fn end_known(engine: &Engine) -> Result<(), StoreError> {
    for run in engine.store.confirmed_runs().await? {
        let known = engine.store.confirmations(run.seq).await?;
        let parts: Vec<Part> = engine.store.batches(run.seq).await?.iter().map(|batch| part(batch, &known)).collect();
        let (state, failure) = confirm::end(&parts, run.failure.as_ref(), run.warning.as_ref());
        ending::end(engine, &run, RunState::Confirming, state, failure).await?;
        engine.bells.dispatcher.notify_one();
    }
    Ok(())
}

fn part(batch: &Batch, known: &[Confirmation]) -> Part {
    let finding = known.iter().find(|one| one.batch == batch.number).and_then(|one| one.finding.clone());
    Part { records: batch.records, finding }
}
