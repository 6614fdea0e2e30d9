//! `renkei check`: are configuration, settings and database right, and, with `--connect`, is there a way to each URL?
//! Nothing is pushed and nothing is changed.

use super::session::Session;
use super::{BAD, GOOD, integration, output};
use std::path::Path;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Try name, connection and TLS of each integration, the mail server's too; nothing is sent
    #[arg(long)]
    connect: bool,
}

/// Does it.
pub(super) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let session = Session::open(config).await?;
    let settings = session.app.store.settings().await?;
    let file =
        session.app.config.file.as_ref().map_or_else(|| "defaults".to_owned(), |file| file.display().to_string());
    output::line(format!("ok   configuration {file}"));
    output::line(format!("ok   database {}", session.app.config.database.display()));
    output::line(format!(
        "ok   settings version {}: {} integrations, {} menus, {} timers ({} on)",
        settings.version,
        settings.integrations.len(),
        settings.menus.len(),
        settings.timers.len(),
        settings.timers.iter().filter(|stored| stored.timer.is_on()).count()
    ));
    let mut good = true;
    let mut trouble = |text: String| {
        good = false;
        output::line(format!("FAIL {text}"));
    };
    for one in &settings.integrations {
        for (name, value) in one.form().every_header() {
            for error in session.app.secrets.trouble(value) {
                trouble(format!("integration {}: {name}: {error}", one.name()));
            }
        }
    }
    if let Err(error) = session.app.postman() {
        trouble(error.to_string());
    }
    if session.app.config.mail.is_none() {
        output::line("note no mail is sent: config.yaml names no mail server");
    }
    if arguments.connect {
        for one in &settings.integrations {
            good &= integration::connect(&session, one).await;
        }
    }
    Ok(if good { GOOD } else { BAD })
}
