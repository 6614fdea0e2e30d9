//! Integrations, menus and timers as they stand, and how they change: every change is a numbered version and an audit
//! entry, and first accounts for the slots of each timer it touches, all in one transaction.

use super::people::{AuditEntry, audit};
use super::row::{self, Columns, to_json};
use super::{Store, StoreError, StoreResult, Transaction, millis};
use super::{calendar, planning};
use crate::domain::calendar::{Calendar, CompanyDays, OfficialHolidays};
use crate::domain::integration::Integration;
use crate::domain::menu::Menu;
use crate::domain::schedule::Schedule;
use crate::domain::timer::Timer;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

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
    /// Slots up to here were reckoned under another default zone or other rules of schedules than those of now.
    pub rules_from: Option<DateTime<Utc>>,
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
    /// Which days are worked.
    pub calendar: Calendar,
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
    /// The company's days, where they change.
    pub calendar: Option<CompanyDays>,
    /// A list of holidays that takes the place of the one before.
    pub holidays: Option<OfficialHolidays>,
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

/// The settings as they stood under an earlier version.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSettings {
    /// When the version was saved.
    pub at: DateTime<Utc>,
    /// Who saved it.
    pub actor: String,
    /// Why.
    pub note: String,
    /// システム連携設定, by id.
    pub integrations: Vec<Integration>,
    /// メニュー, by id.
    pub menus: Vec<Menu>,
    /// タイマー, by id.
    pub timers: Vec<Timer>,
    /// The company's days.
    pub calendar: CompanyDays,
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
        rules_from: row.time_or_null("rules_from")?,
    })
}

const TIMERS: &str = "SELECT definition, set_by, switched_at, cursor_at, next_at, rules_from FROM timers";

pub(super) async fn version(executor: impl sqlx::AnyExecutor<'_>) -> StoreResult<i64> {
    let sql = "SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) AS number FROM settings_versions";
    sqlx::query(sql).fetch_one(executor).await?.number("number")
}

/// A timer by id.
pub(super) async fn timer(tx: &mut Transaction, id: &str) -> StoreResult<Option<StoredTimer>> {
    let sql = sqlx::AssertSqlSafe(format!("{TIMERS} WHERE id = $1"));
    sqlx::query(sql).bind(id).fetch_optional(&mut **tx).await?.as_ref().map(stored_timer).transpose()
}

/// All timers, by name.
pub(super) async fn timers(tx: &mut Transaction) -> StoreResult<Vec<StoredTimer>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{TIMERS} ORDER BY name"))).fetch_all(&mut **tx).await?;
    rows.iter().map(stored_timer).collect()
}

/// The settings without the timers.
async fn without_timers(tx: &mut Transaction) -> StoreResult<Settings> {
    let version = version(&mut **tx).await?;
    let integrations = sqlx::query("SELECT definition FROM integrations ORDER BY name").fetch_all(&mut **tx).await?;
    let menus = sqlx::query("SELECT definition FROM menus ORDER BY name").fetch_all(&mut **tx).await?;
    Ok(Settings {
        version,
        integrations: integrations.iter().map(definition).collect::<StoreResult<_>>()?,
        menus: menus.iter().map(definition).collect::<StoreResult<_>>()?,
        timers: Vec::new(),
        calendar: calendar::load(tx).await?,
    })
}

/// The columns of a timer, as they lie in a JSON array.
type PackedTimer = (String, String, i64, i64, Option<i64>, Option<i64>);

/// The timers whose next slot has come, the earliest first. They come as one row: of thousands that are due at once, the
/// way of each from the database's thread to this one costs more than all the rest of it.
pub(super) async fn due_timers(tx: &mut Transaction, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<StoredTimer>> {
    let row = sqlx::query(
        "SELECT json_group_array(json_array(definition, set_by, switched_at, cursor_at, next_at, rules_from) \
         ORDER BY next_at, id) AS due FROM (SELECT * FROM timers WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2)",
    )
    .bind(millis(now))
    .bind(i64::from(limit))
    .fetch_one(&mut **tx)
    .await?;
    let due: Vec<PackedTimer> = row.json("due")?;
    let timer = |(definition, set_by, switched_at, cursor_at, next_at, rules_from): PackedTimer| {
        Ok(StoredTimer {
            timer: serde_json::from_str(&definition).map_err(StoreError::content)?,
            set_by,
            switched_at: row::time(switched_at)?,
            cursor_at: row::time(cursor_at)?,
            next_at: next_at.map(row::time).transpose()?,
            rules_from: rules_from.map(row::time).transpose()?,
        })
    };
    due.into_iter().map(timer).collect()
}

impl Store {
    /// The settings as they stand.
    pub async fn settings(&self) -> StoreResult<Settings> {
        let mut tx = self.reader().begin().await?;
        let mut settings = without_timers(&mut tx).await?;
        settings.timers = timers(&mut tx).await?;
        tx.rollback().await?;
        Ok(settings)
    }

    /// The name of an integration.
    pub async fn integration_name(&self, id: &str) -> StoreResult<Option<String>> {
        let sql = "SELECT name FROM integrations WHERE id = $1";
        let row = sqlx::query(sql).bind(id).fetch_optional(self.reader()).await?;
        row.map(|row| row.text("name")).transpose()
    }

    /// The newest version's number; cheap enough to ask every second.
    pub async fn settings_version(&self) -> StoreResult<i64> {
        version(self.reader()).await
    }

    /// The settings as they stood under a version, without what the store knows of the timers.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a version that never was.
    pub async fn settings_of(&self, version: i64) -> StoreResult<PastSettings> {
        let mut tx = self.reader().begin().await?;
        let saved = sqlx::query("SELECT at, actor, note FROM settings_versions WHERE number = $1")
            .bind(version)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::NotFound(format!("there is no version {version} of the settings")))?;
        let rows = sqlx::query(
            "SELECT d.kind, d.definition FROM definitions d WHERE d.definition IS NOT NULL AND d.version = \
             (SELECT MAX(n.version) FROM definitions n WHERE n.kind = d.kind AND n.id = d.id AND n.version <= $1) \
             ORDER BY d.kind, d.id",
        )
        .bind(version)
        .fetch_all(&mut *tx)
        .await?;
        tx.rollback().await?;
        let mut past = PastSettings {
            at: saved.time("at")?,
            actor: saved.text("actor")?,
            note: saved.text("note")?,
            integrations: Vec::new(),
            menus: Vec::new(),
            timers: Vec::new(),
            calendar: CompanyDays::default(),
        };
        for row in &rows {
            match row.text("kind")?.as_str() {
                "integration" => past.integrations.push(definition(row)?),
                "menu" => past.menus.push(definition(row)?),
                "calendar" => past.calendar = definition(row)?,
                _ => past.timers.push(definition(row)?),
            }
        }
        Ok(past)
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
        let old = without_timers(&mut tx).await?;
        if old.version != based_on {
            return Err(StoreError::Conflict(format!(
                "the settings were changed meanwhile (version {based_on} → {}): plan again and look at it",
                old.version
            )));
        }
        let before: BTreeMap<String, StoredTimer> =
            timers(&mut tx).await?.into_iter().map(|stored| (stored.timer.id().to_owned(), stored)).collect();
        let put_or_removed = |id: &str| {
            change.timers.iter().any(|timer| timer.id() == id)
                || change.remove_timers.iter().any(|removed| removed == id)
        };
        // Other days may mean other slots for timers that nobody touched.
        let moved = change.calendar.is_some() || change.holidays.is_some();
        let asks = |stored: &StoredTimer| stored.timer.form().schedule.as_ref().is_some_and(Schedule::asks_calendar);
        let moved: Vec<&StoredTimer> =
            before.values().filter(|stored| moved && asks(stored) && !put_or_removed(stored.timer.id())).collect();
        let touched = change.timers.iter().map(Timer::id).chain(change.remove_timers.iter().map(String::as_str));
        let touched = touched.filter_map(|id| before.get(id)).chain(moved.iter().copied()).cloned().collect();
        let targets = planning::Targets::read(&mut tx).await?;
        planning::account(&mut tx, touched, &targets, zone, now).await?;
        let number = new_version(&mut tx, actor, &change.note, now).await?;
        replace(&mut tx, number, change).await?;
        if let Some(company) = &change.calendar {
            calendar::define(&mut tx, number, company).await?;
        }
        if let Some(holidays) = &change.holidays {
            calendar::replace(&mut tx, holidays).await?;
        }
        let new = Calendar::new(
            change.calendar.as_ref().unwrap_or(old.calendar.company()).clone(),
            change.holidays.as_ref().or(old.calendar.official()).cloned(),
        );
        let calendars = (&old.calendar, &new);
        for stored in change.remove_timers.iter().filter_map(|id| before.get(id)) {
            planning::supersede(&mut tx, stored, None, zone, calendars, now).await?;
        }
        let saving = Saving { version: number, actor, zone, calendars, now };
        for timer in &change.timers {
            put_timer(&mut tx, &saving, timer, before.get(timer.id())).await?;
        }
        for stored in moved {
            planning::supersede(&mut tx, stored, Some(&stored.timer), zone, calendars, now).await?;
            calendar::realign(&mut tx, &stored.timer, zone, &new, stored.cursor_at.max(now)).await?;
        }
        for entry in &change.audit {
            audit(&mut tx, entry, actor, now).await?;
        }
        tx.commit().await?;
        Ok(number)
    }
}

/// Numbers a change of the settings.
async fn new_version(tx: &mut Transaction, actor: &str, note: &str, now: DateTime<Utc>) -> StoreResult<i64> {
    let number = version(&mut **tx).await? + 1;
    sqlx::query("INSERT INTO settings_versions (number, at, actor, note) VALUES ($1, $2, $3, $4)")
        .bind(number)
        .bind(millis(now))
        .bind(actor)
        .bind(note)
        .execute(&mut **tx)
        .await?;
    Ok(number)
}

/// Gives a timer another definition for the slots after `from`, without touching any; a version of its own, whose number
/// it gives.
pub(super) async fn redefine_timer(
    tx: &mut Transaction,
    timer: &Timer,
    from: DateTime<Utc>,
    actor: &str,
    now: DateTime<Utc>,
) -> StoreResult<i64> {
    let note = format!("timer {} switched {}", timer.name(), if timer.is_on() { "on" } else { "off" });
    let number = new_version(tx, actor, &note, now).await?;
    let text = to_json(timer)?;
    sqlx::query("UPDATE timers SET definition = $1, switched_at = $2 WHERE id = $3")
        .bind(&text)
        .bind(millis(now))
        .bind(timer.id())
        .execute(&mut **tx)
        .await?;
    define(tx, number, "timer", timer.id(), Some(&text), Some(from)).await?;
    Ok(number)
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
        define(tx, version, "integration", one.id(), Some(&text), None).await?;
    }
    for one in &change.menus {
        let text = to_json(one)?;
        sqlx::query("INSERT INTO menus (id, name, definition) VALUES ($1, $2, $3)")
            .bind(one.id())
            .bind(one.name())
            .bind(&text)
            .execute(&mut **tx)
            .await?;
        define(tx, version, "menu", one.id(), Some(&text), None).await?;
    }
    let removed = [
        ("integration", &change.remove_integrations),
        ("menu", &change.remove_menus),
        ("timer", &change.remove_timers),
    ];
    for (kind, ids) in removed {
        for id in ids {
            define(tx, version, kind, id, None, None).await?;
        }
    }
    Ok(())
}

/// Keeps what a version says of an entity; of a timer, for the slots after `from`.
async fn define(
    tx: &mut Transaction,
    version: i64,
    kind: &str,
    id: &str,
    text: Option<&str>,
    from: Option<DateTime<Utc>>,
) -> StoreResult<()> {
    sqlx::query("INSERT INTO definitions (version, kind, id, definition, from_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(version)
        .bind(kind)
        .bind(id)
        .bind(text.map(str::to_owned))
        .bind(from.map(millis))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A version on its way into the tables.
struct Saving<'s> {
    version: i64,
    actor: &'s str,
    zone: Tz,
    /// The days that were worked before it, and those under it.
    calendars: (&'s Calendar, &'s Calendar),
    now: DateTime<Utc>,
}

/// Inserts a timer whose cursor starts now: what was due under its old definition has been accounted for.
async fn put_timer(
    tx: &mut Transaction,
    saving: &Saving<'_>,
    timer: &Timer,
    before: Option<&StoredTimer>,
) -> StoreResult<()> {
    let &Saving { version, actor, zone, calendars, now } = saving;
    let cursor = planning::cursor_of(tx, timer.id(), before, now).await?;
    let switched_at =
        before.filter(|stored| stored.timer.is_on() == timer.is_on()).map_or(now, |stored| stored.switched_at);
    if let Some(stored) = before {
        planning::supersede(tx, stored, Some(timer), zone, calendars, now).await?;
    }
    // Under other days, slots of the past would be reckoned otherwise.
    let kept = before.and_then(|stored| stored.rules_from);
    let rules_from = if calendars.0 == calendars.1 { kept } else { Some(cursor) };
    let text = to_json(timer)?;
    sqlx::query(
        "INSERT INTO timers (id, name, definition, set_by, switched_at, cursor_at, next_at, rules_from) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(timer.id())
    .bind(timer.name())
    .bind(&text)
    .bind(actor)
    .bind(millis(switched_at))
    .bind(millis(cursor))
    .bind(planning::next_at(timer, zone, calendars.1, cursor).map(millis))
    .bind(rules_from.map(millis))
    .execute(&mut **tx)
    .await?;
    define(tx, version, "timer", timer.id(), Some(&text), Some(cursor)).await
}
