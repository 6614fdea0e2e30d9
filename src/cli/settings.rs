//! `renkei settings`: the settings as a whole.

use super::session::Session;
use super::{GOOD, output};
use crate::settings::{self, Entities};

/// What can be done with the settings as a whole.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print all settings as a file that `renkei apply` takes; secrets stay references or sealed
    Export,
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    let Command::Export = command;
    let stored = session.app.store.settings().await?;
    output::line(settings::export(&Entities::from(&stored)).trim_end());
    Ok(GOOD)
}
