//! `renkei timer`: list, look into, switch, and see when it will run.

pub(super) mod simulate;

use super::session::{Session, instant};
use super::{GOOD, output, usage};
use crate::domain::duration::Span;
use crate::domain::run::{RunState, SkipReason, SlotState};
use crate::domain::statement::Occurrence;
use crate::domain::timer::Switch;
use crate::report::view;
use crate::settings::{self, Entities};
use crate::store::settings::StoredTimer;
use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

/// What can be done with timers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List timers with their next slots
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a timer as it is written in settings
    Show {
        /// Its name or id
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Switch a timer on; a running daemon follows within two seconds
    On {
        /// Its name or id
        name: String,
    },
    /// Switch a timer off
    Off {
        /// Its name or id
        name: String,
        /// On this date, as in 2026-12-01, it is on again by itself
        #[arg(long, value_name = "DATE")]
        until: Option<NaiveDate>,
    },
    /// Say when it will run, without touching anything
    Next {
        /// Its name or id
        name: String,
        /// How many slots, 1000 at most
        #[arg(short, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        n: u16,
        /// The slots from this date on, as in 2026-12-01 or 2026-12-01T06:00, in the timer's zone; now where absent
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what the timers of settings files would do over a year, without touching anything
    Simulate(simulate::Arguments),
    /// Show what became of its slots: one line each, newest last
    Ledger {
        /// Its name or id
        name: String,
        /// From this date; a week ago where absent
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Up to this date; now where absent
        #[arg(long, value_name = "DATE")]
        to: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    match command {
        Command::List { json } => list(session, json).await,
        Command::Show { name, json } => show(session, &name, json).await,
        Command::On { name } => switch(session, &name, Switch::On, None).await,
        Command::Off { name, until } => switch(session, &name, Switch::Off, until).await,
        Command::Next { name, n, from, json } => next(session, &name, n, from.as_deref(), json).await,
        Command::Simulate(arguments) => simulate::run(session.app.config.file.as_deref(), arguments).await,
        Command::Ledger { name, from, to, json } => ledger(session, &name, from.as_deref(), to.as_deref(), json).await,
    }
}

async fn find(session: &Session, name: &str) -> anyhow::Result<StoredTimer> {
    let settings = session.app.store.settings().await?;
    settings.timer(name).cloned().with_context(|| format!("there is no timer {name:?}: `renkei timer list` shows them"))
}

fn schedule(timer: &StoredTimer) -> String {
    timer.timer.form().schedule.as_ref().map_or_else(|| "-".to_owned(), crate::domain::schedule::Schedule::describe_en)
}

fn switch_word(timer: &StoredTimer) -> &'static str {
    if timer.timer.is_on() { "on" } else { "off" }
}

async fn list(session: &Session, json: bool) -> anyhow::Result<u8> {
    let settings = session.app.store.settings().await?;
    let zone = session.app.config.timezone;
    if json {
        let timers: Vec<Value> = settings
            .timers
            .iter()
            .map(|stored| {
                let form = stored.timer.form();
                json!({
                    "id": stored.timer.id(), "name": form.name, "menu": form.menu, "integration": form.integration,
                    "switch": form.switch, "priority": form.priority, "schedule": form.schedule,
                    "timezone": stored.timer.zone(zone), "set_by": stored.set_by,
                    "switched_at": view::local(stored.switched_at, zone),
                    "next_at": stored.next_at.map(|at| view::local(at, zone)),
                })
            })
            .collect();
        output::json(&timers)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = settings
        .timers
        .iter()
        .map(|stored| {
            let form = stored.timer.form();
            [
                form.name.clone(),
                switch_word(stored).to_owned(),
                form.priority.to_string(),
                form.menu.clone(),
                form.integration.clone(),
                schedule(stored),
                session.short(stored.next_at),
            ]
        })
        .collect();
    output::table(["TIMER", "SWITCH", "PRIORITY", "MENU", "INTEGRATION", "SCHEDULE", "NEXT"], &rows);
    Ok(GOOD)
}

async fn show(session: &Session, name: &str, json: bool) -> anyhow::Result<u8> {
    let stored = find(session, name).await?;
    if json {
        output::json(stored.timer.form())?;
    } else {
        let alone = Entities { timers: vec![stored.timer.clone()], ..Entities::default() };
        output::line(settings::export(&alone).trim_end());
        output::line(format!(
            "# set by {}, switched {}, next {}",
            stored.set_by,
            session.short(Some(stored.switched_at)),
            session.short(stored.next_at)
        ));
    }
    Ok(GOOD)
}

async fn switch(session: &Session, name: &str, to: Switch, until: Option<NaiveDate>) -> anyhow::Result<u8> {
    session.may_configure().await?;
    let (store, zone, now) = (&session.app.store, session.app.config.timezone, session.app.clock.now());
    let changed = settings::switch_timer(store, name, to, until, &session.actor, zone, now).await?;
    let stored = find(session, name).await?;
    let state = switch_word(&stored);
    output::line(if changed {
        let next = if stored.timer.is_on() { "next slot" } else { "on again" };
        format!("{} is {state}; {next}: {}", stored.timer.name(), session.short(stored.next_at))
    } else {
        format!("{} is {state} already", stored.timer.name())
    });
    Ok(GOOD)
}

async fn next(session: &Session, name: &str, n: u16, from: Option<&str>, json: bool) -> anyhow::Result<u8> {
    let stored = find(session, name).await?;
    let calendar = session.app.store.calendar().await?;
    let zone = stored.timer.zone(session.app.config.timezone);
    let mut at = match from {
        // A slot at that very moment belongs to it.
        Some(text) => instant(text, zone)? - TimeDelta::seconds(1),
        None => session.app.clock.now(),
    };
    let schedule = stored.timer.form().schedule.as_ref().with_context(|| format!("{name} has no schedule"))?;
    let slots: Vec<DateTime<Utc>> = std::iter::from_fn(|| {
        at = schedule.next_after(zone, &calendar, at)?;
        Some(at)
    })
    .take(n.into())
    .collect();
    if json {
        let slots: Vec<String> = slots.iter().map(|&at| view::local(at, zone)).collect();
        output::json(&slots)?;
        return Ok(GOOD);
    }
    for slot in &slots {
        let shown = slot.with_timezone(&zone).format("%Y-%m-%d %a %H:%M:%S %:z");
        output::line(match schedule.closed(zone, &calendar, *slot) {
            Some(closed) => format!("{shown}  skipped: closed day ({closed})"),
            None => shown.to_string(),
        });
    }
    if slots.len() < usize::from(n) {
        output::line("(no further slot)");
    }
    if !stored.timer.is_on() {
        output::aside("note: the timer is off");
    }
    Ok(GOOD)
}

async fn ledger(session: &Session, name: &str, from: Option<&str>, to: Option<&str>, json: bool) -> anyhow::Result<u8> {
    let stored = find(session, name).await?;
    let now = session.app.clock.now();
    let zone = session.app.config.timezone;
    let from = from.map(|text| instant(text, zone)).transpose()?.unwrap_or(now - TimeDelta::days(7));
    let to = to.map(|text| instant(text, zone)).transpose()?.unwrap_or(now);
    if from > to {
        let (from, to) = (session.short(Some(from)), session.short(Some(to)));
        return Err(usage(format!("--from {from} lies after --to {to}: give the earlier one first")));
    }
    let slots = session.app.store.occurrences(stored.timer.id(), from, to).await?;
    if json {
        let lines: Vec<Value> = slots.iter().map(|slot| view::occurrence(slot, zone)).collect();
        output::json(&lines)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = slots
        .iter()
        .map(|slot| {
            let state = slot.run_state.map_or_else(|| "-".to_owned(), |state| state.to_string());
            [span(session, slot), fate(slot), slot.run.clone().unwrap_or_else(|| "-".to_owned()), state]
        })
        .collect();
    output::table(["SLOT", "WHAT BECAME OF IT", "RUN", "STATE"], &rows);
    Ok(GOOD)
}

/// The slot, or the first and last of several and how many they are.
fn span(session: &Session, slot: &Occurrence) -> String {
    let last = session.short(Some(slot.scheduled_at));
    if slot.slots == 1 {
        last
    } else {
        format!("{} – {last} ({} slots)", session.short(Some(slot.first_at)), slot.slots)
    }
}

/// On time, late by how much, skipped and why, or superseded.
fn fate(slot: &Occurrence) -> String {
    match slot.state {
        SlotState::Planned => match slot.lateness() {
            None if slot.run.is_none() => "planned, and its run is not there".to_owned(),
            None if slot.run_state.is_some_and(RunState::is_ended) => "never started".to_owned(),
            None => "not started yet".to_owned(),
            Some(late) if late.is_zero() => "on time".to_owned(),
            Some(late) => {
                let seconds = u32::try_from(late.num_seconds()).unwrap_or(u32::MAX);
                format!("late by {}", Span::seconds(seconds))
            }
        },
        SlotState::Skipped => {
            format!("skipped: {}", slot.reason.map_or("no reason is written", SkipReason::in_words))
        }
        SlotState::Superseded => "superseded: the timer was changed or switched off".to_owned(),
    }
}
