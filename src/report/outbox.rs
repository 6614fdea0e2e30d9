//! Delivery of what waits in the outbox. A mail that a server does not take is tried again with growing pauses for
//! three days, then given up, which is logged; a refusal for good is given up at once.

use super::{DeliveryError, Letter, Postman};
use crate::clock::Clock;
use crate::domain::delivery::{DOUBT, next_try};
use crate::store::{Store, StoreError};
use tracing::{error, info, warn};

/// How many mails one step carries.
const AT_ONCE: u32 = 20;

/// Carries the mails that are due and says how many were taken.
///
/// # Errors
/// The database could not be asked. A mail that was taken and could not be written down so is carried again: its
/// Message-ID is the same, so that a reader's mail program can tell.
pub async fn deliver_due(store: &Store, postman: &Postman, clock: &Clock) -> Result<u32, StoreError> {
    let mut taken = 0;
    for stored in store.due_mails(clock.now(), AT_ONCE).await? {
        let mail = &stored.mail;
        let letter = Letter { subject: mail.subject.clone(), text: mail.text.clone(), html: mail.html.clone() };
        let run = stored.run.as_deref().unwrap_or("-");
        // A database that cannot be written says so before the mail is out, not after.
        store.mail_begun(stored.number, clock.now() + DOUBT).await?;
        match postman.carry(&letter, &mail.recipients, &mail.message_id).await {
            Ok(()) => {
                info!(run, recipients = mail.recipients.len(), "report mail taken by the mail server");
                store.mail_sent(stored.number, clock.now()).await?;
                taken += 1;
            }
            Err(DeliveryError::Never(why)) => {
                error!(run, "report mail given up: {why}");
                store.mail_failed(stored.number, None, &why).await?;
            }
            Err(DeliveryError::Later(why)) => {
                let next = next_try(stored.tries, stored.created_at, clock.now());
                match next {
                    Some(next) => warn!(run, tries = stored.tries + 1, %next, "report mail waits: {why}"),
                    None => error!(run, tries = stored.tries + 1, "report mail given up after three days: {why}"),
                }
                store.mail_failed(stored.number, next, &why).await?;
            }
        }
    }
    Ok(taken)
}
