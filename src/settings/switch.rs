//! Turning a timer's switch: a change of settings like any other, with a version and an audit entry of its own.

use crate::domain::timer::Switch;
use crate::store::people::AuditEntry;
use crate::store::settings::SettingsChange;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Why a switch was not turned.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There is no such timer.
    #[error("there is no timer {0:?}: `renkei timer list` shows the timers")]
    NoTimer(String),
    /// The timer cannot be on.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Turns the switch of a timer (id or name); `false` when it stood so already.
///
/// # Errors
/// An unknown timer; a timer without a schedule cannot be switched on.
pub async fn switch_timer(
    store: &Store,
    name: &str,
    to: Switch,
    actor: &str,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<bool, SwitchError> {
    let settings = store.settings().await?;
    let stored = settings.timer(name).ok_or_else(|| SwitchError::NoTimer(name.to_owned()))?;
    if stored.timer.is_on() == (to == Switch::On) {
        return Ok(false);
    }
    let (timer, _) = stored.timer.switched(to).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        SwitchError::Refused(format!("{name}: {}", faults.join("; ")))
    })?;
    let word = |on: bool| Some(format!("switch: {}", if on { "on" } else { "off" }));
    let entry = AuditEntry {
        action: "switch".to_owned(),
        entity: format!("timer {}", timer.name()),
        old: word(stored.timer.is_on()),
        new: word(timer.is_on()),
    };
    let note = format!("timer {} switched {}", timer.name(), if timer.is_on() { "on" } else { "off" });
    let change = SettingsChange { timers: vec![timer], audit: vec![entry], note, ..SettingsChange::default() };
    store.save_settings(&change, settings.version, actor, zone, now).await?;
    Ok(true)
}
