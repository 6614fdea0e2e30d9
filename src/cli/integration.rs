//! `renkei integration`: list, look into, and try the route without sending anything.

use super::session::Session;
use super::{BAD, GOOD, output};
use crate::domain::integration::Integration;
use crate::domain::secret::{MASK, SecretText, names_a_secret};
use crate::engine::pausing;
use crate::push::probe;
use crate::report::view;
use anyhow::Context as _;
use serde_json::{Value, json};

/// What can be done with integrations.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List integrations
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an integration with every default, secrets masked (`settings export` gives what can be applied)
    Show {
        /// Its name or id
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Pause an integration: its slots are skipped, and nothing of it is sent until it is resumed
    Pause {
        /// Its name or id
        name: String,
        /// Why; people who look will see it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a pause, whoever or whatever caused it; the next run is the proof
    Resume {
        /// Its name or id
        name: String,
    },
    /// Try name, connection and TLS, and whether its secrets can be read; nothing is sent
    Check {
        /// Its name or id
        name: String,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    match command {
        Command::List { json } => list(session, json).await,
        Command::Show { name, json } => show(session, &name, json).await,
        Command::Pause { name, reason } => {
            session.may_configure().await?;
            pausing::pause(&session.engine()?, &name, &reason, &session.actor).await?;
            output::line(format!("{name} is paused: its slots are skipped until `renkei integration resume {name}`"));
            Ok(GOOD)
        }
        Command::Resume { name } => {
            session.may_configure().await?;
            pausing::resume(&session.engine()?, &name, &session.actor).await?;
            output::line(format!("{name} is no longer paused; its next run is the proof"));
            Ok(GOOD)
        }
        Command::Check { name } => {
            let one = find(session, &name).await?;
            Ok(if connect(session, &one).await { GOOD } else { BAD })
        }
    }
}

async fn find(session: &Session, name: &str) -> anyhow::Result<Integration> {
    let settings = session.app.store.settings().await?;
    let found = settings.integration(name).cloned();
    found.with_context(|| format!("there is no integration {name:?}: `renkei integration list` shows them"))
}

fn master(one: &Integration) -> String {
    one.master().map_or_else(|| "-".to_owned(), |master| format!("{} {master}", master.id()))
}

async fn list(session: &Session, json: bool) -> anyhow::Result<u8> {
    let settings = session.app.store.settings().await?;
    let pauses = session.app.store.pauses().await?;
    let pause_of = |one: &Integration| pauses.iter().find(|pause| pause.integration == one.id());
    let zone = session.app.config.timezone;
    if json {
        let shown = |one: &Integration| {
            let mut value = masked(one);
            value["paused"] = json!(pause_of(one).map(|pause| json!({
                "since": view::local(pause.since, zone), "reason": pause.reason,
            })));
            value
        };
        let all: Vec<Value> = settings.integrations.iter().map(shown).collect();
        output::json(&all)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = settings
        .integrations
        .iter()
        .map(|one| {
            [
                one.name().to_owned(),
                master(one),
                one.url().to_string(),
                u8::from(one.form().report).to_string(),
                pause_of(one).map_or_else(|| "-".to_owned(), |pause| session.short(Some(pause.since))),
            ]
        })
        .collect();
    output::table(["INTEGRATION", "MASTER", "URL", "REPORT", "PAUSED SINCE"], &rows);
    for (one, pause) in settings.integrations.iter().filter_map(|one| Some((one, pause_of(one)?))) {
        output::line(format!("{} is paused: {}", one.name(), pause.reason));
    }
    Ok(GOOD)
}

/// The form with literals in secret places and sealed texts masked.
fn masked(one: &Integration) -> Value {
    let mut value = json!(one.form());
    let mut mask = |pointer: &str, written: &[(String, SecretText)]| {
        let Some(headers) = value.pointer_mut(pointer).and_then(Value::as_object_mut) else { return };
        for (name, text) in written {
            let shown =
                if text.as_literal().is_some() && names_a_secret(name) { MASK.to_owned() } else { text.to_string() };
            headers.insert(name.clone(), Value::String(shown));
        }
    };
    mask("/headers", &one.form().headers);
    if let Some(confirm) = &one.form().confirm {
        mask("/confirm/headers", &confirm.headers);
    }
    if let Some(proxy) = &one.form().route.proxy {
        value["route"]["proxy"] = Value::String(proxy.to_string());
    }
    value["id"] = json!(one.id());
    value["account"] = json!(one.account().as_str());
    value
}

async fn show(session: &Session, name: &str, json: bool) -> anyhow::Result<u8> {
    let one = find(session, name).await?;
    if json {
        output::json(&masked(&one))?;
    } else {
        output::line(serde_yaml::to_string(&masked(&one))?.trim_end());
    }
    Ok(GOOD)
}

/// Tries the route of one integration and tells each step; `true` when a push could begin.
pub(super) async fn connect(session: &Session, one: &Integration) -> bool {
    output::line(format!("{} → {}", one.name(), one.url()));
    let mut good = true;
    let mut tell = |ok: bool, what: &str, found: &str| {
        good &= ok;
        output::line(format!("  {} {what:<8} {found}", if ok { "ok  " } else { "FAIL" }));
    };
    for (name, value) in one.form().every_header().filter(|(_, value)| value.is_secret()) {
        match session.app.secrets.resolve(value) {
            Ok(_) => tell(true, "secret", &format!("{name} can be read")),
            Err(error) => tell(false, "secret", &format!("{name}: {error}")),
        }
    }
    let proxy = one.form().route.proxy.as_ref().map(|proxy| session.app.secrets.resolve(proxy)).transpose();
    match proxy {
        Err(error) => tell(false, "proxy", &error.to_string()),
        Ok(proxy) => match probe(one, proxy.as_ref()).await {
            Err(error) => tell(false, "route", &error.to_string()),
            Ok(report) => {
                for step in &report.steps {
                    tell(true, step.what, &step.found);
                }
                if let Some(step) = &report.failed {
                    tell(false, step.what, &step.found);
                }
            }
        },
    }
    good
}
