//! A timer's schedule.
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
/// stub
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {}
impl Schedule {
    /// stub
    #[must_use]
    pub fn next_after(&self, _zone: Tz, _after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }
}
