//! config.yaml as it is written: every key optional, nothing resolved, nothing weighed against another. What can be used
//! is [`super::Config`].

use super::notify::RawNotify;
use crate::domain::duration::Span;
use crate::domain::order::Lanes;
use crate::domain::secret::SecretText;
use chrono_tz::Tz;
use std::path::PathBuf;

/// The file's keys with their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// Where the database lies: `sqlite://PATH`; `<data_dir>/renkei.db` where absent.
    pub database: Option<String>,
    /// Spool, archive and key file.
    pub data_dir: PathBuf,
    /// The IANA zone of timers that name none, and of mails and lists.
    pub timezone: Tz,
    /// The language of mails: `ja` or `en`.
    pub locale: Locale,
    /// How many runs may go at once.
    pub lanes: Lanes,
    /// Where mail goes; none is sent where absent.
    pub mail: Option<RawMail>,
    /// Who else is told of runs, and that the daemon is alive; nobody where absent.
    pub notify: Option<RawNotify>,
    /// The log.
    pub log: Log,
    /// Where the console will listen; null in this version.
    pub listen: Option<String>,
    /// How long a stop waits for the request in flight.
    pub drain: Span,
    /// How long the files of ended runs are kept.
    pub keep_files: Span,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            database: None,
            data_dir: PathBuf::from("./data"),
            timezone: Tz::Asia__Tokyo,
            locale: Locale::Ja,
            lanes: Lanes::One,
            mail: None,
            notify: None,
            log: Log::default(),
            listen: None,
            drain: Span::seconds(30),
            keep_files: Span::days(90),
        }
    }
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locale {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

/// `mail:` as written.
#[derive(Debug, Clone, PartialEq)]
pub struct RawMail {
    /// `smtp://user@host:587?tls=required`, or `smtps://`.
    pub url: String,
    /// The password of the URL's user.
    pub password: Option<SecretText>,
    /// The sender.
    pub from: String,
    /// Who gets what nobody else can get.
    pub administrators: Vec<String>,
    /// A PEM file with a further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// The local time, as in `08:30`, at which the administrators get the page of the day (朝のまとめ); none where absent.
    pub digest: Option<String>,
}

/// `log:` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `text` or `json`, one line an event.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,renkei::push=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}
