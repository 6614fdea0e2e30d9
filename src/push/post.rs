//! One small message to an address that is a secret: a webhook, a dead-man's switch. Like a push it is one request,
//! without redirect, retry or cookie; what it says about a failure never repeats the address or a header.

use super::cause::cause;
use super::exchange::bare;
use super::proxy::Proxy;
use super::reply::mask;
use super::tls;
use crate::domain::integration::Route;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

/// For name, TCP, proxy and TLS together.
const CONNECT: Duration = Duration::from_secs(10);
/// For the whole request.
const REQUEST: Duration = Duration::from_secs(20);
/// Path segments and query values that are longer are what makes an address a secret.
const TELLING: usize = 8;

/// The way that messages take.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// `http://HOST:PORT` of a proxy. Without one the way is direct: the environment's proxy is not used.
    pub proxy: Option<SecretString>,
    /// A PEM file with a further certificate authority.
    pub ca_file: Option<String>,
}

/// A message.
pub struct Message {
    /// Where to.
    pub url: Url,
    /// Headers beside the content type; no value is ever shown.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a message once and gives the answer's status; the answer's body is not read.
///
/// # Errors
/// Why no answer came, in one English line without secrets.
pub async fn post(way: &Way, message: Message) -> Result<u16, String> {
    let mut secrets = telling_parts(&message.url);
    secrets.extend(message.headers.iter().map(|(_, value)| value.clone()));
    // The settings of these messages stand elsewhere than those of a push.
    let said = |text: String| mask(&text, &secrets).replace("route.", "notify.");
    let proxy = way.proxy.as_ref().map(Proxy::parse).transpose().map_err(|error| said(error.to_string()))?;
    let route = Route { ca_file: way.ca_file.clone(), ..Route::default() };
    let tls = tls::config(&route, message.url.scheme() == "https").map_err(|error| said(error.to_string()))?;
    let mut builder = bare(tls).connect_timeout(CONNECT).timeout(REQUEST);
    if let Some(proxy) = &proxy {
        builder = builder.proxy(proxy.for_client().map_err(|error| said(error.to_string()))?);
    }
    let client = builder.build().map_err(|error| said(cause(&error)))?;
    let headers = headers(message.headers, message.content_type)?;
    let answer = client.post(message.url).headers(headers).body(message.body).send().await;
    match answer {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) if error.is_timeout() && error.is_connect() => {
            Err(format!("there was no connection within {CONNECT:?}"))
        }
        Err(error) if error.is_timeout() => Err(format!("there was no answer within {REQUEST:?}")),
        Err(error) => Err(said(cause(&error.without_url()))),
    }
}

fn headers(given: Vec<(&'static str, SecretString)>, content_type: &'static str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in given {
        let refused = || format!("the value of {name} holds a character that HTTP does not carry");
        let mut value = HeaderValue::from_str(value.expose_secret().trim()).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// The parts of an address that must not be seen: the whole, its path, its login, and whatever in it is long.
fn telling_parts(url: &Url) -> Vec<SecretString> {
    let mut parts = vec![url.as_str().to_owned(), url.path().trim_start_matches('/').to_owned()];
    parts.extend(url.path_segments().into_iter().flatten().filter(|part| part.len() >= TELLING).map(str::to_owned));
    parts.extend(url.query().map(str::to_owned));
    parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= TELLING));
    parts.extend(url.password().map(str::to_owned));
    // The longest first, so that a part is not masked inside a whole.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.into_iter().map(SecretString::from).collect()
}
