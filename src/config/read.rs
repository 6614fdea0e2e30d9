//! From the tree of config.yaml to [`Raw`]: kinds of values and unknown keys. Every fault is collected; a value at fault
//! is left at its default, so that one start says everything that is wrong.

use super::raw::{Locale, Log, LogFormat, Raw, RawMail};
use crate::domain::order::Lanes;
use crate::yaml::{self, Node};
use std::path::PathBuf;

type Desk<'a> = yaml::Desk<'a, ()>;

const FILE: &[&str] =
    &["database", "data_dir", "timezone", "locale", "lanes", "mail", "log", "listen", "drain", "keep_files"];
const MAIL: &[&str] = &["url", "password", "from", "administrators", "ca_file", "digest"];
const LOG: &[&str] = &["format", "level"];

/// Every key as a path, such as `mail.url`, in the order of the reference.
#[must_use]
pub fn keys() -> Vec<String> {
    let below = |key: &str, inner: &[&str]| inner.iter().map(|inner| format!("{key}.{inner}")).collect();
    let all = FILE.iter().flat_map(|key| {
        let inner: Vec<String> = match *key {
            "mail" => below(key, MAIL),
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
