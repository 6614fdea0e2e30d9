//! The database itself, and what stands in it for too long.

use super::Findings;
use crate::app::App;
use crate::domain::run::RunState;
use crate::store::StoreError;
use chrono::{DateTime, TimeDelta, Utc};

/// A mail that waits for longer is a trouble with the server.
const MAIL_WAITS: TimeDelta = TimeDelta::hours(1);
/// How long mails that were given up are told.
const LOST_FOR: TimeDelta = TimeDelta::days(7);
/// A request that takes longer does not end any more.
const REQUEST: TimeDelta = TimeDelta::hours(1);
/// A clock may be set back by so much.
const BACK: TimeDelta = TimeDelta::seconds(10);
/// Before this program was written.
const TOO_EARLY: DateTime<Utc> = DateTime::from_timestamp(1_767_225_600, 0).expect("2026-01-01");

/// Is the file intact, and of which version is its schema.
pub(super) async fn integrity(app: &App, findings: &mut Findings) -> Result<(), StoreError> {
    let wrong = app.store.integrity().await?;
    let version = app.store.schema_version().await?;
    let path = app.config.database.display();
    match wrong.first() {
        None => findings.ok("database", format!("{path} is intact, schema {version}")),
        Some(first) => findings.fail(
            "database",
            format!("{path} is damaged: {first} ({} such lines)", wrong.len()),
            "stop renkei and restore a backup: docs/operations.md",
        ),
    }
    Ok(())
}

/// Does the clock show a time that can be.
pub(super) async fn clock(app: &App, findings: &mut Findings) -> Result<(), StoreError> {
    let (now, zone) = (app.clock.now(), app.config.timezone);
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
    let fix = "set the clock (timedatectl); until it has caught up, slots wait";
    match app.store.newest_instant().await? {
        _ if now < TOO_EARLY => findings.fail("clock", format!("it shows {}", local(now)), fix),
        Some(newest) if newest > now + BACK => {
            let text = format!("it shows {}, and the database knows of {}: it went back", local(now), local(newest));
            findings.fail("clock", text, fix);
        }
        _ => findings.ok("clock", format!("{} ({zone})", local(now))),
    }
    Ok(())
}

/// Do mails go out.
pub(super) async fn outbox(app: &App, findings: &mut Findings) -> Result<(), StoreError> {
    let now = app.clock.now();
    let lost = app.store.lost_mails(now - LOST_FOR).await?;
    let fix = "renkei mail test ADDRESS says what the server says";
    if let Some(last) = lost.last() {
        let text = format!("{} given up in the last week, the last one: {}: {}", lost.len(), last.subject, last.error);
        findings.fail("mail", text, fix);
    }
    let backlog = app.store.backlog().await?;
    let waits = backlog.oldest.is_some_and(|oldest| oldest < now - MAIL_WAITS);
    match &app.config.mail {
        _ if waits => {
            findings.warn("mail", format!("{} wait, the oldest for more than an hour", backlog.mails), fix);
        }
        None => findings.warn(
            "mail",
            "none is sent: nobody is told when something fails",
            "name a mail server in config.yaml: mail: { url: …, from: …, administrators: […], digest: \"08:30\" }",
        ),
        Some(mail) => findings.ok("mail", format!("{}:{}, {} waiting", mail.host, mail.port, backlog.mails)),
    }
    Ok(())
}

/// Are request slots given back.
pub(super) async fn request_slots(app: &App, serving: bool, findings: &mut Findings) -> Result<(), StoreError> {
    let taken = app.store.taken_slots().await?;
    let now = app.clock.now();
    let mut stuck = 0;
    for slot in &taken {
        let idle = slot.state != Some(RunState::Running);
        // Without a daemon, the next start gives them back.
        if serving && (idle || slot.since.is_some_and(|since| since < now - REQUEST)) {
            stuck += 1;
            let text = format!("account {}: run {} holds one and sends nothing", slot.account, slot.holder);
            findings.warn("request slots", text, "restart the daemon: it gives them back at its start");
        }
    }
    if stuck == 0 {
        findings.ok("request slots", format!("{} taken", taken.len()));
    }
    Ok(())
}
