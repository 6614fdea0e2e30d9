//! The calendar: the company's days, which are a definition of the settings, and the imported list of holidays. A
//! change of either is a new version of the settings, so that whoever keeps what a version said reads it anew.

use super::row::{Columns, to_json};
use super::{Store, StoreError, StoreResult, Transaction, millis, planning};
use crate::domain::calendar::{Calendar, CompanyDays, OfficialHolidays};
use crate::domain::timer::Timer;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// The one id of its kind.
const ID: &str = "calendar";

/// How many days one statement writes.
const TOGETHER: usize = 250;

/// The calendar as it stands.
pub(super) async fn load(tx: &mut Transaction) -> StoreResult<Calendar> {
    let company = sqlx::query(
        "SELECT definition FROM definitions WHERE kind = 'calendar' AND id = $1 ORDER BY version DESC LIMIT 1",
    )
    .bind(ID)
    .fetch_optional(&mut **tx)
    .await?;
    let company = match company {
        Some(row) if row.text_or_null("definition")?.is_some() => row.json::<CompanyDays>("definition")?,
        _ => CompanyDays::default(),
    };
    let rows = sqlx::query("SELECT day, name FROM calendar_days WHERE kind = 'holiday' ORDER BY day")
        .fetch_all(&mut **tx)
        .await?;
    let days = rows.iter().map(|row| {
        let day = row.text("day")?.parse::<NaiveDate>().map_err(StoreError::content)?;
        Ok((day, row.text("name")?))
    });
    let days = days.collect::<StoreResult<Vec<_>>>()?;
    let official = (!days.is_empty()).then(|| OfficialHolidays::of(days));
    Ok(Calendar::new(company, official))
}

/// Writes the company's days as a part of a version of the settings.
pub(super) async fn define(tx: &mut Transaction, version: i64, company: &CompanyDays) -> StoreResult<()> {
    sqlx::query("INSERT INTO definitions (version, kind, id, definition) VALUES ($1, 'calendar', $2, $3)")
        .bind(version)
        .bind(ID)
        .bind(to_json(company)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes a list of holidays in the place of the one before.
pub(super) async fn replace(tx: &mut Transaction, official: &OfficialHolidays) -> StoreResult<()> {
    sqlx::query("DELETE FROM calendar_days WHERE kind = 'holiday'").execute(&mut **tx).await?;
    let days: Vec<(NaiveDate, &str)> = official.days().collect();
    for some in days.chunks(TOGETHER) {
        let rows = (0..some.len()).map(|row| format!("(${}, 'holiday', ${})", row * 2 + 1, row * 2 + 2));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql = sqlx::AssertSqlSafe(format!("INSERT INTO calendar_days (day, kind, name) VALUES {rows}"));
        let mut query = sqlx::query(sql);
        for (day, name) in some {
            query = query.bind(day.to_string()).bind((*name).to_owned());
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Writes a timer's next slot anew, after the days that are worked have changed.
pub(super) async fn realign(
    tx: &mut Transaction,
    timer: &Timer,
    zone: Tz,
    calendar: &Calendar,
    cursor: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query("UPDATE timers SET next_at = $1 WHERE id = $2")
        .bind(planning::next_at(timer, zone, calendar, cursor).map(millis))
        .bind(timer.id())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl Store {
    /// The calendar as it stands.
    pub async fn calendar(&self) -> StoreResult<Calendar> {
        let mut tx = self.reader().begin().await?;
        let calendar = load(&mut tx).await?;
        tx.rollback().await?;
        Ok(calendar)
    }
}
