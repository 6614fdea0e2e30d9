//! Columns of a row as the house's types. What does not fit is an error that names the column, never a panic.

use super::{StoreError, StoreResult};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;

/// Reads columns by name.
pub(super) trait Columns {
    fn text(&self, column: &str) -> StoreResult<String>;
    fn text_or_null(&self, column: &str) -> StoreResult<Option<String>>;
    fn number(&self, column: &str) -> StoreResult<i64>;
    fn number_or_null(&self, column: &str) -> StoreResult<Option<i64>>;

    fn count(&self, column: &str) -> StoreResult<u64> {
        u64::try_from(self.number(column)?).map_err(|_| StoreError::content(format!("{column} is negative")))
    }

    fn small(&self, column: &str) -> StoreResult<u32> {
        u32::try_from(self.number(column)?).map_err(|_| StoreError::content(format!("{column} is out of range")))
    }

    fn flag(&self, column: &str) -> StoreResult<bool> {
        Ok(self.number(column)? != 0)
    }

    fn time(&self, column: &str) -> StoreResult<DateTime<Utc>> {
        time(self.number(column)?)
    }

    fn time_or_null(&self, column: &str) -> StoreResult<Option<DateTime<Utc>>> {
        self.number_or_null(column)?.map(time).transpose()
    }

    fn word<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> StoreResult<T> {
        self.text(column)?.parse().map_err(|error| StoreError::content(format!("{column}: {error}")))
    }

    fn word_or_null<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> StoreResult<Option<T>> {
        let text = self.text_or_null(column)?;
        text.map(|text| text.parse().map_err(|error| StoreError::content(format!("{column}: {error}")))).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> StoreResult<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| StoreError::content(format!("{column}: {error}")))
    }

    fn json_or_null<T: DeserializeOwned>(&self, column: &str) -> StoreResult<Option<T>> {
        let text = self.text_or_null(column)?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StoreError::content(format!("{column}: {error}")))
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> StoreResult<String> {
        Ok(sqlx::Row::try_get(self, column)?)
    }

    fn text_or_null(&self, column: &str) -> StoreResult<Option<String>> {
        Ok(sqlx::Row::try_get(self, column)?)
    }

    fn number(&self, column: &str) -> StoreResult<i64> {
        Ok(sqlx::Row::try_get(self, column)?)
    }

    fn number_or_null(&self, column: &str) -> StoreResult<Option<i64>> {
        Ok(sqlx::Row::try_get(self, column)?)
    }
}

pub(super) fn time(millis: i64) -> StoreResult<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| StoreError::content(format!("{millis} is no time")))
}

/// A value as JSON text.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(StoreError::content)
}
