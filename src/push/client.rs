//! The client that posts one file: exactly the parts of the help page, one connection a request, bounded answers, and
//! a verdict for whatever happens. It knows no retry, no redirect and no cookie.
//!
//! HTTP/1.1 only: there one connection carries one request, so that "nothing was written" can be proved, and there is
//! no frame by which a server makes a client send twice.

use super::body::{Progress, Watched};
use super::cause::{cause, one_line};
use super::proxy::Proxy;
use super::reply::{Reply, decode, kept, mask, retry_after};
use super::spool::{SpoolDamaged, Upload};
use super::{ClientError, tls};
use crate::clock::Clock;
use crate::domain::integration::{Integration, Timeouts};
use crate::domain::secret::{SecretText, names_a_secret};
use crate::domain::verdict::{Answer, Verdict, api_error, classify};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Response};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};
use url::Url;

/// Decoded bytes of an answer that are read; no more is asked for, so that neither an endless answer nor one that
/// unpacks to gigabytes costs memory.
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
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    body_name: String,
    csv_name: String,
    patience: Patience,
    proxy: Option<String>,
    secrets: Vec<SecretString>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("url", &self.url.as_str()).field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// What stopped a request before it was done.
enum Stop {
    Failed(reqwest::Error),
    Idle,
    Late,
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
        let url = integration.url().clone();
        let proxy = proxy.as_ref().map(Proxy::parse).transpose()?;
        let mut secrets: Vec<SecretString> = headers
            .iter()
            .filter(|(name, _)| {
                let is_reference =
                    |(typed, text): &(String, SecretText)| typed.eq_ignore_ascii_case(name) && text.is_secret();
                names_a_secret(name) || form.headers.iter().any(is_reference)
            })
            .map(|(_, value)| value.clone())
            .collect();
        if let Some(proxy) = &proxy {
            secrets.extend(proxy.login.as_ref().map(|(_, password)| password.clone()));
            secrets.extend(proxy.authorization());
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&form.route, url.scheme() == "https")?)
            .http1_only()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .gzip(true)
            .connect_timeout(patience.connect)
            .user_agent(concat!("renkei/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &proxy {
            builder = builder.proxy(proxy.for_client()?);
        }
        Ok(Self {
            http: builder.build().map_err(|error| ClientError::Http(cause(&error)))?,
            url,
            headers: sensitive(headers)?,
            body_name: form.body.name.clone(),
            csv_name: form.csv.name.clone(),
            patience,
            proxy: proxy.map(|proxy| proxy.shown),
            secrets,
        })
    }

    /// Sends one file, once. The file is proved first; after that every outcome is a [`Reply`].
    ///
    /// Dropping the future ends the connection; what had been sent by then may have been taken.
    pub async fn push(&self, upload: &Upload, clock: &Clock) -> Result<Reply, SpoolDamaged> {
        let file = upload.open().await?;
        let (progress, mut moved) = watch::channel(Progress::default());
        let mut late = pin!(sleep(self.patience.request));
        let form = Form::new()
            .percent_encode_noop()
            .part(self.body_name.clone(), typed(Part::text(upload.params_json.clone()), "application/json"))
            .part(self.csv_name.clone(), {
                let bytes = Body::wrap_stream(upload.pieces(file));
                typed(Part::stream_with_length(bytes, upload.bytes), "text/csv").file_name(upload.safe_name())
            });
        let built = self.http.post(self.url.clone()).headers(self.headers.clone()).multipart(form).build();
        let mut request = match built {
            Ok(request) => request,
            Err(error) => return Ok(self.not_sent(&cause(&error))),
        };
        if let Some(body) = request.body_mut().take() {
            *request.body_mut() = Some(Body::wrap(Watched::new(body, progress.clone())));
        }
        let total: u64 = request
            .headers()
            .get(reqwest::header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok())
            .unwrap_or(upload.bytes);

        let sending = self.http.execute(request);
        let response = match self.patiently(sending, &mut moved, late.as_mut()).await {
            Ok(response) => response,
            Err(stop) => {
                let Progress { asked, taken } = *moved.borrow();
                let why = self.why(&stop);
                return Ok(if asked { self.broken(&why, taken, total) } else { self.not_sent(&why) });
            }
        };
        Ok(self.read(response, &mut moved, late, total, clock).await)
    }

    /// Reads an answer as far as it comes and as far as it is needed.
    async fn read(
        &self,
        mut response: Response,
        moved: &mut watch::Receiver<Progress>,
        mut late: Pin<&mut Sleep>,
        total: u64,
        clock: &Clock,
    ) -> Reply {
        let mut body = Vec::new();
        let cut = loop {
            match self.patiently(response.chunk(), moved, late.as_mut()).await {
                Ok(None) => break None,
                Ok(Some(chunk)) => {
                    let room = READ - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() >= room {
                        break Some(format!("the answer was read no further than {} KiB", READ / 1024));
                    }
                }
                Err(stop) => break Some(format!("the answer broke off: {}", self.why(&stop))),
            }
        };
        let status = response.status().as_u16();
        let (text, is_decoded) = decode(response.headers(), &body);
        let taken = moved.borrow().taken;
        let early = (taken < total).then(|| format!("it came after {taken} of {total} bytes"));
        let verdict = classify(&Answer::Http {
            status,
            body: if is_decoded { text.as_bytes() } else { &body },
            complete: cut.is_none(),
            early: early.is_some(),
        });
        let mut note = vec![meaning(verdict, status)];
        if (300..400).contains(&status) {
            note.push(redirection(&self.url, response.headers()));
        }
        if matches!(verdict, Verdict::Rejected | Verdict::DeniedToken)
            && let Some(error) = api_error(text.as_bytes()).filter(|error| !error.code.is_empty())
        {
            note.push(format!("the API's code is {}", one_line(&error.code, 40)));
        }
        note.extend(early);
        note.extend(cut);
        Reply {
            verdict,
            http_status: Some(status),
            answer: kept(&text, &self.secrets),
            retry_after: retry_after(response.headers(), clock.now()),
            note: mask(&note.join("; "), &self.secrets),
            sent_bytes: taken,
        }
    }

    /// Waits for a step of the exchange, but not for ever: the idle time begins with the first byte written and again
    /// with each that moves.
    async fn patiently<T>(
        &self,
        step: impl Future<Output = Result<T, reqwest::Error>>,
        moved: &mut watch::Receiver<Progress>,
        mut late: Pin<&mut Sleep>,
    ) -> Result<T, Stop> {
        let mut step = pin!(step);
        loop {
            let begun = moved.borrow_and_update().asked;
            let idle = async {
                if begun {
                    sleep(self.patience.idle).await;
                } else {
                    std::future::pending().await
                }
            };
            let moving = async {
                if moved.changed().await.is_err() {
                    // The upload is over; only the answer can move now.
                    std::future::pending().await
                }
            };
            tokio::select! {
                biased;
                done = &mut step => return done.map_err(Stop::Failed),
                () = late.as_mut() => return Err(Stop::Late),
                () = moving => {}
                () = idle => return Err(Stop::Idle),
            }
        }
    }

    fn why(&self, stop: &Stop) -> String {
        match stop {
            Stop::Idle => format!("no byte moved for {:?} (timeouts.idle)", self.patience.idle),
            Stop::Late => format!("it took longer than {:?} (timeouts.request)", self.patience.request),
            Stop::Failed(error) if error.is_timeout() => {
                format!("there was no connection within {:?} (timeouts.connect)", self.patience.connect)
            }
            Stop::Failed(error) => cause(error),
        }
    }

    /// Nothing was written.
    fn not_sent(&self, why: &str) -> Reply {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        let through = self.proxy.as_ref().map(|proxy| format!(" through {proxy}")).unwrap_or_default();
        let note = format!("{host}:{port} could not be reached{through}, nothing was sent: {why}");
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
            note: mask(note, &self.secrets),
            sent_bytes,
        }
    }
}

/// The headers as they are sent, none of which the client prints. A typed Content-Type is left out: the body is
/// multipart/form-data whatever it says, and only the generated one has the boundary.
fn sensitive(headers: Vec<(String, SecretString)>) -> Result<HeaderMap, ClientError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let refuse = |why: &str| ClientError::Header { name: name.clone(), why: why.to_owned() };
        let header = HeaderName::try_from(name.as_str()).map_err(|_| refuse("is no header name"))?;
        if header == CONTENT_TYPE {
            continue;
        }
        let value = value.expose_secret();
        if value.trim().is_empty() {
            return Err(refuse("is empty: is the variable or file that it refers to?"));
        }
        let mut value = HeaderValue::from_str(value)
            .ok()
            // The library lets raw bytes above ASCII through.
            .filter(|value| value.to_str().is_ok())
            .ok_or_else(|| refuse("holds a line break or another character that HTTP does not carry"))?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
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
