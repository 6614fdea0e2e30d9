//! `renkei today`: the morning page for a shell. It ends with 1 if something needs a person.

use super::{BAD, GOOD, output};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::morning::{Morning, Need, Note, TimerDay};
use crate::domain::schedule::first_instant;
use crate::domain::statement::{Standing, Tally};
use crate::engine::morning::{DAY, gather};
use crate::report::view;
use crate::store::Store;
use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::path::Path;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The slots of this date, as in 2026-12-01; those of the last 24 hours where absent
    #[arg(long, value_name = "D")]
    date: Option<NaiveDate>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it.
pub(super) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(config).context("config.yaml")?;
    let store = Store::open_read_only(&config.database).await?;
    let (zone, now) = (config.timezone, Clock::system().now());
    let (from, to) = match arguments.date {
        None => (now - DAY, now),
        Some(date) => {
            let midnight = |date: NaiveDate| first_instant(zone, date.and_time(NaiveTime::MIN));
            let ends = date.checked_add_days(Days::new(1)).and_then(midnight);
            let (begins, ends) = midnight(date).zip(ends).context("there is no such date")?;
            let instant = TimeDelta::milliseconds(1);
            (begins - instant, (ends - instant).min(now.max(begins)))
        }
    };
    let morning = gather(&store, zone, from, to, now).await?;
    store.close().await;
    if arguments.json {
        output::json(&document(&morning, zone))?;
    } else {
        print(&morning, zone);
    }
    Ok(if morning.needs_a_person() { BAD } else { GOOD })
}

fn print(morning: &Morning, zone: Tz) {
    let minute = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let seconds = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
    output::line(format!("slots from {} to {}", minute(morning.from), minute(morning.to)));
    let rows: Vec<[String; 6]> = morning
        .timers
        .iter()
        .map(|day| {
            let (due, good) = (day.tally.due.to_string(), day.tally.good.to_string());
            let last = day.last.as_ref().map_or_else(|| "-".to_owned(), |last| minute(last.scheduled_at));
            [day.name.clone(), due, good, fates(day), last, standing(day, zone)]
        })
        .collect();
    output::table(["TIMER", "DUE", "GOOD", "OTHERWISE", "LAST SLOT", "NEXT"], &rows);
    output::line(format!("\n{}", morning.statement.tally));
    if morning.by_hand > 0 {
        output::line(format!("by hand: {} runs, {} good", morning.by_hand, morning.by_hand_good));
    }
    output::line(if morning.needs.is_empty() { "\nnothing needs a person" } else { "\nneeds a person:" });
    for need in &morning.needs {
        let run = need.run.as_deref().map(|run| format!(" {run}")).unwrap_or_default();
        let times = if need.count > 1 { format!(", {} times", need.count) } else { String::new() };
        output::line(format!("  {}: {}{run}, since {}{times}", need.kind, need.about, minute(need.since)));
        if !need.detail.is_empty() {
            output::line(format!("      {}", need.detail));
        }
        output::line(format!("      → {}", need.command()));
    }
    let off = morning.off();
    if !morning.notes.is_empty() || !off.is_empty() {
        output::line("\nnot to be forgotten:");
    }
    for note in &morning.notes {
        let until = note.until.map(|until| format!(", until {}", seconds(until))).unwrap_or_default();
        output::line(format!("  {}: {}{until}: {}", note.kind, note.about, note.detail));
    }
    for day in off {
        let days = (morning.to - day.switched_at).num_days().max(0);
        let again = day.on_again.map(|at| format!(", on again by itself {}", minute(at))).unwrap_or_default();
        output::line(format!("  off: {} for {days} days{again}", day.name));
    }
}

fn standing(day: &TimerDay, zone: Tz) -> String {
    let next = day.next.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string());
    match (day.standing, next) {
        (Standing::Next, Some(next)) => next,
        (Standing::Paused, Some(next)) => format!("{next} (paused)"),
        (Standing::Exhausted, _) => "none any more".to_owned(),
        (Standing::Off, _) => "off".to_owned(),
        (_, None) => "-".to_owned(),
    }
}

/// `failed 1, skipped 2 (the earlier run was still open), unexplained 1`.
fn fates(day: &TimerDay) -> String {
    let mut parts: Vec<String> = day
        .states
        .iter()
        .filter(|(state, _)| !state.is_good())
        .map(|(state, count)| format!("run {state} {count}"))
        .collect();
    parts.extend(day.reasons.iter().map(|(reason, count)| format!("skipped {count} ({})", reason.in_words())));
    for (word, count) in [("superseded", day.tally.superseded), ("unexplained", day.tally.unexplained)] {
        if count > 0 {
            parts.push(format!("{word} {count}"));
        }
    }
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

/// The page as JSON; times with the zone's offset.
fn document(morning: &Morning, zone: Tz) -> Value {
    let time = |at: DateTime<Utc>| view::local(at, zone);
    let tally = |tally: &Tally| json!(tally);
    let timer = |day: &TimerDay| {
        json!({
            "name": day.name, "standing": day.standing, "switched_at": time(day.switched_at),
            "on_again_at": day.on_again.map(time), "next_at": day.next.map(time), "slots": tally(&day.tally),
            "skipped": day.reasons, "runs": day.states,
            "last": day.last.as_ref().map(|last| view::occurrence(last, zone)),
        })
    };
    let need = |need: &Need| {
        json!({
            "kind": need.kind, "about": need.about, "run": need.run, "since": time(need.since), "count": need.count,
            "detail": need.detail, "command": need.command(),
        })
    };
    let note = |note: &Note| json!({ "kind": note.kind, "about": note.about, "until": note.until.map(time), "detail": note.detail });
    json!({
        "from": time(morning.from), "to": time(morning.to), "line": morning.statement.tally.to_string(),
        "slots": tally(&morning.statement.tally), "adds_up": morning.statement.holds(),
        "timers": morning.timers.iter().map(timer).collect::<Vec<_>>(),
        "by_hand": { "runs": morning.by_hand, "good": morning.by_hand_good },
        "needs": morning.needs.iter().map(need).collect::<Vec<_>>(),
        "notes": morning.notes.iter().map(note).collect::<Vec<_>>(),
    })
}
