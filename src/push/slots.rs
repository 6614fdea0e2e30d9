//! Waiting for one of an account's request slots. The store decides under a lock, so that several processes and lanes
//! share one budget; here is only the waiting. A slot that is given back rests for a minute, so nobody waits for the
//! moment of giving back: sleeping as long as the store says is exact.

use crate::clock::Clock;
use crate::domain::admit::{Admission, WINDOW};
use crate::domain::integration::Account;
use crate::store::{Store, StoreResult};
use std::fmt;
use tokio_util::sync::CancellationToken;

/// The right to send one request. It is given back with [`Permit::release`] once the request has been answered or
/// given up. Dropped without that, the slot stays taken until recovery: what became of its request is not known.
#[must_use = "a slot that is not given back stays taken until recovery"]
pub struct Permit {
    store: Store,
    clock: Clock,
    account: Account,
    number: u32,
}

impl fmt::Debug for Permit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Permit({} slot {})", self.account, self.number)
    }
}

/// Waits until `account` may send one more request, with at most `limit` in any 60 s. `holder` is written down with
/// the slot, as in `run 12 batch 3`. `None` if it was cancelled before a slot was free; cancel it so rather than by
/// dropping the future, which may leave a slot taken. A `limit` of 0 waits until cancelled.
///
/// # Errors
///
/// If the database cannot be asked.
pub async fn acquire(
    store: &Store,
    clock: &Clock,
    account: &Account,
    limit: u32,
    holder: &str,
    cancel: &CancellationToken,
) -> StoreResult<Option<Permit>> {
    loop {
        if cancel.is_cancelled() {
            return Ok(None);
        }
        let asked = clock.elapsed();
        // Not raced against the cancel: a transaction that is dropped can still commit, and would leave a slot taken.
        let wait = match store.take_slot(account, limit, &clock.boot(), holder).await? {
            Admission::Go(number) => {
                return Ok(Some(Permit {
                    store: store.clone(),
                    clock: clock.clone(),
                    account: account.clone(),
                    number,
                }));
            }
            // The answer may have taken its time.
            Admission::Wait(wait) => wait.min(WINDOW).saturating_sub(clock.elapsed().saturating_sub(asked)),
        };
        tracing::debug!(%account, wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "waiting for a request slot");
        tokio::select! {
            () = clock.sleep(wait) => {}
            () = cancel.cancelled() => return Ok(None),
        }
    }
}

impl Permit {
    /// Which of the account's slots this is, from 0.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Gives the slot back; it rests for 60 s from now. Giving it back again does nothing.
    pub async fn release(&self) -> StoreResult<()> {
        self.store.release_slot(&self.account, self.number, &self.clock.boot()).await
    }
}
