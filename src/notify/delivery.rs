//! Delivery of the notices that wait. What is not taken is tried again with growing pauses for three days, then given
//! up, which is logged; a refusal for good is given up at once. Each target is told in order, and one that does not
//! answer keeps nobody else waiting for longer than its time-out.

use super::{Herald, NotTaken};
use crate::clock::Clock;
use crate::domain::delivery::{DOUBT, next_try};
use crate::store::notices::{Channel, NoticeEvent, StoredNotice};
use crate::store::settings::Settings;
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tracing::{debug, error, info, warn};

/// How many notices one step carries to each target.
const AT_ONCE: u32 = 20;
/// A start that is told of later than this would be taken for another one.
const START_IS_NEWS: TimeDelta = TimeDelta::minutes(5);

/// Carries the notices that are due and says how many were taken.
///
/// # Errors
/// The database could not be asked. A notice that was taken and could not be written down so is carried again, under
/// the same id.
pub async fn deliver_due(store: &Store, herald: &Herald, clock: &Clock) -> Result<u32, StoreError> {
    let mut taken = 0;
    for _ in 0..AT_ONCE {
        let due = store.due_notices(clock.now()).await?;
        if due.is_empty() {
            break;
        }
        let settings = store.settings().await?;
        let told = due.iter().map(|notice| carry(store, herald, clock, &settings, notice));
        for told in join_all(told).await {
            taken += u32::from(told?);
        }
    }
    Ok(taken)
}

/// Carries one notice and writes down what came of it; whether it was taken.
async fn carry(
    store: &Store,
    herald: &Herald,
    clock: &Clock,
    settings: &Settings,
    stored: &StoredNotice,
) -> Result<bool, StoreError> {
    let notice = &stored.notice;
    // A database that cannot be written says so before the notice is out, not after.
    store.notice_begun(stored.number, clock.now() + DOUBT).await?;
    let tries = stored.tries + 1;
    let (run, channel, target) = (&stored.run, notice.channel, &notice.target);
    let told = match channel {
        Channel::Webhook => herald.tell(target, &notice.id, &notice.content, clock).await,
        Channel::Ping if is_old_start(stored, clock.now()) => Err(NotTaken::Never("it is no news any more".to_owned())),
        Channel::Ping => match settings.timer(target).and_then(|stored| stored.timer.form().ping.as_ref()) {
            Some(switch) => herald.ping(switch, notice.event, &notice.content.title).await,
            None => Err(NotTaken::Never("the timer has no ping any more".to_owned())),
        },
    };
    match told {
        Ok(()) => {
            info!(%run, %channel, target, tries, "notice taken");
            store.notice_taken(stored.number, clock.now()).await?;
            return Ok(true);
        }
        Err(why) if notice.event == NoticeEvent::Start => {
            // Told later it would come after the end, or be taken for a new one.
            debug!(%run, target, "the start was not told: {why}");
            store.notice_failed(stored.number, None, &why.to_string()).await?;
        }
        Err(NotTaken::Never(why)) => {
            error!(%run, %channel, target, tries, "notice given up: {why}");
            store.notice_failed(stored.number, None, &why).await?;
        }
        Err(NotTaken::Later(why)) => {
            let next = next_try(stored.tries, stored.created_at, clock.now());
            match next {
                Some(next) => warn!(%run, %channel, target, tries, %next, "notice waits: {why}"),
                None => error!(%run, %channel, target, tries, "notice given up after three days: {why}"),
            }
            store.notice_failed(stored.number, next, &why).await?;
        }
    }
    Ok(false)
}

fn is_old_start(stored: &StoredNotice, now: DateTime<Utc>) -> bool {
    stored.notice.event == NoticeEvent::Start && now - stored.created_at > START_IS_NEWS
}
