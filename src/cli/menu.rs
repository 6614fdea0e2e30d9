//! `renkei menu`: list, look into, and see what would be sent without sending it.

mod preview;

use super::session::Session;
use super::{BAD, GOOD, output, usage};
use crate::domain::failure::{Failure, RowFault};
use crate::domain::menu::{Menu, SourceForm};
use crate::engine::outlook::Form;
use crate::export::{self, ExportError, Exported};
use crate::settings::{self, Entities};
use crate::source::{self, OpenContext, Opened};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What can be done with menus.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List menus
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a menu as it is written in settings
    Show {
        /// Its name or id
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the first rows as they would be sent, and what a run would do with the whole list
    Preview {
        /// Its name or id
        name: String,
        /// Through this integration; the menu's first where absent
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
        /// How many rows
        #[arg(short, value_name = "N", default_value_t = 10)]
        n: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the whole list as one CSV, byte for byte as it would be sent
    Export {
        /// Its name or id
        name: String,
        /// Through this integration; the menu's first where absent
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
        /// The file to write; - is standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    match command {
        Command::List { json } => list(session, json).await,
        Command::Show { name, json } => show(session, &name, json).await,
        Command::Preview { name, integration, n, json } => {
            preview::run(session, &name, integration.as_deref(), n, json).await
        }
        Command::Export { name, integration, output } => export(session, &name, integration.as_deref(), &output).await,
    }
}

async fn find(session: &Session, name: &str) -> anyhow::Result<Menu> {
    let settings = session.app.store.settings().await?;
    settings.menu(name).cloned().with_context(|| format!("there is no menu {name:?}: `renkei menu list` shows them"))
}

fn source_of(menu: &Menu) -> String {
    match &menu.form().source {
        SourceForm::Records(_) => "records".to_owned(),
        SourceForm::Csv(csv) => format!("csv {}", csv.path),
        SourceForm::Jsonl(jsonl) => format!("jsonl {}", jsonl.path),
    }
}

async fn list(session: &Session, json: bool) -> anyhow::Result<u8> {
    let settings = session.app.store.settings().await?;
    if json {
        let menus: Vec<Value> = settings
            .menus
            .iter()
            .map(|menu| {
                let form = menu.form();
                json!({ "id": menu.id(), "name": form.name, "source": form.source, "key": form.key, "integrations": form.integrations })
            })
            .collect();
        output::json(&menus)?;
        return Ok(GOOD);
    }
    let rows: Vec<_> = settings
        .menus
        .iter()
        .map(|menu| {
            let form = menu.form();
            [form.name.clone(), source_of(menu), form.key.join(" / "), form.integrations.join(", ")]
        })
        .collect();
    output::table(["MENU", "SOURCE", "KEY", "INTEGRATIONS"], &rows);
    Ok(GOOD)
}

async fn show(session: &Session, name: &str, json: bool) -> anyhow::Result<u8> {
    let menu = find(session, name).await?;
    if json {
        output::json(menu.form())?;
    } else {
        let alone = Entities { menus: vec![menu], ..Entities::default() };
        output::line(settings::export(&alone).trim_end());
    }
    Ok(GOOD)
}

/// A menu with the CSV's form of the integration through which it is looked at, and the moment of the look.
async fn look(session: &Session, name: &str, integration: Option<&str>) -> anyhow::Result<(Form, OpenContext)> {
    let menu = find(session, name).await?;
    let settings = session.app.store.settings().await?;
    let named = integration.or_else(|| menu.form().integrations.first().map(String::as_str));
    let (csv, limits) = match named {
        None => Default::default(),
        Some(named) => {
            let one = settings.integration(named).with_context(|| format!("there is no integration {named:?}"))?;
            (one.form().csv.clone(), one.form().limits)
        }
    };
    let now = session.app.clock.now();
    let context = OpenContext { now, run_at: now, zone: session.app.config.timezone };
    Ok((Form { menu, csv, limits }, context))
}

async fn export(session: &Session, name: &str, integration: Option<&str>, target: &Path) -> anyhow::Result<u8> {
    let (form, context) = look(session, name, integration).await?;
    let opened = source::open(&form.menu, &session.app.store, &context).await?;
    let scratch = scratch(session, "export");
    let target = target.to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let done = write(&form, opened, &target, &scratch);
        // The folder holds passing files only, and may never have been made.
        let _ = std::fs::remove_dir_all(&scratch);
        done
    })
    .await??;
    let Some(exported) = written else { return Ok(GOOD) };
    output::aside(format!(
        "{} records, {} left out, {} bytes",
        exported.records, exported.left_out_total, exported.bytes
    ));
    Ok(if exported.left_out_total > 0 { BAD } else { GOOD })
}

/// Writes under a working name and renames, so that a file is whole or not there. `None` when the reader of standard
/// output went away.
fn write(form: &Form, opened: Opened, target: &Path, scratch: &Path) -> anyhow::Result<Option<Exported>> {
    let plan = export::Plan::new(&form.menu, &form.csv, &form.limits, &opened.header, None)?;
    let go_on = |_| ControlFlow::Continue(());
    let blocks = opened.blocks;
    let done = if target == Path::new("-") {
        let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        let done = export::write_single(&plan, blocks, &mut out, scratch, go_on);
        if done.is_ok() {
            out.flush()?;
        }
        done
    } else {
        if std::fs::symlink_metadata(target).is_ok_and(|there| !there.is_file()) {
            return Err(usage(format!("{} is there and is no plain file: name another", target.display())));
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder)
            .with_context(|| format!("{} cannot be written", folder.display()))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let done = export::write_single(&plan, blocks, &mut out, scratch, go_on);
        if done.is_ok() {
            let file = out.into_inner().map_err(|error| anyhow::anyhow!("{}: {}", target.display(), error.error()))?;
            file.as_file().sync_all()?;
            file.persist(target)?;
        }
        done
    };
    match done {
        Ok(exported) => Ok(Some(exported)),
        Err(ExportError::OutputClosed) => Ok(None),
        Err(ExportError::Failed(failure)) => Err(told(&failure)),
        Err(error) => Err(error.into()),
    }
}

/// A folder for passing files, this process's own.
fn scratch(session: &Session, what: &str) -> PathBuf {
    session.app.config.spool().join(format!("{what}-{}", std::process::id()))
}

/// A failure with the rows that it is about, for the screen.
fn told(failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure}{}", rows_of(&failure.rows, failure.rows_total))
}

/// The first rows of a list of faults, a line each, and how many there are more.
fn rows_of(rows: &[RowFault], total: u64) -> String {
    let mut text = String::new();
    for row in rows.iter().take(20) {
        text.push_str(&format!("\n  {} (line {}) {}: {}", row.key, row.line, row.column, row.reason));
    }
    let more = total.saturating_sub(20);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
