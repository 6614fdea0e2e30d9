//! The client that asks what became of an import. One [`StatusClient::ask`] is at most one request; what it heard is
//! handed on with the secrets masked before anything is read out of it, so that none can come back by way of a row.

use super::ClientError;
use super::cause::one_line;
use super::client::Patience;
use super::exchange::{Exchange, Headers, Unheard};
use super::reply::{decode, kept, retry_after};
use crate::clock::Clock;
use crate::domain::confirm::{Meaning, read};
use crate::domain::integration::Integration;
use crate::domain::integration::confirm::{ConfirmForm, Method};
use crate::domain::verdict::Answer;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;

/// Decoded bytes of an answer that are read: room for the refused rows of a whole file.
const READ: usize = 4 * 1024 * 1024;

/// A question is short: it is not waited for as long as an upload.
const LONGEST: Duration = Duration::from_secs(60);

/// Asks after the imports of one integration.
#[derive(Debug)]
pub struct StatusClient {
    exchange: Exchange,
    confirm: ConfirmForm,
}

/// What came back from one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReply {
    /// What it means.
    pub meaning: Meaning,
    /// The answer's status, if one came.
    pub http_status: Option<u16>,
    /// The answer's text: at most 16 KiB, secrets masked. It may quote a record.
    pub answer: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What stood in the way, in one English line; empty where nothing did.
    pub note: String,
}

/// The headers that are sent with the question, as the settings have them: those of `confirm`, or the integration's.
#[must_use]
pub fn headers_of(integration: &Integration) -> &[(String, crate::domain::secret::SecretText)] {
    let form = integration.form();
    form.confirm.as_ref().map(|confirm| &confirm.headers).filter(|headers| !headers.is_empty()).unwrap_or(&form.headers)
}

impl StatusClient {
    /// A client for an integration; `None` where it has no `confirm`. `headers` are those of [`headers_of`] with their
    /// secrets resolved, `proxy` is `route.proxy` resolved.
    pub fn build(
        integration: &Integration,
        headers: Vec<(String, SecretString)>,
        proxy: Option<SecretString>,
    ) -> Result<Option<Self>, ClientError> {
        let Some(confirm) = integration.form().confirm.clone() else { return Ok(None) };
        let mut patience: Patience = integration.form().timeouts.into();
        patience.request = patience.request.min(LONGEST);
        // The integration's own Content-Type is that of the upload.
        let own = !confirm.headers.is_empty();
        let headers = Headers { resolved: headers, written: headers_of(integration), content_type: own };
        Ok(Some(Self { exchange: Exchange::build(integration, headers, proxy, patience)?, confirm }))
    }

    /// Asks once after the import that the receiver calls `id`: a batch of so many records in that file.
    pub async fn ask(&self, id: &Value, records: u64, file: &str, clock: &Clock) -> StatusReply {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let Some(url) = self.confirm.url_for(&text) else {
            return self.nothing(&Answer::NotSent, "the import's number makes no URL");
        };
        let method = if self.confirm.method == Method::Get { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut request = self.exchange.request(method, &url);
        if let Some(body) = self.confirm.body_for(id) {
            if !self.confirm.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            request = request.body(body);
        }
        let heard = match self.exchange.send(request, 0, READ).await {
            Ok(heard) => heard,
            Err(Unheard::NotSent(why)) => {
                return self.nothing(&Answer::NotSent, &format!("{}: {why}", self.exchange.place(&url)));
            }
            Err(Unheard::Broken { why, .. }) => return self.nothing(&Answer::Broken, &format!("no answer: {why}")),
        };
        let (text, _) = decode(&heard.headers, &heard.body);
        let text = self.exchange.masked(&text);
        let complete = heard.cut.is_none();
        let answer = Answer::Http { status: heard.status, body: text.as_bytes(), complete, early: false };
        StatusReply {
            meaning: read(&self.confirm, &answer, records, file),
            http_status: Some(heard.status),
            answer: kept(&text, &[]),
            retry_after: retry_after(&heard.headers, clock.now()),
            note: heard.cut.map(|cut| self.exchange.masked(&one_line(&cut, 300))).unwrap_or_default(),
        }
    }

    fn nothing(&self, answer: &Answer<'_>, note: &str) -> StatusReply {
        StatusReply {
            meaning: read(&self.confirm, answer, 0, ""),
            http_status: None,
            answer: String::new(),
            retry_after: None,
            note: self.exchange.masked(&one_line(note, 300)),
        }
    }
}
