//! What timers point at, of the settings as they stand.

use super::super::row::Columns;
use super::super::{StoreResult, Transaction, calendar, settings};
use crate::domain::calendar::Calendar;
use crate::domain::integration::{Account, Integration};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A menu, as far as a run carries it.
#[derive(Debug, Clone)]
pub(super) struct MenuRef {
    pub(super) id: String,
    pub(super) name: String,
}

/// An integration, as far as a run carries it.
#[derive(Debug, Clone)]
pub(super) struct IntegrationRef {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: Account,
}

/// The menus and integrations, by id and by name, and the days that are worked.
#[derive(Debug, Default)]
pub(in super::super) struct Targets {
    /// The version of the settings that they are of.
    pub(super) version: i64,
    pub(super) calendar: Calendar,
    menus: BTreeMap<String, MenuRef>,
    integrations: BTreeMap<String, IntegrationRef>,
}

/// The targets that were read last. Until a new version of the settings is saved they are not read again: a planner that
/// plans twenty slots a second among ten thousand menus would do little else.
pub(in super::super) type LastTargets = Arc<std::sync::Mutex<Arc<Targets>>>;

impl Targets {
    pub(in super::super) async fn read(tx: &mut Transaction) -> StoreResult<Targets> {
        let menus = sqlx::query("SELECT id, name FROM menus").fetch_all(&mut **tx).await?;
        let menu = |row: &AnyRow| Ok(MenuRef { id: row.text("id")?, name: row.text("name")? });
        let menus = menus.iter().map(menu).collect::<StoreResult<Vec<_>>>()?;
        let integrations = sqlx::query("SELECT definition FROM integrations").fetch_all(&mut **tx).await?;
        let integration = |row: &AnyRow| {
            let one: Integration = row.json("definition")?;
            Ok(IntegrationRef { id: one.id().to_owned(), name: one.name().to_owned(), account: one.account().clone() })
        };
        let integrations = integrations.iter().map(integration).collect::<StoreResult<Vec<_>>>()?;
        Ok(Targets {
            version: settings::version(&mut **tx).await?,
            calendar: calendar::load(tx).await?,
            menus: by_id_and_name(menus, |one| (&one.id, &one.name)),
            integrations: by_id_and_name(integrations, |one| (&one.id, &one.name)),
        })
    }

    /// The last ones where the settings have not changed since.
    pub(super) async fn read_again(tx: &mut Transaction, last: &LastTargets) -> StoreResult<Arc<Targets>> {
        let version = settings::version(&mut **tx).await?;
        let known = || last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let targets = Arc::clone(&known());
        if targets.version == version {
            return Ok(targets);
        }
        let targets = Arc::new(Targets::read(tx).await?);
        *known() = Arc::clone(&targets);
        Ok(targets)
    }

    /// By id or, where no id fits, by name.
    pub(super) fn menu(&self, name: &str) -> Option<&MenuRef> {
        self.menus.get(name)
    }

    /// By id or, where no id fits, by name.
    pub(super) fn integration(&self, name: &str) -> Option<&IntegrationRef> {
        self.integrations.get(name)
    }
}

fn by_id_and_name<T: Clone>(all: Vec<T>, id_and_name: impl Fn(&T) -> (&str, &str)) -> BTreeMap<String, T> {
    let mut found: BTreeMap<String, T> = all.iter().map(|one| (id_and_name(one).1.to_owned(), one.clone())).collect();
    found.extend(all.into_iter().map(|one| (id_and_name(&one).0.to_owned(), one)));
    found
}
