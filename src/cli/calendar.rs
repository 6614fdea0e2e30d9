//! `renkei calendar`: the list of public holidays, and which days are worked.

use super::session::Session;
use super::{GOOD, WRONG, output};
use crate::domain::calendar::Closed;
use crate::settings::{self, HolidayError, ImportBy};
use anyhow::Context as _;
use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What can be done with the calendar.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take over the Cabinet Office's list of public holidays (syukujitsu.csv), all or nothing
    Import {
        /// The file, as it is published
        file: PathBuf,
    },
    /// List a year's closed days but for weekends, and the weekends that are worked
    List {
        /// The year; this one where absent
        #[arg(long)]
        year: Option<i32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Import { file } => import(session, &file).await,
        Command::List { year, json } => list(session, year, json).await,
    }
}

async fn import(session: &Session, file: &Path) -> anyhow::Result<u8> {
    session.may_configure().await?;
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let source = file.display().to_string();
    let (zone, now) = (session.app.config.timezone, session.app.clock.now());
    let by = ImportBy { actor: &session.actor, source: &source, zone, now };
    let imported = match settings::import_holidays(&session.app.store, &bytes, by).await {
        Ok(imported) => imported,
        Err(HolidayError::Refused(faults)) => {
            faults.iter().for_each(|fault| output::aside(format!("{source}: {fault}")));
            output::aside("nothing was imported");
            return Ok(WRONG);
        }
        Err(error) => return Err(error.into()),
    };
    let (first, last) = imported.years;
    let saved = imported.version.map_or("it is the list that holds already".to_owned(), |version| {
        format!("saved as version {version} of the settings")
    });
    output::line(format!("{} holidays from {first} to {last}: {saved}", imported.days));
    for (date, what) in &imported.differences {
        output::line(format!("note {date} {what}"));
    }
    for timer in &imported.moved {
        let (before, after) = (session.short(timer.before), session.short(timer.after));
        output::line(format!("{}: next slot {before} → {after}", timer.name));
    }
    Ok(GOOD)
}

async fn list(session: &Session, year: Option<i32>, json: bool) -> anyhow::Result<u8> {
    let calendar = session.app.store.calendar().await?;
    let today = session.app.clock.now().with_timezone(&session.app.config.timezone).date_naive();
    let year = year.unwrap_or_else(|| today.year());
    let first = NaiveDate::from_ymd_opt(year, 1, 1).with_context(|| format!("there is no year {year}"))?;
    let mut rows: Vec<(NaiveDate, &str, String)> = Vec::new();
    for date in first.iter_days().take_while(|date| date.year() == year) {
        match calendar.closed_on(date) {
            Some(Closed::Weekend(_)) => {}
            Some(Closed::Holiday(name)) => rows.push((date, "holiday", name.to_owned())),
            Some(Closed::Company(name)) => rows.push((date, "closed", name.to_owned())),
            None => {
                let weekend = calendar.company().form().weekend.contains(&date.weekday());
                let holiday = calendar.holiday(date).filter(|_| calendar.company().form().public_holidays);
                if weekend || holiday.is_some() {
                    rows.push((date, "working", holiday.unwrap_or_default().to_owned()));
                }
            }
        }
    }
    if json {
        let lines: Vec<Value> =
            rows.iter().map(|(date, kind, name)| json!({ "date": date, "kind": kind, "name": name })).collect();
        output::json(&lines)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(date, kind, name)| [date.format("%Y-%m-%d %a").to_string(), kind.to_owned(), name])
        .collect();
    output::table(["DATE", "KIND", "NAME"], &rows);
    if calendar.official().is_none_or(|official| !official.covers(year)) {
        output::aside("note: holidays by the built-in rules; no list that covers this year was imported");
    }
    Ok(GOOD)
}
