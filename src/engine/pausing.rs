//! Pauses of integrations. A refused token or route pauses after one try, so that a wrong token does not lock the
//! account; the pause is over when what the token's reference resolves to changes, or when a person says so. The next
//! run is the proof.

use super::Engine;
use super::orders::OrderError;
use crate::domain::failure::{Code, Failure};
use crate::domain::integration::Integration;
use crate::settings::secrets::Resolver;
use crate::store::StoreError;
use crate::store::pauses::{Pause, PauseCause};
use crate::store::runs::Run;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tracing::info;

/// Pauses an integration (id or name), because a person wants it so.
///
/// # Errors
/// An unknown integration, one that is paused already, no reason.
pub async fn pause(engine: &Engine, name: &str, reason: &str, actor: &str) -> Result<(), OrderError> {
    let id = known(engine, name).await?;
    if reason.trim().is_empty() || reason.chars().any(char::is_control) {
        return Err(OrderError::Refused("a pause needs a reason in one line".to_owned()));
    }
    let now = engine.clock.now();
    let cause = PauseCause::Person(actor.to_owned());
    let pause = Pause { integration: id, since: now, cause, reason: format!("{reason} ({actor})") };
    match engine.store.pause(&pause, actor, now).await? {
        true => Ok(()),
        false => Err(OrderError::Refused(format!("the integration {name} is paused already"))),
    }
}

/// Ends the pause of an integration (id or name).
///
/// # Errors
/// An unknown integration, or one that is not paused.
pub async fn resume(engine: &Engine, name: &str, actor: &str) -> Result<(), OrderError> {
    let id = known(engine, name).await?;
    engine.store.resume(&id, actor, "resumed by a person", engine.clock.now()).await?;
    engine.bells.dispatcher.notify_one();
    Ok(())
}

async fn known(engine: &Engine, name: &str) -> Result<String, OrderError> {
    let settings = engine.store.settings().await?;
    let found = settings.integration(name).map(|one| one.id().to_owned());
    let why = || format!("there is no integration {name:?}: `renkei integration list` shows them");
    found.ok_or_else(|| OrderError::Refused(why()))
}

/// The pause that a run's failure causes, if it is a refusal.
pub(super) async fn after(engine: &Engine, run: &Run, failure: Option<&Failure>) -> Result<Option<Pause>, StoreError> {
    let Some(failure) = failure.filter(|one| matches!(one.code, Code::DeniedToken | Code::DeniedRoute)) else {
        return Ok(None);
    };
    let settings = engine.store.settings().await?;
    let integration = settings.integration(&run.integration_id);
    let token = match failure.code {
        Code::DeniedToken => integration.and_then(|one| fingerprint(&engine.secrets, one, &run.id)),
        // A proxy or an IP restriction is nothing that a token changes.
        _ => None,
    };
    Ok(Some(Pause {
        integration: run.integration_id.clone(),
        since: engine.clock.now(),
        reason: format!("run {} was refused: {}", run.id, failure.message),
        cause: PauseCause::Refusal {
            code: failure.code,
            run: run.id.clone(),
            token: token.map(|fingerprint| (run.id.clone(), fingerprint)),
        },
    }))
}

/// Ends the pauses whose token is another one now and says whether there was one to watch.
///
/// # Errors
/// The database could not be asked.
pub async fn review(engine: &Engine) -> Result<bool, StoreError> {
    let watched: Vec<(Pause, String, String)> = engine.store.pauses().await?.into_iter().filter_map(watched).collect();
    if watched.is_empty() {
        return Ok(false);
    }
    let settings = engine.store.settings().await?;
    for (pause, salt, refused) in watched {
        let Some(integration) = settings.integration(&pause.integration) else { continue };
        // A reference that does not resolve just now is no new token.
        let Some(now) = fingerprint(&engine.secrets, integration, &salt) else { continue };
        if now != refused {
            let why = "its token is another one now; the next run is the proof";
            engine.store.resume(&pause.integration, "renkei", why, engine.clock.now()).await?;
            info!(integration = integration.name(), "integration resumed: {why}");
        }
    }
    Ok(true)
}

fn watched(pause: Pause) -> Option<(Pause, String, String)> {
    match pause.cause.clone() {
        PauseCause::Refusal { token: Some((salt, fingerprint)), .. } => Some((pause, salt, fingerprint)),
        _ => None,
    }
}

/// A fingerprint of the headers as they resolve now: tells another token, and nothing of the token.
fn fingerprint(secrets: &Resolver, integration: &Integration, salt: &str) -> Option<String> {
    let mut hash = Sha256::new();
    hash.update(salt);
    for (name, value) in &integration.form().headers {
        let value = secrets.resolve(value).ok()?;
        for part in [name.as_str(), value.expose_secret()] {
            hash.update([0]);
            hash.update(part);
        }
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
