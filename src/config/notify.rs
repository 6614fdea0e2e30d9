//! `notify:` of config.yaml: webhooks that are told of runs, and the dead-man's switch that is told that the daemon is
//! alive. An address is as secret as a token here: whoever knows it can write there.

use crate::domain::duration::Span;
use crate::domain::fault::Fault;
use crate::domain::label;
use crate::domain::secret::SecretText;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// `notify:` as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawNotify {
    /// The daemon's own dead-man's switch.
    pub ping: Option<RawPing>,
    /// Who is told of runs.
    pub webhooks: Vec<RawWebhook>,
    /// `http://HOST:PORT` of a proxy, for these requests and those of timers' pings.
    pub proxy: Option<SecretText>,
    /// A PEM file with a further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Whether addresses may be plain `http://`.
    pub allow_http: bool,
}

/// `notify.ping:` as written.
#[derive(Debug, Clone, PartialEq)]
pub struct RawPing {
    /// The switch's address.
    pub url: Option<SecretText>,
    /// How often it is told.
    pub every: Span,
}

impl Default for RawPing {
    fn default() -> Self {
        Self { url: None, every: Span::minutes(5) }
    }
}

/// An item of `notify.webhooks:` as written; what it has to have can be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawWebhook {
    /// Its name.
    pub name: String,
    /// Where to.
    pub url: Option<SecretText>,
    /// How the body looks.
    pub form: Option<Form>,
    /// Of which runs it is told.
    pub when: When,
    /// Chatwork's API token.
    pub token: Option<SecretText>,
    /// The key under which `json` is signed.
    pub secret: Option<SecretText>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// By which logs call it, and under which it is found again.
    pub name: String,
    /// Where to.
    pub url: SecretText,
    /// How the body looks.
    pub form: Form,
    /// Of which runs it is told.
    pub when: When,
    /// Chatwork's API token.
    pub token: Option<SecretText>,
    /// The key under which `json` is signed.
    pub secret: Option<SecretText>,
}

/// How a webhook's body looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The run as JSON, signed.
    Json,
    /// Slack's incoming webhook.
    Slack,
    /// A Teams workflow: an Adaptive Card.
    Teams,
    /// Chatwork's API: a message in a room.
    Chatwork,
}

/// Of which runs a webhook is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Only of those that did not end well, and of held ones.
    #[default]
    Trouble,
    /// Of all.
    Always,
}

impl When {
    /// Whether a run is told of that ended well, or did not.
    #[must_use]
    pub fn is_due(self, good: bool) -> bool {
        self == Self::Always || !good
    }
}

/// Who is told of what happens, beside mail.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notify {
    /// The daemon's dead-man's switch: its address, and how often it is told.
    pub ping: Option<(SecretText, Duration)>,
    /// Who is told of runs.
    pub webhooks: Vec<Webhook>,
    /// A proxy to go through.
    pub proxy: Option<SecretText>,
    /// A further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Whether addresses may be plain `http://`.
    pub allow_http: bool,
}

/// The shortest pause between two signs of life.
const SHORTEST: Duration = Duration::from_secs(30);

impl Notify {
    /// Checks all of it; relative paths start at `base`.
    pub(super) fn check(raw: RawNotify, base: &Path) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let allow_http = raw.allow_http;
        let ping = raw.ping.and_then(|ping| {
            if ping.every.to_std() < SHORTEST {
                faults.push(Fault::error(&["ping", "every"], "it is below 30s", "write 5m, say"));
            }
            Some((address(&["ping", "url"], ping.url, allow_http, &mut faults)?, ping.every.to_std()))
        });
        let mut names = HashSet::new();
        let mut webhooks = Vec::with_capacity(raw.webhooks.len());
        for (index, webhook) in raw.webhooks.into_iter().enumerate() {
            let mut found = Vec::new();
            if !webhook.name.is_empty() && !names.insert(webhook.name.clone()) {
                let what = "the name stands twice, and logs and retries tell webhooks by it";
                found.push(Fault::error(&["name"], what, "write another one"));
            }
            webhooks.extend(check_webhook(webhook, allow_http, &mut found));
            faults.extend(found.into_iter().map(|fault| fault.under(&index.to_string()).under("webhooks")));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let ca_file = raw.ca_file.map(|path| base.join(path));
        Ok(Self { ping, webhooks, proxy: raw.proxy, ca_file, allow_http })
    }
}

/// An address that was written; what a reference holds is known only when it is used.
fn address(path: &[&str], url: Option<SecretText>, allow_http: bool, faults: &mut Vec<Fault>) -> Option<SecretText> {
    let Some(url) = url else {
        faults.push(Fault::error(path, "url is missing", "write url: \"${file:…}\""));
        return None;
    };
    if let Some(text) = url.as_literal()
        && let Err(wrong) = check_address(&text, allow_http)
    {
        faults.push(Fault::error(path, wrong.what, wrong.fix));
    }
    Some(url)
}

fn check_webhook(webhook: RawWebhook, allow_http: bool, faults: &mut Vec<Fault>) -> Option<Webhook> {
    let RawWebhook { name, url, form, when, token, secret } = webhook;
    let url = address(&["url"], url, allow_http, faults);
    faults.extend(label::check("name", &name));
    let mut fault = |key: &str, what: &str, fix: &str| faults.push(Fault::error(&[key], what, fix));
    let Some(form) = form else {
        fault("form", "form is missing", "write form: slack");
        return None;
    };
    match (form == Form::Chatwork, token.is_some()) {
        (true, false) => fault("token", "Chatwork asks for an API token", "write token: \"${file:…}\""),
        (false, true) => fault("token", "only form: chatwork takes one", "remove it"),
        _ => {}
    }
    match (form == Form::Json, secret.is_some()) {
        (true, false) => {
            fault("secret", "json is signed", "write secret: \"${file:…}\" of a key that the receiver knows");
        }
        (false, true) => fault("secret", "only form: json is signed", "remove it"),
        _ => {}
    }
    Some(Webhook { name, url: url?, form, when, token, secret })
}

/// What is wrong with an address, and how to mend it; neither repeats it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} ({fix})")]
pub struct AddressFault {
    what: String,
    fix: &'static str,
}

/// Whether an address can be used; the sentence never repeats it.
///
/// # Errors
/// What is wrong with it and how to mend it.
pub fn check_address(text: &str, allow_http: bool) -> Result<Url, AddressFault> {
    let refuse = |what: String, fix: &'static str| Err(AddressFault { what, fix });
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => return refuse(format!("it is no URL: {error}"), "write https://…"),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return refuse("it has no host".to_owned(), "write https://…");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http => Ok(url),
        "http" => refuse(
            "it is not https: whoever listens could read it".to_owned(),
            "write https://…, or set notify.allow_http: true",
        ),
        _ => refuse("its scheme is not https".to_owned(), "write https://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_refused() {
        for text in ["not a url", "ftp://x/", "https://"] {
            assert!(check_address(text, true).is_err(), "{text}");
        }
        assert!(check_address("http://127.0.0.1:1/x", true).is_ok());
        assert!(check_address("http://127.0.0.1:1/x", false).is_err());
    }
}
