//! `renkei doctor`: is the house sound? It only reads.

use super::{BAD, GOOD, output};
use crate::app::doctor::{Level, examine};
use crate::clock::Clock;
use crate::config::Config;
use anyhow::Context as _;
use std::path::Path;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it; ends with 1 when something fails.
pub(super) async fn run(config: Option<&Path>, arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(config).context("config.yaml")?;
    let findings = examine(config, &Clock::system()).await;
    if arguments.json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            output::line(format!("{:<4} {}: {}", finding.level, finding.part, finding.text));
            if let Some(fix) = &finding.fix {
                output::line(format!("     → {fix}"));
            }
        }
    }
    Ok(if findings.iter().any(|finding| finding.level == Level::Fail) { BAD } else { GOOD })
}
