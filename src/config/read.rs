//! From the tree of config.yaml to [`Raw`]: kinds of values and unknown keys. Every fault is collected; a value at fault
//! is left at its default, so that one start says everything that is wrong.

use super::notify::{Form, RawNotify, RawPing, RawWebhook, When};
use super::raw::{Locale, Log, LogFormat, Raw, RawMail};
use crate::domain::order::Lanes;
use crate::yaml::{self, Node};
use std::path::PathBuf;

type Desk<'a> = yaml::Desk<'a, ()>;

const FILE: &[&str] =
    &["database", "data_dir", "timezone", "locale", "lanes", "mail", "notify", "log", "listen", "drain", "keep_files"];
const MAIL: &[&str] = &["url", "password", "from", "administrators", "ca_file", "digest"];
const NOTIFY: &[&str] = &["ping", "webhooks", "proxy", "ca_file", "allow_http"];
const PING: &[&str] = &["url", "every"];
const WEBHOOK: &[&str] = &["name", "form", "url", "when", "token", "secret"];
const LOG: &[&str] = &["format", "level"];

/// Every key as a path, such as `mail.url`, in the order of the reference.
#[must_use]
pub fn keys() -> Vec<String> {
    let below = |key: &str, inner: &[&str]| inner.iter().map(|inner| format!("{key}.{inner}")).collect();
    let all = FILE.iter().flat_map(|key| {
        let inner: Vec<String> = match *key {
            "mail" => below(key, MAIL),
            "notify" => below(key, NOTIFY),
            "log" => below(key, LOG),
            _ => Vec::new(),
        };
        std::iter::once((*key).to_owned()).chain(inner)
    });
    all.collect()
}

/// Reads the file's root.
pub(super) fn raw(desk: &mut Desk<'_>, node: &Node) -> Raw {
    let default = Raw::default();
    let Some(fields) = desk.fields(node, "config.yaml", FILE) else {
        return default;
    };
    let locales = [("ja", Locale::Ja), ("en", Locale::En)];
    let lanes = [("one", Lanes::One), ("per-account", Lanes::PerAccount)];
    Raw {
        database: desk.field(&fields, "database", Desk::text),
        data_dir: desk.field(&fields, "data_dir", path).unwrap_or(default.data_dir),
        timezone: desk.field(&fields, "timezone", Desk::zone).unwrap_or(default.timezone),
        locale: desk.field(&fields, "locale", |desk, node| desk.choice(node, &locales)).unwrap_or(default.locale),
        lanes: desk.field(&fields, "lanes", |desk, node| desk.choice(node, &lanes)).unwrap_or(default.lanes),
        mail: desk.field(&fields, "mail", mail),
        notify: desk.field(&fields, "notify", notify),
        log: desk.field(&fields, "log", log).unwrap_or(default.log),
        listen: desk.field(&fields, "listen", Desk::text),
        drain: desk.field(&fields, "drain", Desk::span).unwrap_or(default.drain),
        keep_files: desk.field(&fields, "keep_files", Desk::span).unwrap_or(default.keep_files),
    }
}

fn path(desk: &mut Desk<'_>, node: &Node) -> Option<PathBuf> {
    desk.text(node).map(PathBuf::from)
}

fn mail(desk: &mut Desk<'_>, node: &Node) -> Option<RawMail> {
    let fields = desk.fields(node, "mail", MAIL)?;
    let addresses = |desk: &mut Desk<'_>, node: &Node| desk.list(node, "[it@example.jp]", Desk::text);
    Some(RawMail {
        url: desk.needed(&fields, "url", super::mail::URL_EXAMPLE, Desk::text).unwrap_or_default(),
        password: desk.field(&fields, "password", Desk::secret_as_written),
        from: desk.needed(&fields, "from", "from: renkei@example.jp", Desk::text).unwrap_or_default(),
        administrators: desk.field(&fields, "administrators", addresses).unwrap_or_default(),
        ca_file: desk.field(&fields, "ca_file", path),
        digest: desk.field(&fields, "digest", Desk::text),
    })
}

fn notify(desk: &mut Desk<'_>, node: &Node) -> Option<RawNotify> {
    let fields = desk.fields(node, "notify", NOTIFY)?;
    let example = "webhooks: [{ name: 情シス, form: slack, url: \"${file:…}\" }]";
    let all = |desk: &mut Desk<'_>, node: &Node| desk.list(node, example, webhook);
    Some(RawNotify {
        ping: desk.field(&fields, "ping", ping),
        webhooks: desk.field(&fields, "webhooks", all).unwrap_or_default(),
        proxy: desk.field(&fields, "proxy", Desk::secret_as_written),
        ca_file: desk.field(&fields, "ca_file", path),
        allow_http: desk.field(&fields, "allow_http", Desk::flag).unwrap_or_default(),
    })
}

fn ping(desk: &mut Desk<'_>, node: &Node) -> Option<RawPing> {
    let fields = desk.fields(node, "ping", PING)?;
    let default = RawPing::default();
    Some(RawPing {
        url: desk.needed(&fields, "url", "url: \"${file:…}\"", Desk::secret_as_written),
        every: desk.field(&fields, "every", Desk::span).unwrap_or(default.every),
    })
}

/// One that cannot be read keeps its place in the list, so that faults of the others are told at theirs.
fn webhook(desk: &mut Desk<'_>, node: &Node) -> Option<RawWebhook> {
    let Some(fields) = desk.fields(node, "a webhook", WEBHOOK) else { return Some(RawWebhook::default()) };
    let forms = [("slack", Form::Slack), ("teams", Form::Teams), ("chatwork", Form::Chatwork), ("json", Form::Json)];
    let whens = [("trouble", When::Trouble), ("always", When::Always)];
    Some(RawWebhook {
        name: desk.needed(&fields, "name", "name: 情シス", Desk::text).unwrap_or_default(),
        url: desk.needed(&fields, "url", "url: \"${file:…}\"", Desk::secret_as_written),
        form: desk.needed(&fields, "form", "form: slack", |desk, node| desk.choice(node, &forms)),
        when: desk.field(&fields, "when", |desk, node| desk.choice(node, &whens)).unwrap_or_default(),
        token: desk.field(&fields, "token", Desk::secret_as_written),
        secret: desk.field(&fields, "secret", Desk::secret_as_written),
    })
}

fn log(desk: &mut Desk<'_>, node: &Node) -> Option<Log> {
    let fields = desk.fields(node, "log", LOG)?;
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let default = Log::default();
    Some(Log {
        format: desk.field(&fields, "format", |desk, node| desk.choice(node, &formats)).unwrap_or(default.format),
        level: desk.field(&fields, "level", level).unwrap_or(default.level),
    })
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// A level, or a list of levels and `target=level`. The log's own reader takes any other word for a target that logs
/// everything, so that a slip of the pen would be believed.
fn level(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let text = desk.text(node)?;
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
        if LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known)) {
            continue;
        }
        let near = yaml::nearest(level, LEVELS).map_or(String::new(), |near| format!("did you mean {near}? "));
        let what = format!("{:?} is no level of the log", yaml::short(level));
        desk.refuse(node.place, what, format!("{near}write one of {}, or info,renkei::push=debug", LEVELS.join(", ")));
        return None;
    }
    Some(text)
}
