//! The log: one line an event on standard output, as text for people or JSON for machines, its time with the local
//! offset. Journald and containers take it from there; there are no log files to rotate.

use crate::clock::Clock;
use crate::config::{Log, LogFormat};
use chrono_tz::Tz;
use std::fmt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries whose own debug or trace lines show requests, headers or statements: never below `info`, whatever the
/// setting says, so that no secret and no record value can come into the log through them.
const QUIET: [&str; 10] = [
    "hyper",
    "hyper_util",
    "reqwest",
    "h2",
    "rustls",
    "tokio_rustls",
    "lettre",
    "sqlx",
    "tower",
    "tokio_cron_scheduler",
];

/// Starts the log for the whole process; a second call changes nothing.
pub fn start(settings: &Log, zone: Tz, clock: &Clock) {
    let mut filter: Targets =
        settings.level.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    for library in QUIET {
        filter = filter.with_target(library, tracing::Level::INFO);
    }
    let timer = LocalTime { zone, clock: clock.clone() };
    let lines = tracing_subscriber::fmt::layer().with_timer(timer).with_ansi(false).with_writer(std::io::stdout);
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match settings.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => {
            registry.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init()
        }
    };
}

struct LocalTime {
    zone: Tz,
    clock: Clock,
}

impl FormatTime for LocalTime {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        let now = self.clock.now().with_timezone(&self.zone);
        write!(out, "{}", now.to_rfc3339_opts(chrono::SecondsFormat::Millis, false))
    }
}
