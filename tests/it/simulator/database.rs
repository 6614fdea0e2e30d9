//! What the simulated life needs of a database: the transactions that the engine makes, one method each. Two keep the
//! books: [`super::memory::Memory`], which is quick and can be looked into, and [`super::sqlite::Sqlite`], the real one.

use chrono::{DateTime, Utc};
use renkei::domain::admit::{Admission, BootInstant};
use renkei::domain::failure::Code;
use renkei::domain::integration::Account;
use renkei::domain::plan::Pair;
use renkei::domain::run::{BatchState, RunState, SkipReason, SlotState};
use renkei::domain::stop::Stop;
use renkei::domain::timer::Timer;
use renkei::domain::verdict::Verdict;
use std::collections::BTreeMap;

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The process ended in the middle of it: what was committed before stays.
    Died,
    /// It makes no sense in this state.
    Refused,
}

pub(super) type Done<T> = Result<T, Refusal>;

/// The verdict files in the spool, by run, batch and attempt.
pub(super) type Spool = BTreeMap<(i64, u32, u32), Verdict>;

/// A run as its executor sees it.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) pair: Pair,
    pub(super) account: Account,
    pub(super) timer: Option<String>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) trouble_since: Option<DateTime<Utc>>,
    pub(super) tries: u32,
    pub(super) exported: bool,
    pub(super) export_number: Option<i64>,
    pub(super) records: u64,
    /// A check has tripped and nobody has decided yet.
    pub(super) tripped: bool,
    pub(super) retry_of: Option<i64>,
    pub(super) forced: bool,
    pub(super) only_failed: bool,
    pub(super) cancel: bool,
    pub(super) batches: Vec<BatchState>,
}

/// A finished export.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) batches: Vec<BatchState>,
    pub(super) records: u64,
    pub(super) adopted: Option<i64>,
    pub(super) tripped: bool,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) at: DateTime<Utc>,
    pub(super) first: DateTime<Utc>,
    pub(super) slots: u64,
    pub(super) state: SlotState,
    pub(super) reason: Option<SkipReason>,
    pub(super) run: Option<i64>,
}

/// The integrations of every life: id, account, requests a minute, `repeat_safe`, minutes of `retry_for`.
pub(super) const INTEGRATIONS: [(&str, &str, u32, bool, u32); 3] =
    [("p0", "acme", 20, true, 60), ("p1", "acme", 20, false, 20), ("p2", "beta", 4, true, 240)];

/// The menus of every life, each applied to every integration.
pub(super) const MENUS: [&str; 3] = ["m0", "m1", "m2"];

pub(super) trait Database {
    async fn save(&mut self, timers: Vec<Timer>, now: DateTime<Utc>) -> Done<()>;
    async fn pause(&mut self, integration: &str, now: DateTime<Utc>) -> Done<()>;
    async fn resume(&mut self, integration: &str, now: DateTime<Utc>) -> Done<()>;
    async fn add_stop(&mut self, stop: &Stop, now: DateTime<Utc>) -> Done<()>;
    async fn end_stop(&mut self, number: i64, now: DateTime<Utc>) -> Done<()>;

    /// One step of the planner; gives the next slot.
    async fn plan(&mut self, now: DateTime<Utc>) -> Done<Option<DateTime<Utc>>>;
    /// One claim of the dispatcher, with the skips on its way.
    async fn claim(&mut self, now: DateTime<Utc>) -> Done<Option<i64>>;
    /// What comes before everything else after a start.
    async fn recover(&mut self, spool: &Spool, boot: &BootInstant, now: DateTime<Utc>) -> Done<()>;

    async fn facts(&mut self, seq: i64) -> Facts;
    async fn newer_sent(&mut self, seq: i64) -> bool;
    /// Whether neither a pause nor a stop forbids to send.
    async fn may_send(&mut self, seq: i64, now: DateTime<Utc>) -> bool;
    async fn record_export(&mut self, seq: i64, export: &Export, now: DateTime<Utc>) -> Done<()>;
    async fn take_slot(&mut self, account: &Account, limit: u32, boot: &BootInstant) -> Done<Admission>;
    async fn release_slot(&mut self, account: &Account, number: u32, boot: &BootInstant) -> Done<()>;
    async fn intend(&mut self, seq: i64, batch: u32, now: DateTime<Utc>) -> Done<u32>;
    async fn conclude(&mut self, seq: i64, batch: u32, attempt: u32, verdict: Verdict, now: DateTime<Utc>) -> Done<()>;
    async fn wait(&mut self, seq: i64, until: DateTime<Utc>, code: Code, now: DateTime<Utc>) -> Done<()>;
    async fn hold(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()>;
    async fn requeue(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()>;
    /// Ends a running run, with the pause that a refusal causes.
    async fn end(&mut self, seq: i64, state: RunState, code: Option<Code>, now: DateTime<Utc>) -> Done<()>;
    /// Cancels held runs with older bytes than this one has sent.
    async fn overtake(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()>;

    async fn start(&mut self, menu: &str, integration: &str, now: DateTime<Utc>) -> Done<()>;
    async fn retry(
        &mut self,
        seq: i64,
        only_failed: bool,
        forced: bool,
        followers: bool,
        now: DateTime<Utc>,
    ) -> Done<()>;
    async fn cancel(&mut self, seq: i64, now: DateTime<Utc>) -> Done<()>;
    async fn decide(&mut self, seq: i64, approve: bool, now: DateTime<Utc>) -> Done<()>;

    /// The newest runs and their states, the newest first.
    async fn recent(&mut self, limit: u32) -> Vec<(i64, RunState)>;
    async fn ledger(&mut self, timer: &str) -> Vec<Row>;
    /// The books in memory, which the checks look into.
    fn memory(&mut self) -> Option<&mut super::memory::Memory>;
}
