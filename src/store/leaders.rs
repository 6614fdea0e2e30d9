//! Which run waits for which, as far as people repeat them; planning writes the rows, the queue reads them.

use super::runs::{Run, read, select};
use super::{Store, StoreResult, Transaction};
use crate::domain::failure::Code;
use crate::domain::run::RunState;

impl Store {
    /// The followers of a run that were skipped because of it, the oldest first, and were not repeated since.
    pub async fn skipped_followers(&self, leader: i64) -> StoreResult<Vec<Run>> {
        let rest = "WHERE seq IN (SELECT run_seq FROM run_leaders WHERE leader_seq = $1) AND state = $2 AND NOT EXISTS \
                    (SELECT 1 FROM runs o WHERE o.retry_of = runs.id) ORDER BY seq";
        let rows =
            sqlx::query(select(rest)).bind(leader).bind(RunState::Skipped.as_str()).fetch_all(self.reader()).await?;
        let runs: StoreResult<Vec<Run>> = rows.iter().map(read).collect();
        let because = |run: &Run| run.failure.as_ref().is_some_and(|failure| failure.code == Code::Leader);
        Ok(runs?.into_iter().filter(because).collect())
    }
}

/// Puts a run behind another one.
pub(super) async fn follow(tx: &mut Transaction, run: i64, leader: i64) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO run_leaders (run_seq, timer_id, leader_seq) \
         SELECT CAST($1 AS BIGINT), COALESCE(timer_id, id), seq FROM runs WHERE seq = $2",
    )
    .bind(run)
    .bind(leader)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
