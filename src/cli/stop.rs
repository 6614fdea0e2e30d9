//! `renkei stop`: times in which nothing is sent (連携停止期間), for 人事異動, closings and announced maintenance.

use super::session::{Session, instant};
use super::{GOOD, output};
use crate::domain::stop::{SlotsInside, StopScope};
use crate::report::view;
use crate::settings::{WantedStop, plan_stop};
use crate::store::stops::StoredStop;
use serde_json::{Value, json};

/// What can be done with stops.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Plan a stop: nothing is sent in it, whoever asks
    Add(Add),
    /// List the stops that have not ended
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a stop now, or take back one that has not begun
    End {
        /// Its number
        number: i64,
    },
}

/// A stop to be planned.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Its beginning, as in 2026-12-01 or 2026-12-01T18:00; now where absent
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Its end, as in 2026-12-02 (then nothing is sent up to midnight before it) or 2026-12-02T06:00
    #[arg(long, value_name = "DATE")]
    until: String,
    /// Why; the ledger and people who look will see it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only the runs of this timer
    #[arg(long, value_name = "NAME", conflicts_with = "account")]
    timer: Option<String>,
    /// Only the runs of this account, or of this integration's account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Whether slots inside are skipped, or wait for the end
    #[arg(long, value_enum, default_value = "skip")]
    slots: Slots,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Slots {
    Skip,
    Wait,
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    let (store, now, zone) = (&session.app.store, session.app.clock.now(), session.app.config.timezone);
    match command {
        Command::Add(add) => {
            session.may_configure().await?;
            let wanted = WantedStop {
                timer: add.timer,
                account: add.account,
                from: add.from.map_or(Ok(now), |from| instant(&from, zone))?,
                until: instant(&add.until, zone)?,
                slots: match add.slots {
                    Slots::Skip => SlotsInside::Skip,
                    Slots::Wait => SlotsInside::Wait,
                },
                reason: add.reason,
            };
            let stop = plan_stop(store, &wanted, &session.actor, now).await?;
            output::line(format!("stop {}: {}", stop.number, told(session, &stop)));
        }
        Command::List { json } => list(session, store.stops(now).await?, json)?,
        Command::End { number } => {
            session.may_configure().await?;
            store.end_stop(number, &session.actor, now).await?;
            output::line(format!("stop {number} is over"));
        }
    }
    Ok(GOOD)
}

fn scope(stop: &StoredStop) -> String {
    match &stop.stop.scope {
        StopScope::All => "all".to_owned(),
        StopScope::Account(account) => format!("account {account}"),
        StopScope::Timer(id) => format!("timer {id}"),
    }
}

fn slots(stop: &StoredStop) -> &'static str {
    match stop.stop.slots {
        SlotsInside::Skip => "skip",
        SlotsInside::Wait => "wait",
    }
}

fn told(session: &Session, stop: &StoredStop) -> String {
    format!(
        "{}, {} to {}, slots inside {}",
        scope(stop),
        session.short(Some(stop.stop.from)),
        session.short(Some(stop.stop.until)),
        if stop.stop.slots == SlotsInside::Skip { "are skipped" } else { "wait for its end" }
    )
}

fn list(session: &Session, stops: Vec<StoredStop>, json: bool) -> anyhow::Result<()> {
    let zone = session.app.config.timezone;
    if json {
        let stops: Vec<Value> = stops
            .iter()
            .map(|stop| {
                json!({
                    "number": stop.number, "scope": scope(stop), "slots": slots(stop), "reason": stop.reason,
                    "from": view::local(stop.stop.from, zone), "until": view::local(stop.stop.until, zone),
                    "set_by": stop.set_by,
                })
            })
            .collect();
        return output::json(&stops);
    }
    let rows: Vec<_> = stops
        .iter()
        .map(|stop| {
            [
                stop.number.to_string(),
                session.short(Some(stop.stop.from)),
                session.short(Some(stop.stop.until)),
                scope(stop),
                slots(stop).to_owned(),
                stop.set_by.clone(),
                stop.reason.clone(),
            ]
        })
        .collect();
    output::table(["STOP", "FROM", "UNTIL", "CONCERNS", "SLOTS", "SET BY", "REASON"], &rows);
    Ok(())
}
