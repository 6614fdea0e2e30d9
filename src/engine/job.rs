//! What a run needs before it can start: its menu and integration as they are now, secrets resolved, a client.

use super::Engine;
use super::executor::Stop;
use super::reporting;
use super::steadily::Steady;
use crate::domain::failure::{Code, Failure};
use crate::domain::integration::{Account, Integration};
use crate::domain::menu::Menu;
use crate::domain::secret::SecretText;
use crate::push::Client;
use crate::settings::secrets::SecretError;
use crate::store::runs::Run;
use crate::store::settings::Settings;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;
use std::path::PathBuf;

/// A run with everything it needs.
pub(super) struct Job {
    pub(super) run: Run,
    pub(super) menu: Menu,
    pub(super) integration: Integration,
    pub(super) zone: Tz,
    pub(super) folder: PathBuf,
    pub(super) client: Client,
    /// When its timer's `time_limit` is over.
    pub(super) deadline: Option<DateTime<Utc>>,
    /// The requests that the account may have in any minute: the smallest limit of its integrations.
    pub(super) limit: u32,
    /// What the run asks of the database is asked through it.
    pub(super) steady: Steady,
}

impl Job {
    /// The failure of a run whose `time_limit` is over.
    pub(super) fn over_time(&self) -> Failure {
        let minutes = self.deadline.zip(self.run.started_at).map_or(0, |(end, start)| (end - start).num_minutes());
        let message = format!("it was not done within its time_limit of {minutes} min; what was sent until then stays");
        Failure::new(Code::TimeLimit, message)
    }
}

/// Gathers it. Settings are read now, not when the run was queued: a corrected setting serves at once.
pub(super) async fn prepare(engine: &Engine, run: Run, steady: Steady) -> Result<Job, Stop> {
    let settings = steady.insist(|| engine.store.settings()).await?;
    reporting::started(engine, &run, &settings).await;
    let gone = |what: &str, id: &str| {
        let message = format!("the {what} {id:?} is no longer in the settings: apply it again, or remove what runs it");
        Stop::failed(Failure::new(Code::SettingsInvalid, message))
    };
    let menu = settings.menu(&run.menu_id).cloned().ok_or_else(|| gone("menu", &run.menu_id))?;
    let integration =
        settings.integration(&run.integration_id).cloned().ok_or_else(|| gone("integration", &run.integration_id))?;
    let default = engine.config.timezone;
    let timer = run.timer_id.as_deref().and_then(|id| settings.timer(id));
    let zone = timer.map_or(default, |stored| stored.timer.zone(default));
    let secret = |error: SecretError| Stop::failed(Failure::new(Code::SecretMissing, error.to_string()));
    let headers = resolved(engine, &integration.form().headers).map_err(secret)?;
    let proxy = proxy(engine, &integration).map_err(secret)?;
    let client = Client::build(&integration, headers, proxy)
        .map_err(|error| Stop::failed(Failure::new(error.code(), error.to_string())))?;
    let folder = engine.folder_of(&run.id);
    let limit = limit_of(&settings, integration.account());
    let time_limit = timer.and_then(|stored| stored.timer.form().time_limit);
    let deadline = run.started_at.zip(time_limit).map(|(started, limit)| started + limit.to_delta());
    Ok(Job { run, menu, integration, zone, folder, client, deadline, limit, steady })
}

/// The requests that an account may have in any minute: the smallest limit of its integrations.
pub(super) fn limit_of(settings: &Settings, account: &Account) -> u32 {
    let of_account = settings.integrations.iter().filter(|one| one.account() == account);
    of_account.map(|one| one.form().limits.requests_per_minute).min().unwrap_or(1)
}

/// Headers with their secrets resolved, as they are now.
pub(super) fn resolved(
    engine: &Engine,
    headers: &[(String, SecretText)],
) -> Result<Vec<(String, SecretString)>, SecretError> {
    headers.iter().map(|(name, value)| Ok((name.clone(), engine.secrets.resolve(value)?))).collect()
}

/// The proxy of a route with its secrets resolved.
pub(super) fn proxy(engine: &Engine, integration: &Integration) -> Result<Option<SecretString>, SecretError> {
    integration.form().route.proxy.as_ref().map(|value| engine.secrets.resolve(value)).transpose()
}
