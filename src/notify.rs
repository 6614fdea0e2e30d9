//! What else is told beside mail: webhooks that hear of a run's end, dead-man's switches that hear of a timer's runs
//! and of the daemon itself, so that silence is noticed. A notice can be late; it can neither change a run's outcome nor
//! be lost: it is written in the transaction that ends the run, and carried from there until it was taken.
//!
//! The request itself leaves through `push`, as every request does; addresses and tokens are resolved when a notice is
//! carried and stand in no table, log or error.

mod delivery;
mod forms;
mod ping;
mod signature;

pub use delivery::deliver_due;
pub use forms::{Body, body};
pub use signature::sign;

use crate::clock::Clock;
use crate::config::Notify;
use crate::config::notify::{Form, check_address};
use crate::domain::secret::SecretText;
use crate::push::{Message, Way, post};
use crate::settings::secrets::Resolver;
use crate::store::notices::{Content, NoticeEvent};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use url::Url;

/// Carries notices to those who listen. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Herald {
    settings: Arc<Notify>,
    secrets: Resolver,
}

/// Why a notice was not taken; no text holds an address or a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Trying again may help.
    #[error("{0}")]
    Later(String),
    /// It will never be taken in this form.
    #[error("{0}")]
    Never(String),
}

impl Herald {
    /// With these settings; nothing is resolved and nobody is connected to yet.
    #[must_use]
    pub fn new(settings: Notify, secrets: Resolver) -> Self {
        Self { settings: Arc::new(settings), secrets }
    }

    /// Tells a webhook of a run. `id` is the same for each try, so that a receiver can tell a repetition.
    pub async fn tell(&self, webhook: &str, id: &str, content: &Content, clock: &Clock) -> Result<(), NotTaken> {
        let Some(webhook) = self.settings.webhooks.iter().find(|known| known.name == webhook) else {
            return Err(NotTaken::Never("config.yaml has no webhook of this name any more".to_owned()));
        };
        let url = self.address(&webhook.url)?;
        let Body { content_type, bytes } = body(webhook.form, content);
        let mut headers = Vec::new();
        if let Some(token) = &webhook.token {
            headers.push(("x-chatworktoken", self.resolved(token)?));
        }
        if let (Form::Json, Some(secret)) = (webhook.form, &webhook.secret) {
            let timestamp = clock.now().timestamp();
            let signature = sign(&self.resolved(secret)?, timestamp, &bytes);
            headers.push(("x-renkei-delivery", SecretString::from(percent_encoded(id))));
            headers.push(("x-renkei-timestamp", SecretString::from(timestamp.to_string())));
            headers.push(("x-renkei-signature", SecretString::from(signature)));
        }
        self.send(Message { url, headers, content_type, body: bytes }).await
    }

    /// Tells a dead-man's switch what happened, with one line about it.
    pub async fn ping(&self, switch: &SecretText, event: NoticeEvent, line: &str) -> Result<(), NotTaken> {
        let url = ping::address(self.address(switch)?, event);
        let body = ping::line(line).into_bytes();
        self.send(Message { url, headers: Vec::new(), content_type: "text/plain; charset=utf-8", body }).await
    }

    fn resolved(&self, text: &SecretText) -> Result<SecretString, NotTaken> {
        // A file that is missing may be there in an hour.
        self.secrets.resolve(text).map_err(|error| NotTaken::Later(error.to_string()))
    }

    fn address(&self, text: &SecretText) -> Result<Url, NotTaken> {
        let text = self.resolved(text)?;
        check_address(text.expose_secret(), self.settings.allow_http)
            .map_err(|why| NotTaken::Later(format!("the address cannot be used: {why}")))
    }

    async fn send(&self, message: Message) -> Result<(), NotTaken> {
        let proxy = self.settings.proxy.as_ref().map(|proxy| self.resolved(proxy)).transpose()?;
        let ca_file = self.settings.ca_file.as_ref().map(|path| path.display().to_string());
        let status = post(&Way { proxy, ca_file }, message).await.map_err(NotTaken::Later)?;
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(NotTaken::Later(format!("HTTP {status}: it redirects, which is not followed"))),
            // What is said against the body itself will be said of it again.
            400 | 410 | 413 | 415 | 422 => Err(NotTaken::Never(format!("HTTP {status}: it was refused for good"))),
            _ => Err(NotTaken::Later(format!("HTTP {status}: it was not taken"))),
        }
    }
}

/// A header carries ASCII; a webhook's name may be Japanese.
fn percent_encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
    utf8_percent_encode(text, UNSAFE).to_string()
}
