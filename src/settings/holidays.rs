//! Importing the Cabinet Office's list of holidays: a change of settings like any other, with a version and an audit
//! entry of its own. All or nothing: a list with a fault changes nothing.

use crate::domain::calendar::official::LineFault;
use crate::domain::calendar::{OfficialHolidays, holidays};
use crate::store::people::AuditEntry;
use crate::store::settings::SettingsChange;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedHolidays {
    /// How many holidays the list has.
    pub days: usize,
    /// The first and the last year that it covers; in other years the built-in rules of the law hold.
    pub years: (i32, i32),
    /// The new version; `None` where the list was imported before.
    pub version: Option<i64>,
    /// Days on which the list and the built-in rules differ: holidays of one that are none of the other.
    pub differences: Vec<(NaiveDate, String)>,
    /// Timers whose next slot is another now.
    pub moved: Vec<MovedTimer>,
}

/// A timer whose next slot is another than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTimer {
    /// Its name.
    pub name: String,
    /// The next slot before the import.
    pub before: Option<DateTime<Utc>>,
    /// The next slot now.
    pub after: Option<DateTime<Utc>>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum HolidayError {
    /// The list has faults.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<LineFault>),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who imports, from where, and when.
#[derive(Debug, Clone, Copy)]
pub struct ImportBy<'a> {
    /// The actor, as it is written down.
    pub actor: &'a str,
    /// The file's name, for the list of versions.
    pub source: &'a str,
    /// The zone of timers that name none.
    pub zone: Tz,
    /// The time of the version.
    pub now: DateTime<Utc>,
}

/// Puts the list in the bytes of a file in the place of the one that holds now.
pub async fn import_holidays(store: &Store, bytes: &[u8], by: ImportBy<'_>) -> Result<ImportedHolidays, HolidayError> {
    let list = OfficialHolidays::read(bytes).map_err(HolidayError::Refused)?;
    let before = store.settings().await?;
    let mut imported = ImportedHolidays {
        days: list.days().count(),
        years: list.years().unwrap_or_default(),
        version: None,
        differences: differences(&list),
        moved: Vec::new(),
    };
    if before.calendar.official() == Some(&list) {
        return Ok(imported);
    }
    let told = |list: &OfficialHolidays| {
        let (first, last) = list.years().unwrap_or_default();
        format!("{} holidays, {first} to {last}", list.days().count())
    };
    let entry = AuditEntry {
        action: "import".to_owned(),
        entity: "calendar".to_owned(),
        old: before.calendar.official().map(told),
        new: Some(told(&list)),
    };
    let note = format!("holidays of {}", by.source);
    let change = SettingsChange { holidays: Some(list), audit: vec![entry], note, ..SettingsChange::default() };
    imported.version = Some(store.save_settings(&change, before.version, by.actor, by.zone, by.now).await?);
    let after = store.settings().await?;
    for timer in &before.timers {
        let now = after.timer(timer.timer.id()).and_then(|after| after.next_at);
        // A slot that has come meanwhile moved no timer.
        if now != timer.next_at && timer.next_at.is_none_or(|next| next > by.now) {
            let name = timer.timer.name().to_owned();
            imported.moved.push(MovedTimer { name, before: timer.next_at, after: now });
        }
    }
    Ok(imported)
}

fn differences(list: &OfficialHolidays) -> Vec<(NaiveDate, String)> {
    let Some((first, last)) = list.years() else { return Vec::new() };
    let start = NaiveDate::from_ymd_opt(first, 1, 1).into_iter();
    let days = start.flat_map(|start| start.iter_days().take_while(|date| date.year() <= last));
    let known = days.filter(|date| list.covers(date.year()) && holidays::YEARS.contains(&date.year()));
    known
        .filter_map(|date| match (list.name(date), holidays::holiday_name(date)) {
            (Some(listed), None) => Some((date, format!("{listed}, not in the built-in rules"))),
            (None, Some(ours)) => Some((date, format!("not in the list, {ours} by the built-in rules"))),
            _ => None,
        })
        .collect()
}
