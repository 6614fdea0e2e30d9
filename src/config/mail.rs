//! `mail:` → a [`Mail`] that can be used: the URL's notation, and what belongs together.

use super::raw::RawMail;
use crate::domain::fault::Fault;
use crate::domain::secret::SecretText;
use crate::domain::user::is_address;
use std::path::{Path, PathBuf};
use url::Url;

pub(super) const URL_EXAMPLE: &str = "url: \"smtp://user@mail.example.jp:587?tls=required\"";

/// How mail is delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The user to sign in as.
    pub user: Option<String>,
    /// That user's password.
    pub password: Option<SecretText>,
    /// The sender.
    pub from: String,
    /// Who gets what nobody else can get.
    pub administrators: Vec<String>,
    /// A further certificate authority.
    pub ca_file: Option<PathBuf>,
}

/// How a mail connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS, refused without it.
    Required,
    /// TLS from the first byte (`smtps://`).
    Wrapped,
    /// None at all; only towards a server on this machine, or by `tls=none`.
    None,
}

/// What a mail URL says.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    user: Option<String>,
}

/// Checks all of it; relative paths start at `base`.
pub(super) fn check(raw: RawMail, base: &Path) -> Result<Mail, Vec<Fault>> {
    let mut faults = Vec::new();
    let server = server(&raw.url, &mut faults);
    if let Some(server) = &server
        && server.user.is_some() != raw.password.is_some()
    {
        let what = "a user in the URL and a password belong together";
        faults.push(Fault::error(&["password"], what, "give both or neither"));
    }
    address(&["from"], &raw.from, &mut faults);
    for (index, one) in raw.administrators.iter().enumerate() {
        address(&["administrators", &index.to_string()], one, &mut faults);
    }
    match server {
        Some(Server { host, port, tls, user }) if faults.is_empty() => Ok(Mail {
            host,
            port,
            tls,
            user,
            password: raw.password,
            from: raw.from,
            administrators: raw.administrators,
            ca_file: raw.ca_file.map(|path| base.join(path)),
        }),
        _ => Err(faults),
    }
}

fn address(path: &[&str], address: &str, faults: &mut Vec<Fault>) {
    if !is_address(address) {
        faults.push(Fault::error(path, format!("{address:?} is no mail address"), "write name@example.jp"));
    }
}

/// Reads the URL; `None` where it is no URL at all.
fn server(written: &str, faults: &mut Vec<Fault>) -> Option<Server> {
    let mut refuse = |what: String, fix: &str| faults.push(Fault::error(&["url"], what, fix));
    let example = format!("write {URL_EXAMPLE}");
    let url = match Url::parse(written) {
        Ok(url) => url,
        Err(error) => {
            refuse(format!("this is no URL: {error}"), &example);
            return None;
        }
    };
    let wrapped = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        other => {
            refuse(format!("the scheme is {other}"), &example);
            false
        }
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    if host.is_empty() {
        refuse("the host is missing".to_owned(), &example);
    }
    if url.password().is_some() {
        refuse("it has a password in it".to_owned(), "move it to password: \"${file:…}\"");
    }
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let mut tls = match (wrapped, loopback) {
        (true, _) => Tls::Wrapped,
        (false, true) => Tls::None,
        (false, false) => Tls::Required,
    };
    for (key, value) in url.query_pairs() {
        match (key.as_ref(), value.as_ref()) {
            ("tls", "required") if !wrapped => tls = Tls::Required,
            ("tls", "none") if !wrapped => tls = Tls::None,
            ("tls", "wrapped") => tls = Tls::Wrapped,
            _ => refuse(format!("{key}={value} is not known"), "write tls=required, tls=wrapped or tls=none"),
        }
    }
    let user = (!url.username().is_empty())
        .then(|| percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned());
    let port = url.port().unwrap_or(if tls == Tls::Wrapped { 465 } else { 587 });
    Some(Server { host, port, tls, user })
}
