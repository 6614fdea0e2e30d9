//! An account's request slots: the decision `admit` inside a transaction. A slot that is taken stays taken until its
//! request is answered; after a crash, recovery gives it back, resting.

use super::row::Columns;
use super::{Store, StoreResult};
use crate::domain::admit::{Admission, BootInstant, RequestSlot, admit};
use crate::domain::integration::Account;

impl Store {
    /// Takes a slot for `holder` if the account may send now.
    pub async fn take_slot(
        &self,
        account: &Account,
        limit: u32,
        now: &BootInstant,
        holder: &str,
    ) -> StoreResult<Admission> {
        let millis = i64::try_from(now.millis).unwrap_or(i64::MAX);
        let mut tx = self.write().await?;
        // Stamps of another boot, or of a clock that ran backwards, say nothing: they rest a full window from now.
        sqlx::query(
            "UPDATE request_slots SET released_boot = $1, released_millis = $2 WHERE account = $3 AND released_boot IS NOT NULL \
             AND (released_boot <> $4 OR released_millis > $5)",
        )
        .bind(&now.boot_id)
        .bind(millis)
        .bind(account.as_str())
        .bind(&now.boot_id)
        .bind(millis)
        .execute(&mut *tx)
        .await?;
        let rows = sqlx::query(
            "SELECT number, taken_by, released_boot, released_millis FROM request_slots WHERE account = $1",
        )
        .bind(account.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let mut slots = Vec::with_capacity(rows.len());
        for row in &rows {
            let released = match (row.text_or_null("released_boot")?, row.number_or_null("released_millis")?) {
                (Some(boot_id), Some(millis)) => {
                    Some(BootInstant { boot_id, millis: u64::try_from(millis).unwrap_or(0) })
                }
                _ => None,
            };
            slots.push(RequestSlot {
                number: row.small("number")?,
                taken: row.text_or_null("taken_by")?.is_some(),
                released,
            });
        }
        let admission = admit(&slots, limit, now);
        if let Admission::Go(number) = admission {
            sqlx::query(
                "INSERT INTO request_slots (account, number, taken_by) VALUES ($1, $2, $3) ON CONFLICT (account, number) \
                 DO UPDATE SET taken_by = excluded.taken_by, released_boot = NULL, released_millis = NULL",
            )
            .bind(account.as_str())
            .bind(i64::from(number))
            .bind(holder)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(admission)
    }

    /// Gives a slot back once its request has been answered; it rests a full window from now.
    pub async fn release_slot(&self, account: &Account, number: u32, now: &BootInstant) -> StoreResult<()> {
        self.release("account = $4 AND number = $5", Some((account, number)), now).await
    }

    /// Gives back what dead processes held: their requests may have been answered just now.
    pub async fn recover_slots(&self, now: &BootInstant) -> StoreResult<()> {
        self.release("$4 = $5", None, now).await
    }

    async fn release(&self, which: &str, of: Option<(&Account, u32)>, now: &BootInstant) -> StoreResult<()> {
        let mut tx = self.write().await?;
        // `which` is one of the two texts above and holds no value.
        let sql = sqlx::AssertSqlSafe(format!(
            "UPDATE request_slots SET taken_by = $1, released_boot = $2, released_millis = $3 \
             WHERE taken_by IS NOT NULL AND {which}"
        ));
        let (account, number) = of.map_or(("", 0), |(account, number)| (account.as_str(), number));
        let query = sqlx::query(sql)
            .bind(None::<String>)
            .bind(&now.boot_id)
            .bind(i64::try_from(now.millis).unwrap_or(i64::MAX));
        if of.is_some() {
            query.bind(account).bind(i64::from(number)).execute(&mut *tx).await?;
        } else {
            query.bind(0_i64).bind(0_i64).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}
