//! The mail about a run: its facts are gathered here, its words are `report`'s. It is written in the transaction that
//! ends the run, and no trouble with it can change the run's outcome.

use super::Engine;
use crate::domain::failure::Failure;
use crate::domain::integration::Kind;
use crate::domain::run::{BatchState, RunState, Trigger};
use crate::domain::trouble::Telling;
use crate::report::{RunFacts, compose, recipients};
use crate::store::StoreError;
use crate::store::outbox::NewMail;
use crate::store::runs::Run;
use tracing::warn;

/// The mail that is due about a run which is now in `state`, if any.
pub(super) async fn mail(
    engine: &Engine,
    run: &Run,
    state: RunState,
    failure: Option<&Failure>,
    telling: Telling,
) -> Option<NewMail> {
    match compose_mail(engine, run, state, failure, telling).await {
        Ok(mail) => mail,
        Err(error) => {
            warn!(run = %run.id, %error, "the report mail could not be written");
            None
        }
    }
}

async fn compose_mail(
    engine: &Engine,
    run: &Run,
    state: RunState,
    failure: Option<&Failure>,
    telling: Telling,
) -> Result<Option<NewMail>, StoreError> {
    let Some(mail) = engine.config.mail.as_ref().filter(|_| telling != Telling::Hush) else { return Ok(None) };
    let settings = engine.store.settings().await?;
    let integration = settings.integration(&run.integration_id);
    let address = engine.store.user(&run.actor).await?.and_then(|user| user.address);
    let (policy, to) = integration.map_or_else(Default::default, |one| (one.form().report, one.form().to.clone()));
    // Whoever was told of the trouble is told of its end.
    let good = state.is_good() && !matches!(telling, Telling::Recovered(_));
    let to = recipients(policy, good, address.as_deref(), &mail.administrators, &to);
    if to.is_empty() {
        return Ok(None);
    }
    // What the export wrote down is newer than the run as it was claimed.
    let detail = engine.store.run_detail(&run.id).await?;
    let taken = detail.batches.iter().filter(|batch| batch.state == BatchState::Accepted).count();
    let now = engine.clock.now();
    let timer = run.timer_id.as_deref().and_then(|id| settings.timer(id));
    let facts = RunFacts {
        run: run.id.clone(),
        menu: run.menu.clone(),
        integration: run.integration.clone(),
        kind: integration.map_or(Kind::Generic, |one| one.form().kind),
        state,
        records: detail.run.records,
        skipped_rows: detail.run.skipped_rows,
        batches: u32::try_from(detail.batches.len()).unwrap_or(u32::MAX),
        batches_taken: u32::try_from(taken).unwrap_or(u32::MAX),
        imported: detail.imported(),
        started: detail.run.started_at.unwrap_or(run.queued_at),
        finished: now,
        scheduled: run.scheduled_at,
        // A person who repeats a timer's run is the actor of the repetition.
        timer: run.timer.clone().filter(|_| run.trigger == Trigger::Timer),
        next: timer.and_then(|timer| timer.next_at),
        actor: run.actor.clone(),
        memo: run.memo.clone(),
        source: detail.run.source.clone(),
        key: settings.menu(&run.menu_id).map(|menu| menu.form().key.clone()).unwrap_or_default(),
        http_status: detail.attempts.iter().rev().find_map(|attempt| attempt.http_status),
        failure: failure.cloned(),
        untold: if let Telling::Again(untold) = telling { untold } else { 0 },
        trouble_since: if let Telling::Recovered(since) = telling { Some(since) } else { None },
    };
    let letter = compose(&facts, engine.config.locale, engine.config.timezone);
    let host = mail.from.rsplit_once('@').map_or("renkei", |(_, host)| host);
    Ok(Some(NewMail {
        message_id: format!("{}.{state}@{host}", run.id),
        recipients: to,
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
    }))
}
