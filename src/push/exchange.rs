//! One request and its answer as far as it comes: a connection of its own, no retry, no redirect, no cookie, no
//! proxy of the environment's, bounded in bytes and in time. What an answer means is for others to say.
//!
//! HTTP/1.1 only: there one connection carries one request, so that "nothing was written" can be proved, and there is
//! no frame by which a server makes a client send twice.

use super::body::{Progress, Watched};
use super::cause::cause;
use super::client::Patience;
use super::proxy::Proxy;
use super::reply::mask;
use super::{ClientError, tls};
use crate::domain::integration::Integration;
use crate::domain::secret::{SecretText, names_a_secret};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::pin::{Pin, pin};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};
use url::Url;

/// A client that does just what it is told: one request a connection, no redirect (a token must not follow one), no retry
/// of its own, no cookie, no proxy from the environment.
pub(super) fn bare(tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("renkei/", env!("CARGO_PKG_VERSION")))
}

/// What requests to one receiver have in common.
pub(super) struct Exchange {
    http: reqwest::Client,
    headers: HeaderMap,
    patience: Patience,
    proxy: Option<String>,
    secrets: Vec<SecretString>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Exchange").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// An answer, whole or cut.
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Decoded from gzip, not from a charset.
    pub(super) body: Vec<u8>,
    /// Why this is not all of it.
    pub(super) cut: Option<String>,
    /// Bytes of the request's body that the connection took, of how many.
    pub(super) taken: u64,
    pub(super) total: u64,
}

/// No answer.
pub(super) enum Unheard {
    /// Nothing was written.
    NotSent(String),
    /// Something was.
    Broken { why: String, taken: u64, total: u64 },
}

/// What stopped a request before it was done.
enum Stop {
    Failed(reqwest::Error),
    Idle,
    Late,
}

impl Exchange {
    /// Prepares requests over an integration's route. `headers` have their secrets resolved and `written` is how they
    /// stand in the settings; `proxy` is `route.proxy` resolved. Reads the certificate files that the route names.
    pub(super) fn build(
        integration: &Integration,
        headers: Headers<'_>,
        proxy: Option<SecretString>,
        patience: Patience,
    ) -> Result<Self, ClientError> {
        let proxy = proxy.as_ref().map(Proxy::parse).transpose()?;
        let mut secrets = headers.secrets();
        if let Some(proxy) = &proxy {
            secrets.extend(proxy.login.as_ref().map(|(_, password)| password.clone()));
            secrets.extend(proxy.authorization());
        }
        let is_https = integration.url().scheme() == "https";
        let tls = tls::config(&integration.form().route, is_https)?;
        let mut builder = bare(tls).gzip(true).connect_timeout(patience.connect);
        if let Some(proxy) = &proxy {
            builder = builder.proxy(proxy.for_client()?);
        }
        Ok(Self {
            http: builder.build().map_err(|error| ClientError::Http(cause(&error)))?,
            headers: headers.sensitive()?,
            patience,
            proxy: proxy.map(|proxy| proxy.shown),
            secrets,
        })
    }

    /// Begins a request with the headers that all have.
    pub(super) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.http.request(method, url.clone()).headers(self.headers.clone())
    }

    /// The secrets that are sent, so that an echo of one can be masked.
    pub(super) fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    /// A text without the secrets that are sent.
    pub(super) fn masked(&self, text: &str) -> String {
        mask(text, &self.secrets)
    }

    /// The receiver as a failure names it: host, port and proxy.
    pub(super) fn place(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let through = self.proxy.as_ref().map(|proxy| format!(" through {proxy}")).unwrap_or_default();
        format!("{host}:{port} could not be reached{through}")
    }

    /// Sends a request, once, and reads its answer as far as it comes, but no more than `most` bytes of it: neither an
    /// endless answer nor one that unpacks to gigabytes costs memory.
    ///
    /// Dropping the future ends the connection; what had been sent by then may have been taken.
    pub(super) async fn send(&self, request: RequestBuilder, bytes: u64, most: usize) -> Result<Heard, Unheard> {
        let (progress, mut moved) = watch::channel(Progress::default());
        let mut late = pin!(sleep(self.patience.request));
        let mut request = request.build().map_err(|error| Unheard::NotSent(cause(&error)))?;
        if let Some(body) = request.body_mut().take() {
            *request.body_mut() = Some(Body::wrap(Watched::new(body, progress.clone())));
        }
        let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let total: u64 = length.unwrap_or(bytes);
        let sending = self.http.execute(request);
        let mut response = match self.patiently(sending, &mut moved, late.as_mut()).await {
            Ok(response) => response,
            Err(stop) => {
                let Progress { asked, taken } = *moved.borrow();
                let why = self.why(&stop);
                return Err(if asked { Unheard::Broken { why, taken, total } } else { Unheard::NotSent(why) });
            }
        };
        let mut body = Vec::new();
        let cut = loop {
            match self.patiently(response.chunk(), &mut moved, late.as_mut()).await {
                Ok(None) => break None,
                Ok(Some(chunk)) => {
                    let room = most - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() >= room {
                        break Some(format!("the answer was read no further than {} KiB", most / 1024));
                    }
                }
                Err(stop) => break Some(format!("the answer broke off: {}", self.why(&stop))),
            }
        };
        let taken = moved.borrow().taken;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        Ok(Heard { status, headers, body, cut, taken, total })
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
}

/// Headers to be sent.
pub(super) struct Headers<'s> {
    /// With their secrets resolved.
    pub(super) resolved: Vec<(String, SecretString)>,
    /// As they stand in the settings.
    pub(super) written: &'s [(String, SecretText)],
    /// Whether a typed Content-Type is sent.
    pub(super) content_type: bool,
}

impl Headers<'_> {
    /// The values that are never shown: those of names that say so, and whatever stands in the settings as a
    /// reference.
    fn secrets(&self) -> Vec<SecretString> {
        let is_secret = |name: &str| {
            let is_reference =
                |(typed, text): &(String, SecretText)| typed.eq_ignore_ascii_case(name) && text.is_secret();
            names_a_secret(name) || self.written.iter().any(is_reference)
        };
        self.resolved.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone()).collect()
    }

    /// As they are sent, none of which the client prints.
    fn sensitive(self) -> Result<HeaderMap, ClientError> {
        let mut map = HeaderMap::new();
        for (name, value) in self.resolved {
            let refuse = |why: &str| ClientError::Header { name: name.clone(), why: why.to_owned() };
            let header = HeaderName::try_from(name.as_str()).map_err(|_| refuse("is no header name"))?;
            if header == CONTENT_TYPE && !self.content_type {
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
}
