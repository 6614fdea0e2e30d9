//! Integrations, menus and timers as they stand, and how they change: every change is a numbered version and an audit
//! entry, and first accounts for the slots of each timer it touches, all in one transaction.

use super::people::{AuditEntry, audit};
use super::planning;
use super::row::{Columns, to_json};
use super::{Store, StoreError, StoreResult, Transaction, millis};
use crate::domain::integration::Integration;
use crate::domain::menu::Menu;
use crate::domain::timer::Timer;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;

/// A timer with what the store knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTimer {
    /// The timer.
    pub timer: Timer,
    /// Who saved it last (設定者).
    pub set_by: String,
    /// When its switch was turned last.
    pub switched_at: DateTime<Utc>,
    /// Slots up to here are accounted for.
    pub cursor_at: DateTime<Utc>,
    /// The next slot.
    pub next_at: Option<DateTime<Utc>>,
}

/// The settings as they stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The version, 0 before the first apply.
    pub version: i64,
    /// システム連携設定, by name.
    pub integrations: Vec<Integration>,
    /// メニュー, by name.
    pub menus: Vec<Menu>,
    /// タイマー, by name.
    pub timers: Vec<StoredTimer>,
}

impl Settings {
    /// By id or, where no id fits, by name.
    #[must_use]
    pub fn integration(&self, name: &str) -> Option<&Integration> {
        let all = &self.integrations;
        all.iter().find(|one| one.id() == name).or_else(|| all.iter().find(|one| one.name() == name))
    }

    /// By id or, where no id fits, by name.
    #[must_use]
    pub fn menu(&self, name: &str) -> Option<&Menu> {
        self.menus.iter().find(|one| one.id() == name).or_else(|| self.menus.iter().find(|one| one.name() == name))
    }

    /// By id or, where no id fits, by name.
    #[must_use]
    pub fn timer(&self, name: &str) -> Option<&StoredTimer> {
        let all = &self.timers;
        all.iter().find(|one| one.timer.id() == name).or_else(|| all.iter().find(|one| one.timer.name() == name))
    }
}

/// What a version changes. An entity that is put replaces the one of the same id.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Integrations to put.
    pub integrations: Vec<Integration>,
    /// Menus to put.
    pub menus: Vec<Menu>,
    /// Timers to put.
    pub timers: Vec<Timer>,
    /// Ids of integrations to remove.
    pub remove_integrations: Vec<String>,
    /// Ids of menus to remove.
    pub remove_menus: Vec<String>,
    /// Ids of timers to remove.
    pub remove_timers: Vec<String>,
    /// What the audit log is told, secrets masked by the caller.
    pub audit: Vec<AuditEntry>,
    /// Why, for the list of versions.
    pub note: String,
}

fn definition<T: DeserializeOwned>(row: &AnyRow) -> StoreResult<T> {
    row.json("definition")
}

fn stored_timer(row: &AnyRow) -> StoreResult<StoredTimer> {
    Ok(StoredTimer {
        timer: definition(row)?,
        set_by: row.text("set_by")?,
        switched_at: row.time("switched_at")?,
        cursor_at: row.time("cursor_at")?,
        next_at: row.time_or_null("next_at")?,
    })
}

const TIMERS: &str = "SELECT definition, set_by, switched_at, cursor_at, next_at FROM timers";

async fn version(executor: impl sqlx::AnyExecutor<'_>) -> StoreResult<i64> {
    let sql = "SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) AS number FROM settings_versions";
    sqlx::query(sql).fetch_one(executor).await?.number("number")
}

/// Reads the settings inside a transaction.
pub(super) async fn read(tx: &mut Transaction) -> StoreResult<Settings> {
    let integrations = sqlx::query("SELECT definition FROM integrations ORDER BY name").fetch_all(&mut **tx).await?;
    let menus = sqlx::query("SELECT definition FROM menus ORDER BY name").fetch_all(&mut **tx).await?;
    let timers = sqlx::query(sqlx::AssertSqlSafe(format!("{TIMERS} ORDER BY name"))).fetch_all(&mut **tx).await?;
    Ok(Settings {
        version: version(&mut **tx).await?,
        integrations: integrations.iter().map(definition).collect::<StoreResult<_>>()?,
        menus: menus.iter().map(definition).collect::<StoreResult<_>>()?,
        timers: timers.iter().map(stored_timer).collect::<StoreResult<_>>()?,
    })
}

/// The timers whose next slot has come, the earliest first.
pub(super) async fn due_timers(tx: &mut Transaction, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<StoredTimer>> {
    let sql = sqlx::AssertSqlSafe(format!("{TIMERS} WHERE next_at <= $1 ORDER BY next_at LIMIT $2"));
    let rows = sqlx::query(sql).bind(millis(now)).bind(i64::from(limit)).fetch_all(&mut **tx).await?;
    rows.iter().map(stored_timer).collect()
}

impl Store {
    /// The settings as they stand.
    pub async fn settings(&self) -> StoreResult<Settings> {
        let mut tx = self.reader().begin().await?;
        let settings = read(&mut tx).await?;
        tx.rollback().await?;
        Ok(settings)
    }

    /// The newest version's number; cheap enough to ask every second.
    pub async fn settings_version(&self) -> StoreResult<i64> {
        version(self.reader()).await
    }

    /// Saves a change as a new version and gives its number. `zone` is the zone of timers that name none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when `based_on` is not the newest version any more: somebody saved in between.
    pub async fn save_settings(
        &self,
        change: &SettingsChange,
        based_on: i64,
        actor: &str,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> StoreResult<i64> {
        let mut tx = self.write().await?;
        let old = read(&mut tx).await?;
        if old.version != based_on {
            return Err(StoreError::Conflict(format!(
                "the settings were changed meanwhile (version {based_on} → {}): plan again and look at it",
                old.version
            )));
        }
        let touched = change.timers.iter().map(Timer::id).chain(change.remove_timers.iter().map(String::as_str));
        for stored in touched.filter_map(|id| old.timers.iter().find(|stored| stored.timer.id() == id)) {
            planning::account(&mut tx, stored, &old, zone, now).await?;
        }
        let number = old.version + 1;
        sqlx::query("INSERT INTO settings_versions (number, at, actor, note) VALUES ($1, $2, $3, $4)")
            .bind(number)
            .bind(millis(now))
            .bind(actor)
            .bind(&change.note)
            .execute(&mut *tx)
            .await?;
        replace(&mut tx, number, change).await?;
        for id in &change.remove_timers {
            planning::supersede(&mut tx, &old, id, None, zone, now).await?;
        }
        for timer in &change.timers {
            put_timer(&mut tx, timer, &old, actor, zone, now).await?;
        }
        for entry in &change.audit {
            audit(&mut tx, entry, actor, now).await?;
        }
        tx.commit().await?;
        Ok(number)
    }
}

/// Deletes first, then inserts, so that two entities may swap their names.
async fn replace(tx: &mut Transaction, version: i64, change: &SettingsChange) -> StoreResult<()> {
    let remove = "DELETE FROM integrations WHERE id = $1";
    for id in
        change.remove_integrations.iter().map(String::as_str).chain(change.integrations.iter().map(Integration::id))
    {
        sqlx::query(remove).bind(id).execute(&mut **tx).await?;
    }
    for id in change.remove_menus.iter().map(String::as_str).chain(change.menus.iter().map(Menu::id)) {
        sqlx::query("DELETE FROM menus WHERE id = $1").bind(id).execute(&mut **tx).await?;
    }
    for id in change.remove_timers.iter().map(String::as_str).chain(change.timers.iter().map(Timer::id)) {
        sqlx::query("DELETE FROM timers WHERE id = $1").bind(id).execute(&mut **tx).await?;
    }
    for one in &change.integrations {
        let text = to_json(one)?;
        sqlx::query("INSERT INTO integrations (id, name, definition) VALUES ($1, $2, $3)")
            .bind(one.id())
            .bind(one.name())
            .bind(&text)
            .execute(&mut **tx)
            .await?;
        define(tx, version, "integration", one.id(), Some(&text)).await?;
    }
    for one in &change.menus {
        let text = to_json(one)?;
        sqlx::query("INSERT INTO menus (id, name, definition) VALUES ($1, $2, $3)")
            .bind(one.id())
            .bind(one.name())
            .bind(&text)
            .execute(&mut **tx)
            .await?;
        define(tx, version, "menu", one.id(), Some(&text)).await?;
    }
    for one in &change.timers {
        define(tx, version, "timer", one.id(), Some(&to_json(one)?)).await?;
    }
    let removed = [
        ("integration", &change.remove_integrations),
        ("menu", &change.remove_menus),
        ("timer", &change.remove_timers),
    ];
    for (kind, ids) in removed {
        for id in ids {
            define(tx, version, kind, id, None).await?;
        }
    }
    Ok(())
}

async fn define(tx: &mut Transaction, version: i64, kind: &str, id: &str, text: Option<&str>) -> StoreResult<()> {
    sqlx::query("INSERT INTO definitions (version, kind, id, definition) VALUES ($1, $2, $3, $4)")
        .bind(version)
        .bind(kind)
        .bind(id)
        .bind(text.map(str::to_owned))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Inserts a timer whose cursor starts now: what was due under its old definition has been accounted for.
async fn put_timer(
    tx: &mut Transaction,
    timer: &Timer,
    old: &Settings,
    actor: &str,
    zone: Tz,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let before = old.timers.iter().find(|stored| stored.timer.id() == timer.id());
    let schedule = timer.form().schedule.as_ref().filter(|_| timer.is_on());
    let next = schedule.and_then(|schedule| schedule.next_after(timer.zone(zone), now));
    let switched_at =
        before.filter(|stored| stored.timer.is_on() == timer.is_on()).map_or(now, |stored| stored.switched_at);
    planning::supersede(tx, old, timer.id(), next, zone, now).await?;
    sqlx::query(
        "INSERT INTO timers (id, name, definition, set_by, switched_at, cursor_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(timer.id())
    .bind(timer.name())
    .bind(to_json(timer)?)
    .bind(actor)
    .bind(millis(switched_at))
    .bind(millis(now))
    .bind(next.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
