//! What people ask of runs: start, repeat, cancel, approve, refuse. Command line and console both come through here.
//! Nothing is carried here; a run is queued or moved, and the loops do the rest.

use super::{Engine, ending, exporting};
use crate::domain::ending::stopped_state;
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
    /// What is named is not there, or a run is not in a state that allows it; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// It was asked in a way that the settings have no answer to; the sentence says how to ask, or what to set.
    #[error("{0}")]
    Usage(String),
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

/// A run that a person wants repeated.
#[derive(Debug, Clone, Default)]
pub struct Repeat {
    /// Its 実行番号.
    pub id: String,
    /// Only the batches that were not taken.
    pub only_failed: bool,
    /// Send it even over newer data.
    pub forced: bool,
    /// The run, by its number in the store, that has to end well first.
    pub behind: Option<i64>,
}

fn refuse<T>(why: impl Into<String>) -> Result<T, OrderError> {
    Err(OrderError::Refused(why.into()))
}

fn misused<T>(why: impl Into<String>) -> Result<T, OrderError> {
    Err(OrderError::Usage(why.into()))
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
    not_paused(engine, integration.id()).await?;
    let keys = Some(wanted.keys.clone()).filter(|keys| !keys.is_empty());
    if keys.is_some() && menu.form().key.is_empty() {
        return misused(format!("the menu {} has no key: add `key: […]` to it to choose records", menu.name()));
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
        start_by: None,
        wanted_keys: keys,
        retry_of: None,
        forced: false,
        only_failed: false,
        behind: None,
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
        (Some(name), _) => misused(format!(
            "the integration {name:?} is not applied to the menu {}: add it to the menu's `integrations`",
            menu.name()
        )),
        (None, [only]) => Ok(only.clone()),
        (None, []) => {
            misused(format!("no integration is applied to the menu {}: add one to its `integrations`", menu.name()))
        }
        (None, several) => misused(format!(
            "the menu {} has several integrations: choose one with --integration: {}",
            menu.name(),
            several.join(", ")
        )),
    }
}

/// Repeats an ended run on the files that it has, or exports anew where it has none.
///
/// # Errors
/// A run that is still open; one whose data is older than what has been sent meanwhile, unless `forced`; one of which
/// only some batches are wanted, and whose files are gone.
pub async fn retry(engine: &Engine, repeat: &Repeat, actor: &str) -> Result<Run, OrderError> {
    let Repeat { id, only_failed, forced, behind } = repeat;
    let (only_failed, forced) = (*only_failed, *forced);
    let earlier = engine.store.run(id).await?;
    if earlier.state == RunState::Confirming {
        return refuse(format!("run {id} is still confirming: wait for its end, which says what is to be sent again"));
    }
    if !earlier.state.is_ended() {
        return refuse(format!("run {id} is still {}: cancel it first, or wait for its end", earlier.state));
    }
    let files = exporting::stored_files(engine, &earlier).await?;
    if files.is_ok()
        && !forced
        && let Some(newer) = engine.store.newer_sent(&earlier).await?
    {
        return refuse(format!(
            "run {newer} has sent newer data of {} meanwhile: start a new run instead, or repeat with --force",
            earlier.menu
        ));
    }
    not_paused(engine, &earlier.integration_id).await?;
    if only_failed && earlier.state.is_good() {
        return refuse(format!("every batch of run {id} was taken: there is nothing to repeat"));
    }
    if let Err(why) = files
        && only_failed
        && earlier.exported_at.is_some()
    {
        return refuse(format!("run {id}: {why}: its batches cannot be sent one by one: start a new run"));
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
        start_by: None,
        wanted_keys: earlier.wanted_keys,
        retry_of: Some(id.clone()),
        forced,
        only_failed,
        behind: *behind,
    };
    queue(engine, &new).await
}

/// Repeats what was skipped because of a run: its followers, and theirs, each behind the repeat of its leader. Gives
/// the new runs in order.
///
/// # Errors
/// As [`retry`]; the repeats that were queued before stay.
pub async fn retry_followers(engine: &Engine, of: &Run, repeat: &Run, actor: &str) -> Result<Vec<Run>, OrderError> {
    let mut queued = Vec::new();
    let mut leaders = vec![(of.seq, repeat.seq)];
    while let Some((old, new)) = leaders.pop() {
        for follower in engine.store.skipped_followers(old).await? {
            let again = Repeat { id: follower.id.clone(), behind: Some(new), ..Repeat::default() };
            let run = retry(engine, &again, actor).await?;
            leaders.push((follower.seq, run.seq));
            queued.push(run);
        }
    }
    Ok(queued)
}

/// Nothing is sent through an integration that is paused, so nothing is queued that would only wait.
async fn not_paused(engine: &Engine, integration: &str) -> Result<(), OrderError> {
    match engine.store.pauses().await?.into_iter().find(|pause| pause.integration == integration) {
        None => Ok(()),
        Some(pause) => refuse(format!(
            "the integration {integration} is paused: {}: mend the cause, then `renkei integration resume {integration}`",
            pause.reason
        )),
    }
}

/// Why a run, as it stands, would not be repeated on its stored files but on what the source has now; `None` if it is
/// repeated byte for byte.
///
/// # Errors
/// There is no such run.
pub async fn exports_anew(engine: &Engine, id: &str) -> Result<Option<&'static str>, OrderError> {
    let run = engine.store.run(id).await?;
    Ok(exporting::stored_files(engine, &run).await?.err())
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
/// A run that has ended, and one that is confirming.
pub async fn cancel(engine: &Engine, id: &str, actor: &str) -> Result<RunState, OrderError> {
    let run = engine.store.run(id).await?;
    let failure = Failure::new(Code::Cancelled, format!("cancelled by {actor}"));
    match run.state {
        RunState::Running => engine.store.request_cancel(run.seq, actor, engine.clock.now()).await?,
        RunState::Confirming => return still_confirming(engine, &run).await,
        state if state.may_become(RunState::Cancelled) => close(engine, &run, &failure).await?,
        state => return refuse(format!("run {id} is {state}: there is nothing to cancel")),
    }
    Ok(run.state)
}

/// What was taken cannot be called back, and to stop asking would only hide what became of it.
async fn still_confirming<T>(engine: &Engine, run: &Run) -> Result<T, OrderError> {
    let open = engine.store.confirmations(run.seq).await?;
    let until = open.iter().filter(|one| one.next_at.is_some()).map(|one| one.until_at).max();
    let until =
        until.map(|until| until.with_timezone(&engine.config.timezone).format(", at the latest at %Y-%m-%d %H:%M:%S"));
    refuse(format!(
        "run {} is confirming: its files were taken, and nothing calls them back. It ends by itself when the receiver \
         says what became of them{}",
        run.id,
        until.map(|until| until.to_string()).unwrap_or_default()
    ))
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
    // One that waits to go on may have sent some of its files.
    let batches = engine.store.batches(run.seq).await?;
    let state = stopped_state(&batches.iter().map(|batch| batch.state).collect::<Vec<_>>());
    Ok(ending::end(engine, run, run.state, state, Some(failure.clone())).await?)
}
