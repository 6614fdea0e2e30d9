//! What belongs to the machine: config.yaml as written ([`raw::Raw`]), then a checked [`Config`]. It reads one file
//! and the zone and mail notations; it does not resolve secrets, open the database or create anything. Every fault is
//! said at once, with its place and the way to mend it.

mod mail;
pub mod notify;
pub mod raw;
mod read;

pub use mail::{Mail, Tls};
pub use notify::Notify;
pub use raw::{Locale, Log, LogFormat};
pub use read::keys;

use crate::domain::fault::Fault;
use crate::domain::order::Lanes;
use crate::yaml::{self, Desk, Finding, Findings, Place};
use chrono_tz::Tz;
use raw::Raw;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

impl Config {
    /// Reads a file, or takes the defaults where none is given.
    ///
    /// # Errors
    ///
    /// Every fault of the file, in its order.
    pub fn load(file: Option<&Path>) -> Result<Self, Findings> {
        match file {
            None => Self::check(Raw::default(), None),
            Some(file) => Self::parse(&yaml::read(file).map_err(|finding| Findings(vec![*finding]))?),
        }
    }

    /// Takes a file's text; one without a key is the defaults. Relative paths start at the file's folder.
    ///
    /// # Errors
    ///
    /// Every fault of the text, in its order.
    pub fn parse(text: &yaml::Text) -> Result<Self, Findings> {
        let (tree, broken) = yaml::parse(&text.text);
        let mut findings: Vec<Finding> =
            broken.into_iter().map(|fault| Finding::at(&text.path, fault.place, fault.what, fault.fix)).collect();
        let tree = tree.filter(|tree| !tree.is_null());
        let mut desk = Desk::new(&(), &[]);
        let raw = tree.as_ref().map(|tree| read::raw(&mut desk, tree)).unwrap_or_default();
        let checked = settle(raw, Some(&text.path));
        // What could not be read is at its default, of which nothing is worth saying.
        let follows = |fault: &Fault| {
            desk.faults.iter().any(|read| !read.fault.path.is_empty() && fault.path.starts_with(&read.fault.path))
        };
        for fault in checked.as_ref().err().into_iter().flatten().filter(|fault| !follows(fault)) {
            let place = tree.as_ref().map_or(Place::START, |tree| tree.locate(&fault.path));
            findings.push(told(fault.clone(), Some(&text.path), Some(place)));
        }
        findings.extend(desk.faults.into_iter().map(|read| told(read.fault, Some(&text.path), Some(read.place))));
        findings.sort_by_key(|finding| finding.place);
        match checked {
            Ok(config) if findings.is_empty() => Ok(config),
            _ => Err(Findings(findings)),
        }
    }

    /// Checks what was written; relative paths start at the file's folder.
    ///
    /// # Errors
    ///
    /// Every fault; none has a place, as no text was read.
    pub fn check(raw: Raw, file: Option<&Path>) -> Result<Self, Findings> {
        settle(raw, file).map_err(|faults| Findings(faults.into_iter().map(|fault| told(fault, file, None)).collect()))
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

/// A fault with its key and place.
fn told(fault: Fault, file: Option<&Path>, place: Option<Place>) -> Finding {
    let Fault { severity, path, what, fix } = fault;
    Finding { severity, file: file.map(Path::to_owned), place, subject: path.join("."), what, fix }
}

fn settle(raw: Raw, file: Option<&Path>) -> Result<Config, Vec<Fault>> {
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
                let what = "only SQLite is known to this version";
                faults.push(Fault::error(&["database"], what, "write sqlite://./data/renkei.db"));
                PathBuf::new()
            }
        },
    };
    if raw.listen.is_some() {
        let what = "the console is not in this version";
        faults.push(Fault::error(&["listen"], what, "remove the key or write null"));
    }
    if let Err(error) = raw.log.level.parse::<tracing_subscriber::filter::Targets>() {
        faults.push(Fault::error(&["log", "level"], error.to_string(), "write info, or info,renkei::push=debug"));
    }
    let mail = raw.mail.and_then(|written| match mail::check(written, &base) {
        Ok(mail) => Some(mail),
        Err(found) => {
            faults.extend(found.into_iter().map(|fault| fault.under("mail")));
            None
        }
    });
    let notify = Notify::check(raw.notify.unwrap_or_default(), &base).unwrap_or_else(|found| {
        faults.extend(found.into_iter().map(|fault| fault.under("notify")));
        Notify::default()
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Config {
        file: file.map(Path::to_owned),
        database,
        data_dir,
        timezone: raw.timezone,
        locale: raw.locale,
        lanes: raw.lanes,
        mail,
        notify,
        log: raw.log,
        drain: raw.drain.to_std(),
        keep_files: raw.keep_files.to_std(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let text = yaml::Text { path: PathBuf::from("config.yaml"), text: text.to_owned() };
        Config::parse(&text).map_err(|error| error.to_string())
    }

    fn faults(text: &str) -> Vec<String> {
        load(text).unwrap_err().lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_example_file_holds_the_defaults() {
        let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.yaml")).unwrap();
        let mut desk = Desk::new(&(), &[]);
        let raw = read::raw(&mut desk, &yaml::parse(&example).0.unwrap());
        assert!(desk.faults.is_empty(), "{:?}", desk.faults);
        let defaults = Raw { database: Some("sqlite://./data/renkei.db".into()), ..Raw::default() };
        assert_eq!(raw, defaults);
    }

    #[test]
    fn an_empty_file_is_the_defaults_and_paths_start_at_the_file() {
        for text in ["", "# nothing\n", "~", "---\n", "mail: ~\nlog:\n"] {
            let config = load(text).unwrap();
            assert_eq!(config.timezone, chrono_tz::Asia::Tokyo);
            assert!(config.database.ends_with("data/renkei.db") && config.database.is_absolute());
        }
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
    fn every_fault_is_said_at_once_with_its_place_and_fix() {
        let text = "timezone: Asia/Tokio\n\
                    database: mysql://x\n\
                    tiemzone: x\n\
                    lanes: [one]\n\
                    locale: 日本語\n\
                    drain: 30\n\
                    log: { level: inof, format: xml }\n\
                    mail:\n  \
                      url: smtp://u:p@h\n  \
                      from: nobody\n  \
                      administrators: [it@x, 7]\n  \
                      pasword: x\n\
                    listen: 127.0.0.1:8787\n";
        let told: Vec<_> = faults(text).iter().map(|line| line.replacen("config.yaml:", "", 1)).collect();
        let expected = [
            r#"1:11: error: timezone: "Asia/Tokio" is no IANA zone (did you mean Asia/Tokyo?)"#,
            r#"2:11: error: database: only SQLite is known to this version (write sqlite://./data/renkei.db)"#,
            r#"3:1: error: tiemzone: config.yaml has no key "tiemzone" (did you mean timezone?)"#,
            r#"4:8: error: lanes: here stands a list, not a word (write one or per-account)"#,
            r#"5:9: error: locale: "日本語" is not known here (write ja or en)"#,
            r#"6:8: error: drain: 30 has no unit: write 30s for seconds, 30m for minutes, 30h for hours or 30d for days"#,
            r#"7:15: error: log.level: "inof" is no level of the log (did you mean info? write one of off, error, warn, info, debug, trace, or info,renkei::push=debug)"#,
            r#"7:29: error: log.format: "xml" is not known here (write text or json)"#,
            r#"9:3: error: mail.password: a user in the URL and a password belong together (give both or neither)"#,
            r#"9:8: error: mail.url: it has a password in it (move it to password: "${file:…}")"#,
            r#"10:9: error: mail.from: "nobody" is no mail address (write name@example.jp)"#,
            r#"11:26: error: mail.administrators.1: "7" is no mail address (write name@example.jp)"#,
            r#"12:3: error: mail.pasword: mail has no key "pasword" (did you mean password?)"#,
            r#"13:9: error: listen: the console is not in this version (remove the key or write null)"#,
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_fault_in_notify_is_said_at_its_place_and_never_repeats_an_address() {
        let text = "notify:\n  \
                      proxi: x\n  \
                      allow_http: maybe\n  \
                      ping: { url: 'http://hc.example/secret-path', every: 5s }\n  \
                      webhooks:\n    \
                        - { name: a, form: slak, url: 'https://hooks.example/x' }\n    \
                        - slack\n    \
                        - { name: b, form: chatwork, url: 'ftp://hooks.example/secret-path' }\n    \
                        - { name: b, form: json, url: '${env:U}', token: '${env:T}' }\n    \
                        - { form: slack, when: never }\n";
        let told: Vec<_> = faults(text).iter().map(|line| line.replacen("config.yaml:", "", 1)).collect();
        let expected = [
            r#"2:3: error: notify.proxi: notify has no key "proxi" (did you mean proxy?)"#,
            r#"3:15: error: notify.allow_http: "maybe" is neither true nor false (write true or false, without quotes)"#,
            r#"4:16: error: notify.ping.url: it is not https: whoever listens could read it (write https://…, or set notify.allow_http: true)"#,
            r#"4:56: error: notify.ping.every: it is below 30s (write 5m, say)"#,
            r#"6:24: error: notify.webhooks.0.form: "slak" is not known here (did you mean slack? write slack or teams or chatwork or json)"#,
            r#"7:7: error: notify.webhooks.1: here stands a text, not a webhook (write its keys: name, form, url, when, token, secret)"#,
            r#"8:7: error: notify.webhooks.2.token: Chatwork asks for an API token (write token: "${file:…}")"#,
            r#"8:39: error: notify.webhooks.2.url: its scheme is not https (write https://…)"#,
            r#"9:7: error: notify.webhooks.3.secret: json is signed (write secret: "${file:…}" of a key that the receiver knows)"#,
            r#"9:15: error: notify.webhooks.3.name: the name stands twice, and logs and retries tell webhooks by it (write another one)"#,
            r#"9:54: error: notify.webhooks.3.token: only form: chatwork takes one (remove it)"#,
            r#"10:7: error: notify.webhooks.4.name: name is missing (write name: 情シス)"#,
            r#"10:7: error: notify.webhooks.4.url: url is missing (write url: "${file:…}")"#,
            r#"10:28: error: notify.webhooks.4.when: "never" is not known here (write trouble or always)"#,
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn notify_is_read_with_its_defaults() {
        let hook = "webhooks: [{ name: a, url: '${env:U}', form: slack }]";
        let text = format!(
            "notify: {{ ping: {{ url: 'http://127.0.0.1:1/secret-path' }}, allow_http: true, ca_file: ca.pem, {hook} }}"
        );
        let notify = load(&text).unwrap().notify;
        assert_eq!(notify.ping.as_ref().unwrap().1, Duration::from_secs(300));
        assert!(notify.ca_file.as_ref().unwrap().is_absolute());
        assert_eq!(notify.webhooks[0].when, notify::When::Trouble);
        assert!(!format!("{notify:?}").contains("secret-path"));
    }

    #[test]
    fn what_could_not_be_read_is_said_once() {
        assert_eq!(faults("mail: { from: a@x }").len(), 1, "the url is missing");
        assert_eq!(faults("mail: yes").len(), 1);
        assert_eq!(faults("- a\n- b\n").len(), 1);
        assert!(load("log: { level: 'INFO,renkei::push=trace' }").is_ok());
    }

    #[test]
    fn the_limits_of_settings_files_hold_here_too() {
        assert!(faults("drain: 30s\ndrain: 40s\n")[0].contains("stands twice: first at 1:1"));
        let bomb: String = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
            let below = level - 1;
            text + &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n")
        });
        let found = load(&bomb).unwrap_err();
        assert!(found.contains("200000 values"), "{found}");
        assert!(faults("drain: [")[0].contains("a value is missing"), "{:?}", faults("drain: ["));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, vec![b'#'; usize::try_from(yaml::MOST_BYTES).unwrap() + 1]).unwrap();
        assert!(Config::load(Some(&file)).unwrap_err().to_string().contains("larger than"));
        std::fs::write(&file, b"locale: \x93\xfa\x96{\n").unwrap();
        assert!(Config::load(Some(&file)).unwrap_err().to_string().contains("Shift_JIS"));
        assert!(Config::load(Some(folder.path())).unwrap_err().to_string().contains("directory"));
    }
}
