//! Tries the way to the receiver without sending anything: name, connection (through the proxy, if there is one) and
//! the TLS handshake with the certificate verified as a push would. No HTTP request is made of the receiver, so that
//! a probe costs none of the account's request slots and shows its token to nobody.

use super::cause::{cause, one_line, tls as tls_cause};
use super::client::Patience;
use super::proxy::Proxy;
use super::{ClientError, tls};
use crate::domain::integration::Integration;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Bytes of a proxy's answer that are read.
const PROXY_ANSWER: usize = 8 * 1024;

/// One part of the way that could be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `name`, `connect`, `proxy` or `tls`.
    pub what: &'static str,
    /// What was found, in one English line.
    pub found: String,
}

/// How far the way could be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// What went well, in order.
    pub steps: Vec<Step>,
    /// The step that failed and why, with the fix where there is one.
    pub failed: Option<Step>,
}

impl ProbeReport {
    /// Whether a push could begin to send.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.failed.is_none()
    }
}

/// Tries the way to an integration's URL within its own connect time-out. `proxy` is `route.proxy` resolved.
///
/// # Errors
///
/// If the route's settings are of no use, as for [`super::Client::build`].
pub async fn probe(integration: &Integration, proxy: Option<&SecretString>) -> Result<ProbeReport, ClientError> {
    let patience: Patience = integration.form().timeouts.into();
    let proxy = proxy.map(Proxy::parse).transpose()?;
    let url = integration.url();
    let is_https = url.scheme() == "https";
    let config = tls::config(&integration.form().route, is_https)?;
    let way = Way {
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or(443),
        proxy,
        tls: is_https.then(|| TlsConnector::from(Arc::new(config))),
    };
    let mut steps = Vec::new();
    let failed = match timeout(patience.connect, way.go(&mut steps)).await {
        Ok(Ok(())) => None,
        Ok(Err(failed)) => Some(failed),
        Err(_) => Some(Step {
            what: match (steps.len(), &way.proxy) {
                (0, _) => "name",
                (1, _) => "connect",
                (2, Some(_)) => "proxy",
                _ => "tls",
            },
            found: format!("no answer within {:?} (timeouts.connect)", patience.connect),
        }),
    };
    Ok(ProbeReport { steps, failed })
}

struct Way {
    host: String,
    port: u16,
    proxy: Option<Proxy>,
    tls: Option<TlsConnector>,
}

impl Way {
    async fn go(&self, steps: &mut Vec<Step>) -> Result<(), Step> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let (host, port) = self.proxy.as_ref().map_or((bare, self.port), |proxy| (proxy.host.as_str(), proxy.port));
        let step = |what, found| Step { what, found };

        let addresses: Vec<_> = lookup_host((host, port))
            .await
            .map_err(|error| step("name", format!("{host}: {}", cause(&error))))?
            .collect();
        let shown: Vec<_> = addresses.iter().take(4).map(|address| address.ip().to_string()).collect();
        steps.push(step("name", format!("{host} is {}", shown.join(", "))));

        let mut stream = TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| step("connect", format!("{host}:{port}: {}", cause(&error))))?;
        steps.push(step("connect", format!("{host}:{port} takes connections")));

        let Some(tls) = &self.tls else {
            return Ok(());
        };
        if let Some(proxy) = &self.proxy {
            tunnel(&mut stream, proxy, &self.host, self.port)
                .await
                .map_err(|why| step("proxy", format!("{}: {why}", proxy.shown)))?;
            steps.push(step("proxy", format!("{} lets {}:{} through", proxy.shown, self.host, self.port)));
        }
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| step("tls", format!("{bare} is no name that a certificate can have")))?;
        let mut secured =
            tls.connect(name, stream).await.map_err(|error| step("tls", format!("{bare}: {}", handshake(&error))))?;
        let version = secured.get_ref().1.protocol_version();
        let version = version.map_or_else(String::new, |version| format!(" ({version:?})"));
        steps.push(step("tls", format!("the certificate of {bare} is good{version}")));
        // Leaving politely is all that is left to do.
        let _ = secured.shutdown().await;
        Ok(())
    }
}

fn handshake(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => tls_cause(error),
        None => cause(error),
    }
}

/// Asks a proxy for a tunnel.
async fn tunnel(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), String> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(value) = proxy.authorization() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(value.expose_secret());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| cause(&error))?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        // A byte at a time: what follows the answer's end belongs to TLS.
        let byte = stream.read_u8().await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => "it closed the connection without an answer".to_owned(),
            _ => cause(&error),
        })?;
        answer.push(byte);
        if answer.len() > PROXY_ANSWER {
            return Err("its answer is too long".to_owned());
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let line = line.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some("407") => Err("it asks for a user and password: set them in route.proxy".to_owned()),
        _ => Err(format!("it refused: {}", one_line(line, 100))),
    }
}
