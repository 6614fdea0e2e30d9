//! `renkei run`: start, list, look into, repeat, cancel, decide.

use super::session::{Session, on_signal};
use super::{GOOD, output};
use crate::app::App;
use crate::domain::run::{RunState, Trigger};
use crate::engine::dispatcher::carry_alone;
use crate::engine::{Engine, orders, recovery};
use crate::notify;
use crate::report::outbox::deliver_due;
use crate::report::view;
use crate::store::LockError;
use crate::store::runs::{Run, RunDetail, RunFilter};
use std::time::Duration;

/// What can be done with runs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Queue a run for the daemon, or carry it with --wait
    Start {
        /// The menu's name or id
        menu: String,
        /// The integration's name or id; needed where the menu has several
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
        /// メモ, shown in the history and in the mail
        #[arg(long, value_name = "TEXT")]
        memo: Option<String>,
        /// Send only the records of these keys (parts of a key joined by /)
        #[arg(long, value_name = "K", num_args = 1..)]
        key: Vec<String>,
        /// Wait for the run's end; without a daemon, carry it here
        #[arg(long)]
        wait: bool,
        /// Print the run as JSON
        #[arg(long)]
        json: bool,
    },
    /// List runs, the newest first
    List {
        /// Only runs in this state
        #[arg(long, value_name = "S")]
        state: Option<RunState>,
        /// Only runs of this menu
        #[arg(long, value_name = "M")]
        menu: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 30)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a run with its files, requests and history
    Show {
        /// The run's number, as in R-20261124-0007
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Repeat an ended run on the bytes that it has, or on a new export where its files are gone
    Retry {
        /// The run's number
        id: String,
        /// `failed`: only the batches that were not taken
        #[arg(long, value_name = "WHICH")]
        batches: Option<Which>,
        /// Send it even over newer data
        #[arg(long)]
        force: bool,
        /// Then repeat what was skipped because of it, each behind its leader
        #[arg(long)]
        with_followers: bool,
        /// Wait for the run's end; without a daemon, carry it here
        #[arg(long)]
        wait: bool,
        /// Print the run as JSON
        #[arg(long)]
        json: bool,
    },
    /// Cancel an open run; one that is running stops before its next file
    Cancel {
        /// The run's number
        id: String,
    },
    /// 「送信する」: send a held run as it is
    Approve {
        /// The run's number
        id: String,
    },
    /// 「送信しない」: end a held run without sending it
    Refuse {
        /// The run's number
        id: String,
    },
    /// Show what happened to a run, line by line
    Log {
        /// The run's number
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which batches a retry sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Which {
    /// Those that were not taken.
    Failed,
    /// All.
    All,
}

/// How often a waiting command looks at the run.
const LOOK: Duration = Duration::from_millis(200);

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Start { menu, integration, memo, key, wait, json } => {
            let engine = session.engine()?;
            let wanted = orders::Wanted { menu, integration, memo, keys: key };
            let run = orders::start(&engine, &wanted, &session.actor).await?;
            follow(session, &engine, run, wait, json).await
        }
        Command::Retry { id, batches, force, with_followers, wait, json } => {
            let engine = session.engine()?;
            let only_failed = batches == Some(Which::Failed);
            let earlier = session.app.store.run(&id).await?;
            let repeat = orders::Repeat { id, only_failed, forced: force, behind: None };
            let run = orders::retry(&engine, &repeat, &session.actor).await?;
            if let Some(why) = orders::exports_anew(&engine, &earlier.id).await? {
                output::aside(format!("note: run {}: {why}: the retry exports the source anew", earlier.id));
            }
            if with_followers {
                for follower in orders::retry_followers(&engine, &earlier, &run, &session.actor).await? {
                    output::aside(format!("{} repeats {} behind it", follower.id, follower.menu));
                }
            }
            follow(session, &engine, run, wait, json).await
        }
        Command::List { state, menu, limit, json } => list(session, RunFilter { state, menu, limit }, json).await,
        Command::Show { id, json } => show(session, &id, json).await,
        Command::Cancel { id } => {
            let state = orders::cancel(&session.engine()?, &id, &session.actor).await?;
            output::line(match state {
                RunState::Running => format!("{id} stops before its next file"),
                _ => format!("{id} is cancelled"),
            });
            Ok(GOOD)
        }
        Command::Approve { id } => {
            orders::approve(&session.engine()?, &id, &session.actor).await?;
            output::line(format!("{id} is queued: it will be sent as it is"));
            Ok(GOOD)
        }
        Command::Refuse { id } => {
            orders::refuse_held(&session.engine()?, &id, &session.actor).await?;
            output::line(format!("{id} ended without having sent anything"));
            Ok(GOOD)
        }
        Command::Log { id, json } => log(session, &id, json).await,
    }
}

/// Says which run was queued, or waits for its end.
async fn follow(session: &Session, engine: &Engine, run: Run, wait: bool, json: bool) -> anyhow::Result<u8> {
    let (config, clock) = (&session.app.config, &session.app.clock);
    if !wait {
        // Given back at once, so that a daemon that is about to start finds it free.
        if App::lock_of(config, clock, "run start").is_ok() {
            output::aside("warning: no daemon is running: the run waits until `renkei serve` does (or use --wait)");
        }
        return print(session, &run.id, json).await.map(|_| GOOD);
    }
    let ended = match App::lock_soon(config, clock, "run start --wait").await {
        Ok(_lock) => {
            recovery::recover(engine).await?;
            let ended = carry_alone(engine, &run.id, &on_signal()).await?;
            if let Some(postman) = &engine.postman {
                deliver_due(&engine.store, postman, &engine.clock).await?;
            }
            notify::deliver_due(&engine.store, &engine.herald, &engine.clock).await?;
            ended
        }
        Err(LockError::Held { .. }) => watch(engine, &run.id).await?,
        Err(error) => return Err(error.into()),
    };
    print(session, &run.id, json).await?;
    Ok(ended.state.exit_code())
}

/// Looks at a run of the daemon's until it has ended or a person must decide.
async fn watch(engine: &Engine, id: &str) -> anyhow::Result<Run> {
    loop {
        let run = engine.store.run(id).await?;
        if run.state.is_ended() || run.state == RunState::Held {
            return Ok(run);
        }
        engine.clock.sleep(LOOK).await;
    }
}

async fn print(session: &Session, id: &str, json: bool) -> anyhow::Result<()> {
    if json {
        let detail = session.app.store.run_detail(id).await?;
        return output::json(&view::run(&detail, session.app.config.timezone));
    }
    let run = session.app.store.run(id).await?;
    output::line(match &run.failure {
        Some(failure) => format!("{} {}: {failure}", run.id, run.state),
        None => format!("{} {}", run.id, run.state),
    });
    Ok(())
}

async fn list(session: &Session, filter: RunFilter, json: bool) -> anyhow::Result<u8> {
    let runs = session.app.store.list_runs(&filter).await?;
    if json {
        let mut all = Vec::with_capacity(runs.len());
        for run in &runs {
            let detail = session.app.store.run_detail(&run.id).await?;
            all.push(view::run(&detail, session.app.config.timezone));
        }
        output::json(&all)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = runs
        .iter()
        .map(|run| {
            let why = run.failure.as_ref().map_or_else(String::new, |failure| failure.code.to_string());
            [
                run.id.clone(),
                run.menu.clone(),
                run.integration.clone(),
                view::by(run),
                session.short(Some(view::due(run))),
                run.records.to_string(),
                run.state.to_string(),
                why,
            ]
        })
        .collect();
    output::table(["RUN", "MENU", "INTEGRATION", "BY", "DUE", "RECORDS", "STATE", "CODE"], &rows);
    Ok(GOOD)
}

async fn show(session: &Session, id: &str, json: bool) -> anyhow::Result<u8> {
    let detail = session.app.store.run_detail(id).await?;
    if json {
        output::json(&view::run(&detail, session.app.config.timezone))?;
        return Ok(GOOD);
    }
    let run = &detail.run;
    let by = match (run.trigger, &run.timer) {
        (Trigger::Timer, Some(timer)) => format!("timer {timer} (set by {})", run.actor),
        (trigger, _) => format!("{} ({trigger})", run.actor),
    };
    let mut lines = vec![
        ("run", run.id.clone()),
        ("menu", run.menu.clone()),
        ("integration", format!("{} ({})", run.integration, run.account)),
        ("by", by),
        ("state", run.state.to_string()),
        ("due", session.short(Some(view::due(run)))),
        ("started", session.short(run.started_at)),
        ("finished", session.short(run.finished_at)),
        ("records", format!("{} ({} left out), {} bytes", run.records, run.skipped_rows, run.bytes)),
        ("settings", format!("version {}", run.settings_version)),
    ];
    lines.extend(confirmed(session, &detail));
    lines.extend(run.resume_at.map(|at| ("tries again", session.short(Some(at)))));
    lines.extend(run.source.clone().map(|source| ("source", source)));
    lines.extend(run.memo.clone().map(|memo| ("memo", memo)));
    lines.extend(run.retry_of.clone().map(|earlier| ("retry of", earlier)));
    if let (Trigger::Retry, Some(timer)) = (run.trigger, &run.timer) {
        let slot = run.scheduled_at.map_or_else(String::new, |at| format!(", slot {}", session.short(Some(at))));
        lines.push(("origin", format!("timer {timer}{slot}")));
    }
    lines.extend(run.failure.as_ref().map(|failure| ("why", failure.to_string())));
    for (name, value) in lines {
        output::line(format!("{name:<12} {value}"));
    }
    if let Some(failure) = run.failure.as_ref().filter(|failure| !failure.rows.is_empty()) {
        output::line("");
        let rows: Vec<_> = failure
            .rows
            .iter()
            .map(|row| {
                // Of a row that the receiver names, the source's line is not known.
                let line = if row.line == 0 { "-".to_owned() } else { row.line.to_string() };
                [row.name(), line, row.column.clone(), row.reason.to_string()]
            })
            .collect();
        output::table(["KEY", "LINE", "COLUMN", "REASON"], &rows);
    }
    output::line("");
    let rows: Vec<_> = detail
        .batches
        .iter()
        .map(|batch| {
            let last = detail.attempts.iter().rev().find(|attempt| attempt.batch == batch.number);
            let status =
                last.and_then(|attempt| attempt.http_status).map_or_else(|| "-".into(), |status| status.to_string());
            [batch.file.clone(), batch.records.to_string(), batch.bytes.to_string(), batch.state.to_string(), status]
        })
        .collect();
    output::table(["FILE", "RECORDS", "BYTES", "STATE", "HTTP"], &rows);
    Ok(GOOD)
}

/// What became of the import: how much of it, or how often it was asked and until when it is.
fn confirmed(session: &Session, detail: &RunDetail) -> Vec<(&'static str, String)> {
    let all = &detail.confirmations;
    let Some(imported) = detail.imported() else { return Vec::new() };
    let known = all.iter().filter(|one| one.finding.is_some()).count();
    let files = format!("{imported} of {} records ({known} of {} files known)", detail.run.records, all.len());
    let mut lines = vec![("imported", files)];
    if let Some(next) = all.iter().filter_map(|one| one.next_at).min() {
        let asked: u32 = all.iter().map(|one| one.asked).sum();
        let until = all.iter().filter(|one| one.finding.is_none()).map(|one| one.until_at).max();
        let (next, until) = (session.short(Some(next)), session.short(until));
        lines.push(("asks again", format!("{next}, until {until} (asked {asked} times)")));
    }
    lines
}

async fn log(session: &Session, id: &str, json: bool) -> anyhow::Result<u8> {
    let detail = session.app.store.run_detail(id).await?;
    if json {
        output::json(&view::events(&detail, session.app.config.timezone))?;
        return Ok(GOOD);
    }
    for event in &detail.events {
        output::line(format!("{}  {:<10} {}", session.exact(event.at), event.kind, event.text));
    }
    Ok(GOOD)
}
