//! What belongs to the machine: config.yaml as written ([`raw::Raw`]), then a checked [`Config`]. It reads one file
//! and the zone and mail notations; it does not resolve secrets, open the database or create anything.

pub mod notify;
pub mod raw;

pub use notify::Notify;
pub use raw::{Locale, Log, LogFormat};

use crate::domain::order::Lanes;
use crate::domain::secret::SecretText;
use crate::domain::user::is_address;
use chrono_tz::Tz;
use raw::{Raw, RawMail};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// A checked configuration; paths are complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file that was read; `None` when the defaults serve.
    pub file: Option<PathBuf>,
    /// The SQLite file.
    pub database: PathBuf,
    /// Spool, archive and key file.
    pub data_dir: PathBuf,
    /// The zone of timers that name none, and of mails and lists.
    pub timezone: Tz,
    /// The language of mails.
    pub locale: Locale,
    /// How many runs may go at once.
    pub lanes: Lanes,
    /// Where mail goes.
    pub mail: Option<Mail>,
    /// Who else is told of runs, and that the daemon is alive.
    pub notify: Notify,
    /// The log.
    pub log: Log,
    /// How long a stop waits for the request in flight.
    pub drain: Duration,
    /// How long the files of ended runs are kept.
    pub keep_files: Duration,
}

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

/// Why a configuration cannot be used; one line a fault.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads a file, or takes the defaults where none is given.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(file) = file else {
            return Self::check(Raw::default(), None);
        };
        let fail = |what: String| ConfigError(vec![format!("{}: {what}", file.display())]);
        let bytes = std::fs::read(file).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| fail("is not UTF-8 text: save it as UTF-8".into()))?;
        let raw = match serde_yaml::from_str::<Option<Raw>>(text.trim_start_matches('\u{feff}')) {
            Ok(raw) => raw.unwrap_or_default(),
            Err(error) => return Err(fail(error.to_string())),
        };
        Self::check(raw, Some(file))
    }

    /// Checks what was written; relative paths start at the file's folder.
    pub fn check(raw: Raw, file: Option<&Path>) -> Result<Self, ConfigError> {
        let at = file.map_or_else(|| "the defaults".to_owned(), |file| file.display().to_string());
        let mut faults = Vec::new();
        let base = match std::path::absolute(file.and_then(Path::parent).unwrap_or(Path::new(""))) {
            Ok(base) => base,
            // An empty path has no absolute form of its own: it is the working directory.
            Err(_) => std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        };
        let data_dir = base.join(raw.data_dir);
        let database = match raw.database.as_deref() {
            None => data_dir.join("renkei.db"),
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => base.join(path.strip_prefix("//").unwrap_or(path)),
                None => {
                    faults.push(format!("{at}: database: only sqlite://PATH is known to this version"));
                    PathBuf::new()
                }
            },
        };
        let timezone = raw.timezone.parse::<Tz>().unwrap_or_else(|_| {
            faults.push(format!("{at}: timezone: {:?} is no IANA zone: write Asia/Tokyo, say", raw.timezone));
            chrono_tz::Asia::Tokyo
        });
        if raw.listen.is_some() {
            faults.push(format!("{at}: listen: the console is not in this version: remove the key or write null"));
        }
        if let Err(error) = raw.log.level.parse::<tracing_subscriber::filter::Targets>() {
            faults.push(format!("{at}: log.level: {error}: write info, or info,renkei::push=debug"));
        }
        let mail = raw.mail.and_then(|mail| {
            check_mail(mail, &base)
                .map_err(|what| {
                    faults.extend(what.into_iter().map(|what| format!("{at}: mail.{what}")));
                })
                .ok()
        });
        let notify = Notify::check(raw.notify.unwrap_or_default(), &base).unwrap_or_else(|what| {
            faults.extend(what.into_iter().map(|what| format!("{at}: notify.{what}")));
            Notify::default()
        });
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        Ok(Self {
            file: file.map(Path::to_owned),
            database,
            data_dir,
            timezone,
            locale: raw.locale,
            lanes: raw.lanes,
            mail,
            notify,
            log: raw.log,
            drain: raw.drain.to_std(),
            keep_files: raw.keep_files.to_std(),
        })
    }

    /// Where the CSV files of runs lie.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.data_dir.join("spool")
    }

    /// The key under which literals are sealed.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("renkei.key")
    }
}

fn check_mail(raw: RawMail, base: &Path) -> Result<Mail, Vec<String>> {
    let example = "write smtp://user@mail.example.jp:587?tls=required";
    let url = Url::parse(&raw.url).map_err(|error| vec![format!("url: {error}: {example}")])?;
    let mut faults = Vec::new();
    let wrapped = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        other => {
            faults.push(format!("url: the scheme is {other}: {example}"));
            false
        }
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    if host.is_empty() {
        faults.push(format!("url: the host is missing: {example}"));
    }
    if url.password().is_some() {
        faults.push("url: it has a password in it: move it to password: \"${file:…}\"".to_owned());
    }
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let mut tls = if wrapped {
        Tls::Wrapped
    } else if loopback {
        Tls::None
    } else {
        Tls::Required
    };
    for (key, value) in url.query_pairs() {
        match (key.as_ref(), value.as_ref()) {
            ("tls", "required") if !wrapped => tls = Tls::Required,
            ("tls", "none") if !wrapped => tls = Tls::None,
            ("tls", "wrapped") => tls = Tls::Wrapped,
            _ => faults.push(format!("url: {key}={value} is not known: write tls=required, tls=wrapped or tls=none")),
        }
    }
    let user = (!url.username().is_empty())
        .then(|| percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned());
    if user.is_some() != raw.password.is_some() {
        faults.push("password: a user in the URL and a password belong together: give both or neither".to_owned());
    }
    for (key, address) in
        std::iter::once(("from", &raw.from)).chain(raw.administrators.iter().map(|a| ("administrators", a)))
    {
        if !is_address(address) {
            faults.push(format!("{key}: {address:?} is no mail address: write name@example.jp"));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Mail {
        host,
        port: url.port().unwrap_or(if tls == Tls::Wrapped { 465 } else { 587 }),
        tls,
        user,
        password: raw.password,
        from: raw.from,
        administrators: raw.administrators,
        ca_file: raw.ca_file.map(|path| base.join(path)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_file_holds_the_defaults() {
        let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.yaml")).unwrap();
        let raw: Raw = serde_yaml::from_str(&example).unwrap();
        let defaults = Raw { database: Some("sqlite://./data/renkei.db".into()), ..Raw::default() };
        assert_eq!(raw, defaults);
    }

    #[test]
    fn an_empty_file_is_the_defaults_and_paths_start_at_the_file() {
        let config = load("# nothing\n").unwrap();
        assert_eq!(config.timezone, chrono_tz::Asia::Tokyo);
        assert!(config.database.ends_with("data/renkei.db") && config.database.is_absolute());
    }

    #[test]
    fn mail_is_read_from_its_url() {
        let text = "mail: { url: 'smtp://it%40x@mail.example.jp:25?tls=required', password: '${env:P}', from: a@x, administrators: [b@x] }";
        let mail = load(text).unwrap().mail.unwrap();
        assert_eq!((mail.host.as_str(), mail.port, mail.tls), ("mail.example.jp", 25, Tls::Required));
        assert_eq!(mail.user.as_deref(), Some("it@x"));
        let plain = load("mail: { url: 'smtp://127.0.0.1:2525', from: a@x }").unwrap().mail.unwrap();
        assert_eq!(plain.tls, Tls::None);
    }

    #[test]
    fn every_fault_is_said_with_its_key() {
        let error = load("timezone: Asia/Tokio\ndatabase: mysql://x\nmail: { url: 'smtp://u:p@h', from: nobody }\n")
            .unwrap_err();
        for part in ["timezone", "Asia/Tokio", "database", "mail.url", "mail.from", "mail.password"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(load("tiemzone: x").unwrap_err().contains("tiemzone"));
        assert!(load("drain: [").unwrap_err().contains("line"));
    }
}
