//! The client that posts one file: exactly the parts of the help page, and a verdict for whatever happens.

use super::ClientError;
use super::cause::one_line;
use super::exchange::{Exchange, Headers, Heard, Unheard};
use super::reply::{Reply, decode, kept, retry_after};
use super::spool::{SpoolDamaged, Upload};
use crate::clock::Clock;
use crate::domain::integration::confirm::ConfirmForm;
use crate::domain::integration::{Integration, Timeouts};
use crate::domain::verdict::{Answer, Verdict, api_error, classify};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use secrecy::SecretString;
use std::fmt;
use std::time::Duration;
use url::Url;

/// Decoded bytes of an answer that are read; no more is asked for.
const READ: usize = 256 * 1024;

/// How long a push is patient, finer than settings can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For name, TCP, proxy and TLS together.
    pub connect: Duration,
    /// For the whole request, upload and answer included.
    pub request: Duration,
    /// Without a byte moving in either direction.
    pub idle: Duration,
}

impl From<Timeouts> for Patience {
    fn from(timeouts: Timeouts) -> Self {
        Self { connect: timeouts.connect.to_std(), request: timeouts.request.to_std(), idle: timeouts.idle.to_std() }
    }
}

/// Pushes files for one integration. Cheap to use again and again; each push opens its own connection.
pub struct Client {
    exchange: Exchange,
    url: Url,
    body_name: String,
    csv_name: String,
    confirm: Option<ConfirmForm>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_str();
        out.debug_struct("Client").field("url", &url).field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the integration's own time-outs. `headers` are the integration's with their secrets resolved,
    /// `proxy` is `route.proxy` resolved. Reads the certificate files that the route names.
    pub fn build(
        integration: &Integration,
        headers: Vec<(String, SecretString)>,
        proxy: Option<SecretString>,
    ) -> Result<Self, ClientError> {
        let patience = integration.form().timeouts.into();
        Self::build_patient(integration, headers, proxy, patience)
    }

    /// The same with time-outs of one's own.
    pub fn build_patient(
        integration: &Integration,
        headers: Vec<(String, SecretString)>,
        proxy: Option<SecretString>,
        patience: Patience,
    ) -> Result<Self, ClientError> {
        let form = integration.form();
        // A typed Content-Type is left out: the body is multipart/form-data whatever it says, and only the generated
        // one has the boundary.
        let headers = Headers { resolved: headers, written: &form.headers, content_type: false };
        Ok(Self {
            exchange: Exchange::build(integration, headers, proxy, patience)?,
            url: integration.url().clone(),
            body_name: form.body.name.clone(),
            csv_name: form.csv.name.clone(),
            confirm: form.confirm.clone(),
        })
    }

    /// Sends one file, once. The file is proved first; after that every outcome is a [`Reply`].
    ///
    /// Dropping the future ends the connection; what had been sent by then may have been taken.
    pub async fn push(&self, upload: &Upload, clock: &Clock) -> Result<Reply, SpoolDamaged> {
        let file = upload.open().await?;
        let form = Form::new()
            .percent_encode_noop()
            .part(self.body_name.clone(), typed(Part::text(upload.params_json.clone()), "application/json"))
            .part(self.csv_name.clone(), {
                let bytes = Body::wrap_stream(upload.pieces(file));
                typed(Part::stream_with_length(bytes, upload.bytes), "text/csv").file_name(upload.safe_name())
            });
        let request = self.exchange.request(Method::POST, &self.url).multipart(form);
        Ok(match self.exchange.send(request, upload.bytes, READ).await {
            Ok(heard) => self.read(heard, clock),
            Err(Unheard::NotSent(why)) => self.not_sent(&why),
            Err(Unheard::Broken { why, taken, total }) => self.broken(&why, taken, total),
        })
    }

    /// Says what an answer means.
    fn read(&self, heard: Heard, clock: &Clock) -> Reply {
        let Heard { status, headers, body, cut, taken, total } = heard;
        let (text, is_decoded) = decode(&headers, &body);
        let early = (taken < total).then(|| format!("it came after {taken} of {total} bytes"));
        let verdict = classify(&Answer::Http {
            status,
            body: if is_decoded { text.as_bytes() } else { &body },
            complete: cut.is_none(),
            early: early.is_some(),
        });
        let mut note = vec![meaning(verdict, status)];
        if (300..400).contains(&status) {
            note.push(redirection(&self.url, &headers));
        }
        if matches!(verdict, Verdict::Rejected | Verdict::DeniedToken)
            && let Some(error) = api_error(text.as_bytes()).filter(|error| !error.code.is_empty())
        {
            note.push(format!("the API's code is {}", one_line(&error.code, 40)));
        }
        note.extend(early);
        note.extend(cut);
        let named = self.confirm.as_ref().filter(|_| verdict == Verdict::Accepted).and_then(|confirm| {
            let json = serde_json::from_str(&self.exchange.masked(&text)).ok()?;
            confirm.id_in(&json)
        });
        Reply {
            verdict,
            http_status: Some(status),
            answer: kept(&text, self.exchange.secrets()),
            retry_after: retry_after(&headers, clock.now()),
            note: self.exchange.masked(&note.join("; ")),
            sent_bytes: taken,
            import: named,
        }
    }

    /// Nothing was written.
    fn not_sent(&self, why: &str) -> Reply {
        let note = format!("{}, nothing was sent: {why}", self.exchange.place(&self.url));
        self.without_answer(&Answer::NotSent, &note, 0)
    }

    /// Something was written, and no answer came.
    fn broken(&self, why: &str, taken: u64, total: u64) -> Reply {
        let note = format!("no answer after {taken} of {total} bytes, whether the file was taken is not known: {why}");
        self.without_answer(&Answer::Broken, &note, taken)
    }

    fn without_answer(&self, answer: &Answer<'_>, note: &str, sent_bytes: u64) -> Reply {
        Reply {
            verdict: classify(answer),
            http_status: None,
            answer: String::new(),
            retry_after: None,
            note: self.exchange.masked(note),
            sent_bytes,
            import: None,
        }
    }
}

/// A part with a content type; the types are ours, so that none is refused.
fn typed(part: Part, mime: &'static str) -> Part {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    part.headers(headers)
}

/// A status in words.
fn meaning(verdict: Verdict, status: u16) -> String {
    let words = match verdict {
        Verdict::Accepted => "the file was taken",
        Verdict::Rejected => "the file was refused",
        Verdict::DeniedToken => "the API token was refused",
        Verdict::DeniedRoute => "a proxy or an IP restriction refused the request",
        Verdict::Maintenance => "the service is under maintenance",
        Verdict::Throttled => "the service asks for fewer requests",
        Verdict::Unreachable => "the service could not be reached",
        Verdict::Unknown => "the answer does not say whether the file was taken",
    };
    format!("HTTP {status}: {words}")
}

/// Where a redirection would have gone; only the host, since the rest may hold anything.
fn redirection(url: &Url, headers: &HeaderMap) -> String {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|value| url.join(value).ok());
    match target.as_ref().and_then(Url::host_str) {
        Some(host) => format!("it redirects to {}, which is not followed", one_line(host, 100)),
        None => "it redirects, which is not followed".to_owned(),
    }
}
