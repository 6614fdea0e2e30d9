//! `notify:` of config.yaml: webhooks that are told of runs, and the dead-man's switch that is told that the daemon is
//! alive. An address is as secret as a token here: whoever knows it can write there.

use crate::domain::duration::Span;
use crate::domain::secret::SecretText;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// `notify:` as written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawNotify {
    /// The daemon's own dead-man's switch.
    pub ping: Option<RawPing>,
    /// Who is told of runs.
    pub webhooks: Vec<Webhook>,
    /// `http://HOST:PORT` of a proxy, for these requests and those of timers' pings.
    pub proxy: Option<SecretText>,
    /// A PEM file with a further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Whether addresses may be plain `http://`.
    pub allow_http: bool,
}

/// `notify.ping:` as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPing {
    /// The switch's address.
    pub url: SecretText,
    /// How often it is told.
    #[serde(default = "five_minutes")]
    pub every: Span,
}

fn five_minutes() -> Span {
    Span::seconds(300)
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// By which logs call it, and under which it is found again.
    pub name: String,
    /// Where to.
    pub url: SecretText,
    /// How the body looks.
    pub form: Form,
    /// Of which runs it is told.
    #[serde(default)]
    pub when: When,
    /// Chatwork's API token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretText>,
    /// The key under which `json` is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
}

/// How a webhook's body looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Checks what was written; each fault begins with its key.
    pub(super) fn check(raw: RawNotify, base: &Path) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut address = |key: String, url: &SecretText| {
            // What a reference holds is known only when it is used.
            if let Some(text) = url.as_literal()
                && let Err(why) = check_address(&text, raw.allow_http)
            {
                faults.push(format!("{key}: {why}"));
            }
        };
        if let Some(ping) = &raw.ping {
            address("ping.url".to_owned(), &ping.url);
        }
        for webhook in &raw.webhooks {
            address(format!("webhooks.{}.url", webhook.name), &webhook.url);
        }
        if raw.ping.as_ref().is_some_and(|ping| ping.every.to_std() < SHORTEST) {
            faults.push("ping.every: it is below 30s: write 5m, say".to_owned());
        }
        let mut names = HashSet::new();
        for Webhook { name, form, token, secret, .. } in &raw.webhooks {
            let mut fault = |what: &str| faults.push(format!("webhooks.{name}{what}"));
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                fault(": a name is empty or holds a control character: write it in one line");
            }
            if !names.insert(name.as_str()) {
                fault(": the name stands twice: logs and retries tell webhooks by it");
            }
            match (form, token.is_some()) {
                (Form::Chatwork, false) => fault(".token: Chatwork asks for an API token: write \"${file:…}\""),
                (Form::Chatwork, true) | (_, false) => {}
                (_, true) => fault(".token: only form: chatwork takes one: remove it"),
            }
            match (form, secret.is_some()) {
                (Form::Json, false) => {
                    fault(".secret: json is signed: write \"${file:…}\" of a key that the receiver knows")
                }
                (Form::Json, true) | (_, false) => {}
                (_, true) => fault(".secret: only form: json is signed: remove it"),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            ping: raw.ping.map(|ping| (ping.url, ping.every.to_std())),
            webhooks: raw.webhooks,
            proxy: raw.proxy,
            ca_file: raw.ca_file.map(|path| base.join(path)),
            allow_http: raw.allow_http,
        })
    }
}

/// Whether an address can be used; the sentence never repeats it.
///
/// # Errors
/// What is wrong with it and how to mend it.
pub fn check_address(text: &str, allow_http: bool) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("it is no URL ({error}): write https://…"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host: write https://…".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http => Ok(url),
        "http" => Err("it is not https: whoever listens could read it; or set notify.allow_http: true".to_owned()),
        _ => Err("its scheme is not https: write https://…".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Notify, String> {
        let raw: RawNotify = serde_yaml::from_str(text).unwrap();
        Notify::check(raw, Path::new("/etc/renkei")).map_err(|faults| faults.join("\n"))
    }

    #[test]
    fn a_form_asks_for_what_it_needs_and_nothing_else() {
        let hook = |more: &str| check(&format!("webhooks: [{{ name: a, url: '${{env:U}}', {more} }}]"));
        for (more, fault) in [
            ("form: chatwork", "token"),
            ("form: json", "secret"),
            ("form: slack, token: '${env:T}'", "token"),
            ("form: teams, secret: '${env:T}'", "secret"),
        ] {
            assert!(hook(more).unwrap_err().starts_with(&format!("webhooks.a.{fault}:")), "{more}");
        }
        assert_eq!(hook("form: slack").unwrap().webhooks[0].when, When::Trouble);
        let twice = "webhooks: [{ name: a, url: '${env:U}', form: slack }, { name: a, url: '${env:U}', form: teams }]";
        assert!(check(twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn an_address_is_https_and_is_not_repeated_when_refused() {
        let refused = check("ping: { url: 'http://hc.example/secret-path', every: 5s }").unwrap_err();
        assert!(refused.contains("ping.url: it is not https") && refused.contains("ping.every"), "{refused}");
        assert!(!refused.contains("secret-path"), "{refused}");
        let plain = check("{ ping: { url: 'http://127.0.0.1:1/x' }, allow_http: true, ca_file: ca.pem }").unwrap();
        assert_eq!(plain.ping.unwrap().1, Duration::from_secs(300));
        assert_eq!(plain.ca_file.unwrap(), Path::new("/etc/renkei/ca.pem"));
        assert!(!format!("{:?}", check("ping: { url: 'https://hc.example/secret-path' }").unwrap()).contains("secret"));
        for text in ["not a url", "ftp://x/", "https://"] {
            assert!(check_address(text, true).is_err(), "{text}");
        }
    }
}
