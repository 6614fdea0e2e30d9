//! `renkei timer simulate FILE`: what the timers of settings files would do over a year. It touches nothing: where there
//! is a database, its calendar and what the files refer to are read from it, and where there is none, none is made.

use crate::cli::{GOOD, WRONG, output};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::calendar::Calendar;
use crate::domain::forecast::{Forecast, TimerForecast, forecast};
use crate::settings::secrets::Resolver;
use crate::settings::{self, Against, Entities};
use crate::store::Store;
use anyhow::{Context as _, bail};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use std::path::{Path, PathBuf};

/// How many lines of one kind are shown of one timer.
const MOST_LINES: usize = 12;

/// The longest span, in days: the lists of ten years are still read by somebody.
const MOST_DAYS: u64 = 3_660;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The settings files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The first day; today where absent
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 365)]
    days: u64,
    /// Print JSON, with every list in full
    #[arg(long)]
    json: bool,
}

/// Does it; settings that are refused end with 2.
pub(in crate::cli) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(config).context("config.yaml")?;
    if !(1..=MOST_DAYS).contains(&arguments.days) {
        bail!("--days {} cannot be: write 1 to {MOST_DAYS}", arguments.days);
    }
    let (stored, calendar) = known(&config).await;
    let resolver = Resolver::new(config.key_file());
    let against = Against { stored: &stored, prune: false, resolver: &resolver };
    let loaded = match settings::load_files(&arguments.files, &against) {
        Ok(loaded) => loaded,
        Err(findings) => {
            findings.0.iter().for_each(|finding| output::aside(finding.to_string()));
            return Ok(WRONG);
        }
    };
    loaded.findings.iter().for_each(|finding| output::aside(finding.to_string()));
    let calendar = match loaded.entities.calendar {
        Some(company) => Calendar::new(company, calendar.official().cloned()),
        None => calendar,
    };
    let from = arguments.from.unwrap_or_else(|| Clock::system().now().with_timezone(&config.timezone).date_naive());
    let to = from.checked_add_days(Days::new(arguments.days - 1)).context("--from is too late")?;
    let told = forecast(&loaded.entities.timers, &calendar, config.timezone, from, to);
    if arguments.json {
        output::json(&told)?;
    } else {
        show(&told, config.timezone);
    }
    Ok(GOOD)
}

/// What the database knows, if there is one that can be read.
async fn known(config: &Config) -> (Entities, Calendar) {
    if !config.database.exists() {
        return (Entities::default(), Calendar::japanese());
    }
    let read = async {
        let store = Store::open_read_only(&config.database).await?;
        let settings = store.settings().await;
        store.close().await;
        settings
    };
    match read.await {
        Ok(settings) => (Entities::from(&settings), settings.calendar),
        Err(error) => {
            output::aside(format!("note: without the database's calendar and settings: {error}"));
            (Entities::default(), Calendar::japanese())
        }
    }
}

fn show(told: &Forecast, zone: Tz) {
    let short = |at: DateTime<Utc>, zone: Tz| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
    output::line(format!("{} to {}, {zone}", told.from, told.to));
    if let Some(at) = told.cut_at {
        output::line(format!("these are too many slots for one look: all counts end before {}", short(at, zone)));
    }
    output::line("");
    let rows: Vec<_> = told
        .timers
        .iter()
        .map(|timer| {
            let at = |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), |at| short(at, timer.zone));
            let skipped: u64 = timer.skipped.iter().map(|day| day.slots).sum::<u64>() + timer.weekend_slots;
            [
                timer.name.clone(),
                if timer.on { timer.runs.to_string() } else { "off".to_owned() },
                skipped.to_string(),
                timer.moved.len().to_string(),
                timer.days_without_run.to_string(),
                at(timer.first),
                at(timer.last),
            ]
        })
        .collect();
    output::table(["TIMER", "RUNS", "SKIPPED", "MOVED", "DAYS WITHOUT", "FIRST", "LAST"], &rows);
    for timer in told.timers.iter().filter(|timer| timer.on) {
        details(timer);
    }
    output::line("");
    if told.collisions.is_empty() {
        output::line("no two timers come in the same instant");
    } else {
        output::line("in the same instant, in the order in which they run:");
        let lines = told.collisions.iter().map(|one| {
            let mut notes = Vec::new();
            if one.by_records {
                notes.push("of one priority the one with fewer records goes first");
            }
            if one.same_list {
                notes.push("one menu and integration: the later overlaps with the earlier");
            }
            let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
            let times = format!("{} times, first {}", one.times, short(one.first, zone));
            format!("  {}: {times}{notes}", one.timers.join(" → "))
        });
        some(lines);
    }
    output::line(format!("days on which no timer runs: {}", told.days_without_run));
}

fn details(timer: &TimerForecast) {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(timer.clock_changes.iter().map(|change| {
        let at = change.at.with_timezone(&timer.zone).format("%Y-%m-%d %H:%M %:z");
        let (way, what) = if change.seconds > 0 { ("forward", "do not exist") } else { ("back", "come twice") };
        let minutes = change.seconds.abs() / 60;
        format!("  {at} clocks go {way} by {minutes} min: times that {what}: {}, runs: {}", change.times, change.runs)
    }));
    lines.extend(timer.skipped.iter().map(|day| {
        let slots = if day.slots == 1 { "1 slot".to_owned() } else { format!("{} slots", day.slots) };
        format!("  {} {}: {slots} skipped", day.date.format("%Y-%m-%d %a"), day.reason)
    }));
    lines.extend(timer.moved.iter().map(|day| {
        let nowhere = || "nowhere: a year has no business day".to_owned();
        let to = day.to.map_or_else(nowhere, |to| to.format("%Y-%m-%d %a").to_string());
        format!("  {} {}: moves to {to}", day.date.format("%Y-%m-%d %a"), day.reason)
    }));
    let rest = timer.longest_rest.map(|(first, last)| (first, last, (last - first).num_days() + 1));
    if lines.is_empty() && rest.is_none() {
        return;
    }
    output::line(format!("\n{}", timer.name));
    if let Some((first, last, days)) = rest {
        output::line(format!("  longest time without a run: {days} days, {first} to {last}"));
    }
    some(lines.into_iter());
}

/// The first lines, and how many more there are.
fn some(lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.take(MOST_LINES).for_each(output::line);
    if more > 0 {
        output::line(format!("  … and {more} more (--json has them all)"));
    }
}
