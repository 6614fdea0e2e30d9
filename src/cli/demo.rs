//! `renkei demo`: a pretend 楽楽精算, a mailbox and a daemon in one process, on free loopback ports and a temporary
//! folder. The lists that ship with renkei are applied, their timers fire within seconds, and what happens is shown as
//! it happens. It needs no network, no root and no configuration, and leaves nothing behind.

mod show;
mod stage;

use super::{BAD, GOOD, output};
use crate::domain::run::RunState;
use show::Show;
use stage::Stage;
use std::time::Duration;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print only a summary, as one JSON object
    #[arg(long)]
    json: bool,
}

/// How often the demo looks at what has happened.
const LOOK: Duration = Duration::from_millis(50);
/// When something is wrong with the demo itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the demo to its end.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let stage = Stage::set().await?;
    let mut show = Show::new(!arguments.json);
    show.opening(&stage);
    let daemon = stage.app.serve().await?;
    let clock = stage.app.clock.clone();
    let begun = clock.elapsed();
    let complete = loop {
        let ended = show.look(&stage).await?;
        if ended && stage.mailbox.messages().len() >= stage.expected() {
            break true;
        }
        if clock.elapsed() - begun > PATIENCE {
            break false;
        }
        clock.sleep(LOOK).await;
    };
    show.look(&stage).await?;
    daemon.stop(Duration::from_secs(5)).await;
    let runs = stage.runs().await?;
    let good = complete && runs.iter().all(|detail| detail.run.state == RunState::Accepted);
    if arguments.json {
        output::json(&show::summary(&stage, &runs, good).await?)?;
    } else {
        show.closing(&stage, good).await?;
    }
    stage.clear().await;
    Ok(if good { GOOD } else { BAD })
}
