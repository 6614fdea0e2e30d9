//! Turning a timer's switch: a change of settings like any other, with a version and an audit entry of its own.

use crate::domain::timer::{Switch, Timer};
use crate::store::people::AuditEntry;
use crate::store::settings::SettingsChange;
use crate::store::{Store, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
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

/// Turns the switch of a timer (id or name); `until` is the local date on which one that is switched off is on again.
/// `false` when it stood so already.
///
/// # Errors
/// An unknown timer; a timer without a schedule cannot be switched on, now or later.
pub async fn switch_timer(
    store: &Store,
    name: &str,
    to: Switch,
    until: Option<NaiveDate>,
    actor: &str,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<bool, SwitchError> {
    let settings = store.settings().await?;
    if let Some(until) = until.filter(|until| *until <= now.with_timezone(&zone).date_naive()) {
        return Err(SwitchError::Refused(format!(
            "{name}: {until} lies not ahead: write the date on which it is on again"
        )));
    }
    let stored = settings.timer(name).ok_or_else(|| SwitchError::NoTimer(name.to_owned()))?;
    if stored.timer.form().switch == to && stored.timer.form().until == until {
        return Ok(false);
    }
    let (timer, _) = stored.timer.switched(to, until).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        SwitchError::Refused(format!("{name}: {}", faults.join("; ")))
    })?;
    let word = |timer: &Timer| match (timer.is_on(), timer.form().until) {
        (true, _) => "on".to_owned(),
        (false, None) => "off".to_owned(),
        (false, Some(until)) => format!("off until {until}"),
    };
    let entry_of = |timer: &Timer| Some(format!("switch: {}", word(timer)));
    let entry = AuditEntry {
        action: "switch".to_owned(),
        entity: format!("timer {}", timer.name()),
        old: entry_of(&stored.timer),
        new: entry_of(&timer),
    };
    let note = format!("timer {} switched {}", timer.name(), word(&timer));
    let change = SettingsChange { timers: vec![timer], audit: vec![entry], note, ..SettingsChange::default() };
    store.save_settings(&change, settings.version, actor, zone, now).await?;
    Ok(true)
}
