//! Planning a stop (連携停止期間), and taking it back: what people say in names and local times becomes a checked stop.

use crate::domain::integration::Account;
use crate::domain::stop::{SlotsInside, Stop, StopScope};
use crate::store::stops::StoredStop;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};

/// A stop as a person wants it.
#[derive(Debug, Clone)]
pub struct WantedStop {
    /// Only the runs of this timer (name or id).
    pub timer: Option<String>,
    /// Only the runs of this account, as in `example.rakurakuseisan.jp/acme`, or that of an integration (name or id).
    pub account: Option<String>,
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
    /// What becomes of slots inside.
    pub slots: SlotsInside,
    /// Why, for people.
    pub reason: String,
}

/// Why a stop was not planned.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// It makes no sense; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Plans a stop.
///
/// # Errors
/// One that ends before it begins or is over already, an unknown timer or account, no reason.
pub async fn plan_stop(
    store: &Store,
    wanted: &WantedStop,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<StoredStop, StopError> {
    let refuse = |why: String| Err(StopError::Refused(why));
    if wanted.reason.trim().is_empty() || wanted.reason.chars().any(char::is_control) {
        return refuse("a stop needs a reason in one line: people will ask why nothing was sent".to_owned());
    }
    if wanted.until <= wanted.from {
        return refuse("the stop ends before it begins: write --from before --until".to_owned());
    }
    if wanted.until <= now {
        return refuse("the stop is over already: write an --until that lies ahead".to_owned());
    }
    let settings = store.settings().await?;
    let scope = match (&wanted.timer, &wanted.account) {
        (Some(_), Some(_)) => return refuse("a stop concerns a timer or an account, not both".to_owned()),
        (Some(name), None) => match settings.timer(name) {
            Some(stored) => StopScope::Timer(stored.timer.id().to_owned()),
            None => return refuse(format!("there is no timer {name:?}: `renkei timer list` shows the timers")),
        },
        (None, Some(name)) => {
            let by_integration = settings.integration(name).map(|one| one.account().clone());
            let accounts = settings.integrations.iter().map(|one| one.account());
            let known = by_integration.or_else(|| accounts.clone().find(|one| one.as_str() == name).cloned());
            match known {
                Some(account) => StopScope::Account(account),
                None => {
                    let mut known: Vec<&str> = accounts.map(Account::as_str).collect();
                    known.sort_unstable();
                    known.dedup();
                    return refuse(format!("no integration has the account {name:?}; known are: {}", known.join(", ")));
                }
            }
        }
        (None, None) => StopScope::All,
    };
    let stop = Stop { scope, from: wanted.from, until: wanted.until, slots: wanted.slots };
    let number = store.add_stop(&stop, &wanted.reason, actor, now).await?;
    Ok(StoredStop { number, stop, reason: wanted.reason.clone(), set_by: actor.to_owned() })
}
