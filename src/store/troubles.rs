//! What people were told of failures that repeat themselves; see the decision `tell`.

use super::row::Columns;
use super::{Store, StoreResult, Transaction, millis};
use crate::domain::trouble::Trouble;

/// Remembers, or forgets, the trouble of a menu and integration.
pub(super) async fn put(
    tx: &mut Transaction,
    menu: &str,
    integration: &str,
    trouble: Option<&Trouble>,
) -> StoreResult<()> {
    let Some(trouble) = trouble else {
        sqlx::query("DELETE FROM troubles WHERE menu_id = $1 AND integration_id = $2")
            .bind(menu)
            .bind(integration)
            .execute(&mut **tx)
            .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO troubles (menu_id, integration_id, since, code, told_at, untold) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (menu_id, integration_id) DO UPDATE SET code = excluded.code, told_at = excluded.told_at, \
         untold = excluded.untold",
    )
    .bind(menu)
    .bind(integration)
    .bind(millis(trouble.since))
    .bind(trouble.code.as_str())
    .bind(millis(trouble.told_at))
    .bind(i64::from(trouble.untold))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Store {
    /// What a menu and integration suffers from, by their ids.
    pub async fn trouble(&self, menu: &str, integration: &str) -> StoreResult<Option<Trouble>> {
        let row =
            sqlx::query("SELECT since, code, told_at, untold FROM troubles WHERE menu_id = $1 AND integration_id = $2")
                .bind(menu)
                .bind(integration)
                .fetch_optional(self.reader())
                .await?;
        row.map(|row| {
            Ok(Trouble {
                since: row.time("since")?,
                code: row.word("code")?,
                told_at: row.time("told_at")?,
                untold: row.small("untold")?,
            })
        })
        .transpose()
    }
}
