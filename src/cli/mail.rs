//! `renkei mail`: does the mail server take what we send?

use super::session::Session;
use super::{BAD, GOOD, output, usage};
use crate::domain::user::is_address;
use crate::report::compose_test;

/// What can be done with mail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Send a test mail at once, past the outbox
    Test {
        /// Where to
        address: String,
    },
}

/// Does it.
pub(super) async fn run(session: &Session, command: Command) -> anyhow::Result<u8> {
    let Command::Test { address } = command;
    if !is_address(&address) {
        return Err(usage(format!("{address:?} is no mail address: write name@example.jp")));
    }
    let unset = || usage("config.yaml names no mail server: add `mail: { url: …, from: … }`");
    let postman = session.app.postman()?.ok_or_else(unset)?;
    let letter = compose_test(session.app.config.locale);
    let id = format!("test-{}-{}@renkei", session.app.clock.now().timestamp_millis(), std::process::id());
    match postman.carry(&letter, std::slice::from_ref(&address), &id).await {
        Ok(()) => {
            output::line(format!("the mail server took a test mail to {address}"));
            Ok(GOOD)
        }
        Err(error) => {
            output::aside(format!("error: {error}"));
            Ok(BAD)
        }
    }
}
