//! What people ask of runs: start, repeat, cancel, approve, refuse. Command line and console both come through here.
//! Nothing is carried here; a run is queued or moved, and the loops do the rest.

use super::{Engine, reporting};
use crate::domain::failure::{Code, Failure};
use crate::domain::run::{RunState, Trigger};
use crate::store::StoreError;
use crate::store::runs::{NewRun, Run};
use crate::store::settings::Settings;

/// The priority of a run that a person starts: above every timer's, since somebody waits for it.
pub const BY_HAND: u16 = 900;

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The settings or the run do not allow it; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that a person wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The menu's id or name.
    pub menu: String,
    /// The integration's id or name; may be absent where the menu has only one.
    pub integration: Option<String>,
    /// メモ.
    pub memo: Option<String>,
    /// Only the records of these keys.
    pub keys: Vec<String>,
}

fn refuse<T>(why: impl Into<String>) -> Result<T, OrderError> {
    Err(OrderError::Refused(why.into()))
}

/// Queues a run.
///
/// # Errors
/// A menu or integration that is not there, or one that is not applied to the menu.
pub async fn start(engine: &Engine, wanted: &Wanted, actor: &str) -> Result<Run, OrderError> {
    let settings = engine.store.settings().await?;
    let Some(menu) = settings.menu(&wanted.menu) else {
        return refuse(format!("there is no menu {:?}: `renkei menu list` shows the menus", wanted.menu));
    };
    let name = integration_of(&settings, menu, wanted.integration.as_deref())?;
    let Some(integration) = settings.integration(&name) else {
        return refuse(format!("there is no integration {name:?}: `renkei integration list` shows them"));
    };
    let keys = Some(wanted.keys.clone()).filter(|keys| !keys.is_empty());
    if keys.is_some() && menu.form().key.is_empty() {
        return refuse(format!("the menu {} has no key: add `key: […]` to it to choose records", menu.name()));
    }
    let new = NewRun {
        menu: (menu.id().to_owned(), menu.name().to_owned()),
        integration: (integration.id().to_owned(), integration.name().to_owned()),
        timer: None,
        account: integration.account().clone(),
        settings_version: settings.version,
        trigger: Trigger::Hand,
        actor: actor.to_owned(),
        memo: wanted.memo.clone(),
        priority: BY_HAND,
        scheduled_at: None,
        wanted_keys: keys,
        retry_of: None,
        forced: false,
        only_failed: false,
    };
    queue(engine, &new).await
}

fn integration_of(
    settings: &Settings,
    menu: &crate::domain::menu::Menu,
    named: Option<&str>,
) -> Result<String, OrderError> {
    let applied = &menu.form().integrations;
    let same = |left: &str, right: &str| {
        let id = |name: &str| settings.integration(name).map(|one| one.id().to_owned());
        id(left).is_some() && id(left) == id(right)
    };
    match (named, applied.as_slice()) {
        (Some(name), _) if applied.iter().any(|one| same(one, name)) => Ok(name.to_owned()),
        (Some(name), _) => refuse(format!(
            "the integration {name:?} is not applied to the menu {}: add it to the menu's `integrations`",
            menu.name()
        )),
        (None, [only]) => Ok(only.clone()),
        (None, []) => {
            refuse(format!("no integration is applied to the menu {}: add one to its `integrations`", menu.name()))
        }
        (None, several) => refuse(format!(
            "the menu {} has several integrations: choose one with --integration: {}",
            menu.name(),
            several.join(", ")
        )),
    }
}

/// Repeats an ended run on the files that it has, or exports anew where it has none.
///
/// # Errors
/// A run that is still open; one whose data is older than what has been sent meanwhile, unless `forced`.
pub async fn retry(engine: &Engine, id: &str, only_failed: bool, forced: bool, actor: &str) -> Result<Run, OrderError> {
    let earlier = engine.store.run(id).await?;
    if !earlier.state.is_ended() {
        return refuse(format!("run {id} is still {}: cancel it first, or wait for its end", earlier.state));
    }
    if earlier.exported_at.is_some()
        && !forced
        && let Some(newer) = engine.store.newer_sent(&earlier).await?
    {
        return refuse(format!(
            "run {newer} has sent newer data of {} meanwhile: start a new run instead, or repeat with --force",
            earlier.menu
        ));
    }
    if only_failed && earlier.state.is_good() {
        return refuse(format!("every batch of run {id} was taken: there is nothing to repeat"));
    }
    let new = NewRun {
        menu: (earlier.menu_id, earlier.menu),
        integration: (earlier.integration_id, earlier.integration),
        timer: earlier.timer_id.zip(earlier.timer),
        account: earlier.account,
        settings_version: engine.store.settings_version().await?,
        trigger: Trigger::Retry,
        actor: actor.to_owned(),
        memo: earlier.memo,
        priority: BY_HAND,
        scheduled_at: earlier.scheduled_at,
        wanted_keys: earlier.wanted_keys,
        retry_of: Some(id.to_owned()),
        forced,
        only_failed,
    };
    queue(engine, &new).await
}

async fn queue(engine: &Engine, new: &NewRun) -> Result<Run, OrderError> {
    let now = engine.clock.now();
    let run = engine.store.enqueue(new, now.with_timezone(&engine.config.timezone).date_naive(), now).await?;
    engine.bells.dispatcher.notify_one();
    Ok(run)
}

/// Cancels an open run: at once where nothing goes on, before the next batch where it is running. Gives the state it
/// was in.
///
/// # Errors
/// A run that has ended.
pub async fn cancel(engine: &Engine, id: &str, actor: &str) -> Result<RunState, OrderError> {
    let run = engine.store.run(id).await?;
    let failure = Failure::new(Code::Cancelled, format!("cancelled by {actor}"));
    match run.state {
        RunState::Running => engine.store.request_cancel(run.seq, actor, engine.clock.now()).await?,
        state if state.may_become(RunState::Cancelled) => close(engine, &run, &failure).await?,
        state => return refuse(format!("run {id} is {state}: there is nothing to cancel")),
    }
    Ok(run.state)
}

/// 「送信する」: a held run is sent as it is.
///
/// # Errors
/// A run that is not held, or that newer data has overtaken.
pub async fn approve(engine: &Engine, id: &str, actor: &str) -> Result<(), OrderError> {
    let run = held(engine, id).await?;
    if let Some(newer) = engine.store.newer_sent(&run).await? {
        return refuse(format!("run {newer} has sent newer data meanwhile: refuse this one"));
    }
    engine.store.approve(run.seq, actor, engine.clock.now()).await?;
    engine.bells.dispatcher.notify_one();
    Ok(())
}

/// 「送信しない」: a held run ends without having sent anything.
///
/// # Errors
/// A run that is not held.
pub async fn refuse_held(engine: &Engine, id: &str, actor: &str) -> Result<(), OrderError> {
    let run = held(engine, id).await?;
    let failure = Failure::new(Code::Refused, format!("refused by {actor}"));
    close(engine, &run, &failure).await
}

async fn held(engine: &Engine, id: &str) -> Result<Run, OrderError> {
    let run = engine.store.run(id).await?;
    if run.state == RunState::Held {
        return Ok(run);
    }
    refuse(format!("run {id} is {}, not held: there is nothing to decide", run.state))
}

async fn close(engine: &Engine, run: &Run, failure: &Failure) -> Result<(), OrderError> {
    let news = reporting::news(engine, run, RunState::Cancelled, Some(failure)).await?;
    engine.store.cancel(run.seq, run.state, failure, &news, engine.clock.now()).await?;
    engine.news_is_out();
    Ok(())
}
