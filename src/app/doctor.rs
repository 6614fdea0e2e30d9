//! Is the house sound: what `renkei doctor` looks at. It only reads: it brings no schema up to date, repairs nothing and
//! sends nothing. Each line says how bad it is and what mends it; what cannot be looked at is a line too, so that one
//! trouble never hides another.

mod database;
mod files;

use super::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::names::names;
use crate::engine::reconciling::statement_of;
use crate::settings::secrets::Resolver;
use crate::store::settings::Settings;
use crate::store::{DatabaseLock, Store};
use std::sync::Arc;

names! {
    /// How bad it is.
    Level {
        /// As it should be.
        Ok = "ok",
        /// It works, and somebody should look.
        Warn = "warn",
        /// Something does not work, or will not.
        Fail = "FAIL",
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What.
    pub part: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What mends it.
    pub fix: Option<String>,
}

/// The lines as they are written.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, part: &'static str, text: impl Into<String>) {
        self.0.push(Finding { part, level: Level::Ok, text: text.into(), fix: None });
    }

    fn warn(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { part, level: Level::Warn, text: text.into(), fix: Some(fix.into()) });
    }

    fn fail(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { part, level: Level::Fail, text: text.into(), fix: Some(fix.into()) });
    }
}

/// Looks at everything; the worst is the doctor's verdict.
pub async fn examine(config: Config, clock: &Clock) -> Vec<Finding> {
    let mut findings = Findings::default();
    let file = config.file.as_ref().map_or_else(|| "defaults".to_owned(), |file| file.display().to_string());
    findings.ok("configuration", file);
    let serving = daemon(&config, &mut findings);
    files::disk(&config, &mut findings);
    files::modes(&config, &mut findings);
    match Store::open_read_only(&config.database).await {
        Ok(store) => {
            let secrets = Resolver::new(config.key_file());
            let app = App { config: Arc::new(config), clock: clock.clone(), store, secrets };
            opened(&app, serving, &mut findings).await;
            app.store.close().await;
        }
        Err(error) => findings.fail("database", error.to_string(), "see docs/operations.md, Backup and restore"),
    }
    findings.0
}

/// What takes an open database. An error in one part is that part's line.
async fn opened(app: &App, serving: bool, findings: &mut Findings) {
    let unreadable = |part, error: &dyn std::fmt::Display, findings: &mut Findings| {
        findings.fail(part, error.to_string(), "the database cannot be read: see the lines above and the log");
    };
    if let Err(error) = database::integrity(app, findings).await {
        unreadable("database", &error, findings);
    }
    match app.store.settings().await {
        Ok(stored) => {
            settings(app, &stored, findings);
            if !serving && stored.timers.iter().any(|stored| stored.timer.is_on()) {
                findings.warn("daemon", "none is running, and timers are on", "start it: systemctl start renkei");
            }
        }
        Err(error) => unreadable("settings", &error, findings),
    }
    if let Err(error) = ledger(app, findings).await {
        unreadable("ledger", &error, findings);
    }
    if let Err(error) = database::clock(app, findings).await {
        unreadable("clock", &error, findings);
    }
    if let Err(error) = database::outbox(app, findings).await {
        unreadable("mail", &error, findings);
    }
    if let Err(error) = database::request_slots(app, serving, findings).await {
        unreadable("request slots", &error, findings);
    }
    if let Err(error) = files::spool(app, findings).await {
        unreadable("spool", &error, findings);
    }
}

/// Who holds the lock; whether it is a daemon.
fn daemon(config: &Config, findings: &mut Findings) -> bool {
    match DatabaseLock::holder(&config.database) {
        Ok(Some(holder)) => {
            let serving = holder.starts_with("serve");
            findings.ok("daemon", if holder.is_empty() { "running".to_owned() } else { holder });
            serving
        }
        Ok(None) => {
            findings.ok("daemon", "nobody holds the database's lock");
            false
        }
        Err(error) => {
            findings.fail(
                "daemon",
                format!("the lock file cannot be read: {error}"),
                "run it as the user of the daemon",
            );
            false
        }
    }
}

/// The settings as they stand, and whether their secrets can be resolved by this process.
fn settings(app: &App, stored: &Settings, findings: &mut Findings) {
    let mut good = true;
    let mut trouble = |text: String| {
        good = false;
        findings.fail(
            "settings",
            text,
            "make the variable or file visible to the user who runs the daemon, or seal it anew",
        );
    };
    for one in &stored.integrations {
        for (name, value) in &one.form().headers {
            for error in app.secrets.trouble(value) {
                trouble(format!("integration {}: {name}: {error}", one.name()));
            }
        }
    }
    if let Err(error) = app.postman() {
        trouble(error.to_string());
    }
    if good {
        let on = stored.timers.iter().filter(|stored| stored.timer.is_on()).count();
        findings.ok(
            "settings",
            format!(
                "version {}: {} integrations, {} menus, {} timers ({on} on)",
                stored.version,
                stored.integrations.len(),
                stored.menus.len(),
                stored.timers.len()
            ),
        );
    }
}

/// The reconciler's statement.
async fn ledger(app: &App, findings: &mut Findings) -> Result<(), crate::store::StoreError> {
    let zone = app.config.timezone;
    let statement = statement_of(&app.store, zone, app.clock.now()).await?;
    for finding in &statement.findings {
        findings.fail(
            "ledger",
            finding.told(zone),
            "renkei timer ledger NAME; keep a backup and report it with the log",
        );
    }
    if statement.holds() {
        findings.ok("ledger", format!("two days: {}", statement.tally));
    }
    Ok(())
}
