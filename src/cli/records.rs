//! `renkei records`: rows that renkei keeps itself.

use super::session::Session;
use super::{GOOD, output, usage};
use crate::domain::menu::SourceForm;
use crate::source::import;
use anyhow::Context as _;
use std::path::PathBuf;

/// What can be done with records.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Replace a menu's records by those of a file (CSV, TSV or JSON lines), all or nothing
    Import {
        /// The menu's name or id; its source is `records: {}`
        menu: String,
        /// The file
        file: PathBuf,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    let Command::Import { menu, file } = command;
    session.may_configure().await?;
    let settings = session.app.store.settings().await?;
    let found =
        settings.menu(&menu).with_context(|| format!("there is no menu {menu:?}: `renkei menu list` shows them"))?;
    if !matches!(found.form().source, SourceForm::Records(_)) {
        let what = format!("the menu {} does not keep records: its source is not `records: {{}}`", found.name());
        return Err(usage(what));
    }
    let imported = import::import(&session.app.store, found.id(), &file, session.app.clock.now()).await?;
    let name = found.name();
    output::line(format!("{name}: {} records with {} columns are now its records", imported.records, imported.columns));
    Ok(GOOD)
}
