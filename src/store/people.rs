//! Users, and the audit log of what they changed.

use super::row::{Columns, to_json};
use super::{Store, StoreError, StoreResult, Transaction, millis};
use crate::domain::user::User;
use chrono::{DateTime, Utc};

/// What the audit log is told of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// `apply`, `remove`, `switch`, `approve`, …
    pub action: String,
    /// What was changed, as in `timer 毎朝の社員`.
    pub entity: String,
    /// Before, secrets masked.
    pub old: Option<String>,
    /// After, secrets masked.
    pub new: Option<String>,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub entry: AuditEntry,
}

pub(super) async fn audit(
    tx: &mut Transaction,
    entry: &AuditEntry,
    actor: &str,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO audit (number, at, actor, action, entity, old, new) \
         SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT), $1, $2, $3, $4, $5, $6 FROM audit",
    )
    .bind(millis(now))
    .bind(actor)
    .bind(&entry.action)
    .bind(&entry.entity)
    .bind(entry.old.clone())
    .bind(entry.new.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn user(row: &sqlx::any::AnyRow) -> StoreResult<User> {
    Ok(User { name: row.text("name")?, address: row.text_or_null("address")?, permissions: row.json("permissions")? })
}

impl Store {
    /// Everybody, by name.
    pub async fn users(&self) -> StoreResult<Vec<User>> {
        let rows =
            sqlx::query("SELECT name, address, permissions FROM users ORDER BY name").fetch_all(self.reader()).await?;
        rows.iter().map(user).collect()
    }

    /// A user by name.
    pub async fn user(&self, name: &str) -> StoreResult<Option<User>> {
        let sql = "SELECT name, address, permissions FROM users WHERE name = $1";
        let row = sqlx::query(sql).bind(name).fetch_optional(self.reader()).await?;
        row.as_ref().map(user).transpose()
    }

    /// Adds a user.
    pub async fn add_user(&self, new: &User, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let added = sqlx::query(
            "INSERT INTO users (name, address, permissions) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&new.name)
        .bind(new.address.clone())
        .bind(to_json(&new.permissions)?)
        .execute(&mut *tx)
        .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::Conflict(format!("there is a user {:?} already", new.name)));
        }
        log(&mut tx, "add", new, actor, now).await?;
        Ok(tx.commit().await?)
    }

    /// Changes a user's permissions and address.
    pub async fn change_user(&self, changed: &User, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE users SET address = $1, permissions = $2 WHERE name = $3")
            .bind(changed.address.clone())
            .bind(to_json(&changed.permissions)?)
            .bind(&changed.name)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound(format!("there is no user {:?}", changed.name)));
        }
        log(&mut tx, "change", changed, actor, now).await?;
        Ok(tx.commit().await?)
    }

    /// The newest audit lines first.
    pub async fn audit_log(&self, limit: u32) -> StoreResult<Vec<AuditLine>> {
        let rows = sqlx::query("SELECT at, actor, action, entity, old, new FROM audit ORDER BY number DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let entry = AuditEntry {
                    action: row.text("action")?,
                    entity: row.text("entity")?,
                    old: row.text_or_null("old")?,
                    new: row.text_or_null("new")?,
                };
                Ok(AuditLine { at: row.time("at")?, actor: row.text("actor")?, entry })
            })
            .collect()
    }
}

async fn log(tx: &mut Transaction, action: &str, user: &User, actor: &str, now: DateTime<Utc>) -> StoreResult<()> {
    let entry = AuditEntry {
        action: action.to_owned(),
        entity: format!("user {}", user.name),
        old: None,
        new: Some(to_json(user)?),
    };
    audit(tx, &entry, actor, now).await
}
