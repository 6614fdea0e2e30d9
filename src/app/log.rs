//! The log: one line an event on standard output, as text for people or JSON for machines, its time with the local
//! offset. Journald and containers take it from there; there are no log files to rotate.

use crate::clock::Clock;
use crate::config::{Log, LogFormat};
use chrono_tz::Tz;
use std::fmt;
use std::io::{self, Write};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log for the whole process; a second call changes nothing.
pub fn start(settings: &Log, zone: Tz, clock: &Clock) {
    let filter = filter(settings.level.parse().unwrap_or_default());
    let timer = LocalTime { zone, clock: clock.clone() };
    let lines =
        tracing_subscriber::fmt::layer().with_timer(timer).with_ansi(false).with_writer(|| OneLine(std::io::stdout()));
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match settings.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => {
            registry.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init()
        }
    };
}

/// Libraries never log below `info`, whatever the setting says: their own debug and trace lines show requests, headers
/// and statements, and through them a secret or a record's value could come into the log.
fn filter(wanted: Targets) -> Targets {
    let default = wanted.default_level().unwrap_or(LevelFilter::INFO);
    let own = |target: &str| target.split("::").next() == Some("renkei");
    let capped = Targets::new()
        .with_default(default.min(LevelFilter::INFO))
        .with_target("renkei", default)
        .with_target("tokio_cron_scheduler", default.min(LevelFilter::WARN));
    wanted.iter().fold(capped, |filter, (target, level)| {
        filter.with_target(target, if own(target) { level } else { level.min(LevelFilter::INFO) })
    })
}

/// An event is one line whatever is said in it: a header of a file or a name of a setting could otherwise forge lines,
/// or speak to a terminal. Each event comes in one piece, with its line end.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let (text, end) = event.strip_suffix(b"\n").map_or((event, &b""[..]), |text| (text, &b"\n"[..]));
        if text.iter().any(u8::is_ascii_control) {
            let shown = |byte: &u8| if byte.is_ascii_control() { "␤".as_bytes().to_vec() } else { vec![*byte] };
            self.0.write_all(&text.iter().flat_map(shown).collect::<Vec<u8>>())?;
        } else {
            self.0.write_all(text)?;
        }
        self.0.write_all(end)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn nothing_that_is_said_makes_a_second_line_or_speaks_to_a_terminal() {
        let mut line = OneLine(Vec::new());
        line.write_all("INFO a header: na\u{1b}[2J\nINFO forged 社員\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(line.0).unwrap(), "INFO a header: na␤[2J␤INFO forged 社員\n");
    }

    #[test]
    fn a_library_is_quiet_even_at_trace() {
        for setting in ["trace", "hyper=trace", "debug,rustls::conn=trace"] {
            let filter = filter(setting.parse().unwrap());
            for library in ["hyper::client", "tower::buffer", "rustls::conn"] {
                assert!(!filter.would_enable(library, &Level::DEBUG), "{library} under {setting}");
            }
        }
        let own = filter("info,renkei::push=debug".parse().unwrap());
        assert!(own.would_enable("renkei::push::client", &Level::DEBUG));
        assert!(!own.would_enable("renkei::engine", &Level::DEBUG));
        assert!(filter("trace".parse().unwrap()).would_enable("renkei::engine", &Level::TRACE));
    }
}
