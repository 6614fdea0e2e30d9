//! What every command but `serve` needs: the house with its doors open, and who stands before it.

use super::{output, usage};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Engine;
use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use std::path::Path;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;

/// An opened house and its user.
pub struct Session {
    /// The house.
    pub(super) app: App,
    /// Who acts: the host's user.
    pub(super) actor: String,
}

impl Session {
    /// Reads the configuration and opens the store.
    pub(super) async fn open(config: Option<&Path>) -> anyhow::Result<Self> {
        let config = Config::load(config).context("config.yaml")?;
        Ok(Self::over(App::open(config, Clock::system()).await?))
    }

    /// Over a house that is open already.
    pub(super) fn over(app: App) -> Self {
        Self { app, actor: actor() }
    }

    /// The loops' shared things, for orders and for carrying a run.
    pub(super) fn engine(&self) -> anyhow::Result<Engine> {
        Ok(self.app.engine()?)
    }

    /// Refuses a listed user who may not configure. A host user who is not listed owns the database file, and may.
    pub(super) async fn may_configure(&self) -> anyhow::Result<()> {
        if let Some(user) = self.app.store.user(&self.actor).await?
            && !user.may_configure()
        {
            bail!(
                "{} may not change settings: it takes both db_settings and system_integration (renkei user grant)",
                user.name
            );
        }
        Ok(())
    }

    /// An instant with its offset, for a line of a history.
    pub(super) fn exact(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.app.config.timezone).format("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// An instant for a table.
    pub(super) fn short(&self, at: Option<DateTime<Utc>>) -> String {
        at.map_or_else(
            || "-".to_owned(),
            |at| at.with_timezone(&self.app.config.timezone).format("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }
}

/// Reads `2026-12-01` or `2026-12-01T06:00` in a zone.
pub(super) fn instant(text: &str, zone: Tz) -> anyhow::Result<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
        .or_else(|_| text.parse::<NaiveDate>().map(|date| date.and_time(chrono::NaiveTime::MIN)))
        .map_err(|_| usage(format!("{text:?} is no date: write 2026-12-01 or 2026-12-01T06:00")))?;
    let zoned = local.and_local_timezone(zone).earliest();
    Ok(zoned.ok_or_else(|| usage(format!("{text} does not exist in {zone}")))?.to_utc())
}

/// The host's user: whoever called sudo, else whoever is signed in.
fn actor() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "root".to_owned())
}

/// How a process ends that was told twice to stop: as a shell tells of one that a Ctrl-C ended.
const AT_ONCE: i32 = 130;

/// Cancelled by the first SIGTERM or SIGINT; a second one ends the process at once, and whatever is in flight is left
/// to the next start. From the return on, no such signal ends the process by itself.
pub(super) fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let mut signals = Signals::listen();
    tokio::spawn({
        let token = token.clone();
        async move {
            signals.next().await;
            token.cancel();
            signals.next().await;
            output::aside("stopped at once: the next start sorts out what was in flight");
            std::process::exit(AT_ONCE);
        }
    });
    token
}

/// SIGTERM and SIGINT. They are listened to without a gap, so that two in a row are two.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // One that cannot be listened to keeps its own way of ending the process.
        Self(
            [SignalKind::terminate(), SignalKind::interrupt()]
                .into_iter()
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        )
    }

    async fn next(&mut self) {
        let any = |context: &mut Context<'_>| match self.0.iter_mut().any(|one| one.poll_recv(context).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        std::future::poll_fn(any).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
