//! What a run needs before it can start: its menu and integration as they are now, secrets resolved, a client.

use super::Engine;
use super::executor::Stop;
use super::reporting;
use super::steadily::Steady;
use crate::domain::failure::{Code, Failure};
use crate::domain::integration::Integration;
use crate::domain::menu::Menu;
use crate::push::Client;
use crate::store::runs::Run;
use chrono_tz::Tz;
use std::path::PathBuf;

/// A run with everything it needs.
pub(super) struct Job {
    pub(super) run: Run,
    pub(super) menu: Menu,
    pub(super) integration: Integration,
    pub(super) zone: Tz,
    pub(super) folder: PathBuf,
    pub(super) client: Client,
    /// The requests that the account may have in any minute: the smallest limit of its integrations.
    pub(super) limit: u32,
    /// What the run asks of the database is asked through it.
    pub(super) steady: Steady,
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
    let secret = |error: &dyn std::fmt::Display| Stop::failed(Failure::new(Code::SecretMissing, error.to_string()));
    let mut headers = Vec::new();
    for (name, value) in &integration.form().headers {
        let resolved = engine.secrets.resolve(value).map_err(|error| secret(&error))?;
        headers.push((name.clone(), resolved));
    }
    let proxy = integration.form().route.proxy.as_ref();
    let proxy = proxy.map(|value| engine.secrets.resolve(value)).transpose().map_err(|error| secret(&error))?;
    let client = Client::build(&integration, headers, proxy)
        .map_err(|error| Stop::failed(Failure::new(error.code(), error.to_string())))?;
    let folder = engine.folder_of(&run.id);
    let of_account = settings.integrations.iter().filter(|one| one.account() == integration.account());
    let limit = of_account.map(|one| one.form().limits.requests_per_minute).min().unwrap_or(1);
    Ok(Job { run, menu, integration, zone, folder, client, limit, steady })
}
