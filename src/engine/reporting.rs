//! What is told of a run: the mail and the notices. The facts are gathered here, the words are `report`'s. It is written
//! in the transaction that ends the run, and no trouble with it can change the run's outcome.

use super::Engine;
use crate::domain::failure::Failure;
use crate::domain::integration::Kind;
use crate::domain::run::{BatchState, RunState, Trigger};
use crate::domain::trouble::Telling;
use crate::report::{RunFacts, compose, compose_brief, recipients, view};
use crate::store::StoreError;
use crate::store::notices::{Channel, Content, NewNotice, News, NoticeEvent};
use crate::store::outbox::NewMail;
use crate::store::runs::{Run, RunDetail};
use crate::store::settings::Settings;
use tracing::{debug, warn};

/// What is to be told of a run that is now in `state`. `telling` is about people: webhooks and switches are machines,
/// which hear of every end.
///
/// # Errors
/// The database could not be asked just now; any other trouble leaves the news out, and the run's outcome stands.
pub(super) async fn news(
    engine: &Engine,
    run: &Run,
    state: RunState,
    failure: Option<&Failure>,
    telling: Telling,
) -> Result<News, StoreError> {
    match gather(engine, run, state, failure, telling).await {
        Err(error) if !error.is_passing() => {
            warn!(run = %run.id, %error, "what is to be told of the run could not be gathered");
            Ok(News::default())
        }
        news => news,
    }
}

/// Tells the switch of the run's timer that it began. It is no news later, so it is let go where it cannot be written.
pub(super) async fn started(engine: &Engine, run: &Run, settings: &Settings) {
    if let Err(error) = tell_start(engine, run, settings).await {
        debug!(run = %run.id, %error, "the start was not told");
    }
}

async fn tell_start(engine: &Engine, run: &Run, settings: &Settings) -> Result<(), StoreError> {
    let Some(timer) = switch_of(settings, run).filter(|_| run.tries == 0) else { return Ok(()) };
    let content = Content { title: format!("{} started", run.id), text: String::new(), run: serde_json::Value::Null };
    let notice = notice(run, "started", Channel::Ping, timer, NoticeEvent::Start, content);
    engine.store.add_notices(run.seq, &[notice], engine.clock.now()).await?;
    engine.bells.notices.notify_one();
    Ok(())
}

/// The id of the run's timer, if it has a dead-man's switch.
fn switch_of<'r>(settings: &Settings, run: &'r Run) -> Option<&'r str> {
    let id = run.timer_id.as_deref()?;
    settings.timer(id).filter(|stored| stored.timer.form().ping.is_some()).map(|_| id)
}

fn notice(run: &Run, what: &str, channel: Channel, target: &str, event: NoticeEvent, content: Content) -> NewNotice {
    let id = format!("{}/{what}/{channel}/{target}", run.id);
    NewNotice { id, channel, target: target.to_owned(), event, content }
}

async fn gather(
    engine: &Engine,
    run: &Run,
    state: RunState,
    failure: Option<&Failure>,
    telling: Telling,
) -> Result<News, StoreError> {
    let settings = engine.store.settings().await?;
    let to = mail_to(engine, &settings, run, state, telling).await?;
    let webhooks = engine.config.notify.webhooks.iter().filter(|one| one.when.is_due(state.is_good()));
    let mut targets: Vec<(Channel, &str)> = webhooks.map(|one| (Channel::Webhook, one.name.as_str())).collect();
    targets.extend(switch_of(&settings, run).map(|timer| (Channel::Ping, timer)));
    if to.is_empty() && targets.is_empty() {
        return Ok(News::default());
    }
    // What the export wrote down is newer than the run as it was claimed.
    let detail = engine.store.run_detail(&run.id).await?;
    let facts = facts(engine, &settings, &detail, state, failure, telling);
    let (locale, zone) = (engine.config.locale, engine.config.timezone);
    let mail = engine.config.mail.as_ref().filter(|_| !to.is_empty()).map(|mail| {
        let letter = compose(&facts, locale, zone);
        let host = mail.from.rsplit_once('@').map_or("renkei", |(_, host)| host);
        NewMail {
            message_id: format!("{}.{state}@{host}", run.id),
            recipients: to,
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
        }
    });
    let mut notices = Vec::new();
    if !targets.is_empty() {
        let (title, text) = compose_brief(&facts, locale, zone);
        let content = Content { title, text, run: view::outside(&detail, state, failure, engine.clock.now(), zone) };
        let event = if state.is_good() { NoticeEvent::Good } else { NoticeEvent::Trouble };
        let told = targets.into_iter();
        notices
            .extend(told.map(|(channel, target)| notice(run, state.as_str(), channel, target, event, content.clone())));
    }
    Ok(News { mail, notices })
}

async fn mail_to(
    engine: &Engine,
    settings: &Settings,
    run: &Run,
    state: RunState,
    telling: Telling,
) -> Result<Vec<String>, StoreError> {
    let mail = engine.config.mail.as_ref().filter(|_| telling != Telling::Hush);
    let Some(mail) = mail else { return Ok(Vec::new()) };
    let address = engine.store.user(&run.actor).await?.and_then(|user| user.address);
    let integration = settings.integration(&run.integration_id);
    let (policy, to) = integration.map_or_else(Default::default, |one| (one.form().report, one.form().to.clone()));
    // Whoever was told of the trouble is told of its end.
    let good = state.is_good() && !matches!(telling, Telling::Recovered(_));
    Ok(recipients(policy, good, address.as_deref(), &mail.administrators, &to))
}

fn facts(
    engine: &Engine,
    settings: &Settings,
    detail: &RunDetail,
    state: RunState,
    failure: Option<&Failure>,
    telling: Telling,
) -> RunFacts {
    let run = &detail.run;
    let taken = detail.batches.iter().filter(|batch| batch.state == BatchState::Accepted).count();
    let timer = run.timer_id.as_deref().and_then(|id| settings.timer(id));
    RunFacts {
        run: run.id.clone(),
        menu: run.menu.clone(),
        integration: run.integration.clone(),
        kind: settings.integration(&run.integration_id).map_or(Kind::Generic, |one| one.form().kind),
        state,
        records: run.records,
        skipped_rows: run.skipped_rows,
        batches: u32::try_from(detail.batches.len()).unwrap_or(u32::MAX),
        batches_taken: u32::try_from(taken).unwrap_or(u32::MAX),
        imported: detail.imported(),
        started: run.started_at.unwrap_or(run.queued_at),
        finished: engine.clock.now(),
        scheduled: run.scheduled_at,
        // A person who repeats a timer's run is the actor of the repetition.
        timer: run.timer.clone().filter(|_| run.trigger == Trigger::Timer),
        next: timer.and_then(|timer| timer.next_at),
        actor: run.actor.clone(),
        memo: run.memo.clone(),
        source: run.source.clone(),
        key: settings.menu(&run.menu_id).map(|menu| menu.form().key.clone()).unwrap_or_default(),
        http_status: detail.attempts.iter().rev().find_map(|attempt| attempt.http_status),
        failure: failure.cloned(),
        untold: if let Telling::Again(untold) = telling { untold } else { 0 },
        trouble_since: if let Telling::Recovered(since) = telling { Some(since) } else { None },
    }
}
