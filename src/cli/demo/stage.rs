//! What the demo plays on: sandbox, mailbox, a temporary data folder with the shipped lists, settings with timers that
//! fire in a moment.

use crate::app::App;
use crate::cli::apply;
use crate::cli::session::Session;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::raw::{Raw, RawMail};
use crate::sandbox::mailbox::{Mailbox, MailboxOptions};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::store::runs::{RunDetail, RunFilter};
use anyhow::Context as _;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::fs::File;
use std::path::Path;
use tempfile::TempDir;

/// The lists and settings that ship with renkei.
const FILES: [(&str, &[u8]); 3] = [
    ("departments.csv", include_bytes!("../../../examples/demo/departments.csv")),
    ("employees.csv", include_bytes!("../../../examples/demo/employees.csv")),
    ("projects.csv", include_bytes!("../../../examples/demo/projects.csv")),
];
const SETTINGS: &str = include_str!("../../../examples/demo/settings.yaml");
/// Where the shipped settings point before the sandbox's port is known.
const PLACE: &str = "http://127.0.0.1:1/acme/api/v1/csvimport";
/// How the shipped timers are scheduled when the file is used by itself.
const SCHEDULE: &str = "{ every: 10s }";

/// Everything that the demo needs, set up.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) sandbox: Sandbox,
    pub(super) mailbox: Mailbox,
    pub(super) slot: DateTime<Utc>,
    pub(super) folder: TempDir,
}

impl Stage {
    /// Sets it up; the timers' slot is two to three seconds ahead.
    pub(super) async fn set() -> anyhow::Result<Self> {
        let clock = Clock::system();
        let folder = tempfile::Builder::new().prefix("renkei-demo-").tempdir().context("a temporary folder")?;
        let sandbox = SandboxOptions { token: "demo".to_owned(), ..SandboxOptions::default() };
        let sandbox = Sandbox::start(sandbox).await.context("the sandbox")?;
        let mailbox = Mailbox::start(MailboxOptions::default()).await.context("the mailbox")?;
        for (name, bytes) in FILES {
            lay_out(&folder.path().join(name), bytes, clock.now()).with_context(|| name.to_owned())?;
        }
        let raw = Raw {
            data_dir: folder.path().join("data"),
            mail: Some(RawMail {
                url: format!("smtp://{}?tls=none", mailbox.address()),
                password: None,
                from: "renkei@example.jp".to_owned(),
                administrators: vec!["it@example.jp".to_owned()],
                ca_file: None,
                digest: None,
            }),
            ..Raw::default()
        };
        let app = App::open(Config::check(raw, None)?, clock.clone()).await?;
        let slot = (clock.now() + TimeDelta::seconds(3)).duration_trunc(TimeDelta::seconds(1))?;
        let once = slot.with_timezone(&app.config.timezone).format("{ once: \"%Y-%m-%dT%H:%M:%S\" }").to_string();
        let settings = folder.path().join("settings.yaml");
        std::fs::write(&settings, SETTINGS.replace(PLACE, &sandbox.url()).replace(SCHEDULE, &once))?;
        apply::quietly(&Session::over(app.clone()), &[settings]).await?;
        Ok(Self { app, sandbox, mailbox, slot, folder })
    }

    /// How many runs, and so mails, the demo ends with.
    pub(super) fn expected(&self) -> usize {
        FILES.len()
    }

    /// The runs so far, in the order in which they started; those that have not, last.
    pub(super) async fn runs(&self) -> anyhow::Result<Vec<RunDetail>> {
        let filter = RunFilter { limit: 100, ..RunFilter::default() };
        let mut runs = Vec::new();
        for run in self.app.store.list_runs(&filter).await? {
            runs.push(self.app.store.run_detail(&run.id).await?);
        }
        runs.sort_by_key(|detail| (detail.run.started_at.is_none(), detail.run.started_at, detail.run.seq));
        Ok(runs)
    }

    /// Takes everything down; the folder goes with it.
    pub(super) async fn clear(self) {
        self.app.store.close().await;
        self.mailbox.shutdown().await;
        self.sandbox.shutdown().await;
        // What cannot be removed now is the operating system's to clear away.
        let _ = self.folder.close();
    }
}

/// Writes a list as if it had been there for a while: a file of this moment would be taken for one that still grows.
fn lay_out(path: &Path, bytes: &[u8], now: DateTime<Utc>) -> std::io::Result<()> {
    std::fs::write(path, bytes)?;
    File::options().write(true).open(path)?.set_modified((now - TimeDelta::minutes(5)).into())
}
