//! `renkei apply`: settings files become a new version, after a look at what would change.

use super::session::Session;
use super::{GOOD, WRONG, output};
use crate::settings::{self, ApplyError, Finding, Saving};
use std::path::PathBuf;

/// What the command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The settings files; they may refer to each other
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only show what would change
    #[arg(long)]
    plan: bool,
    /// Remove what is not in the files
    #[arg(long)]
    prune: bool,
}

/// Does it; settings that are refused end with 2.
pub(super) async fn run(session: &Session, arguments: Arguments) -> anyhow::Result<u8> {
    session.may_configure().await?;
    let app = &session.app;
    let proposal = match settings::propose(&app.store, &arguments.files, arguments.prune, &app.secrets).await {
        Ok(proposal) => proposal,
        Err(error) => return refused(error),
    };
    tell(&proposal.findings);
    output::line(proposal.plan.render(output::is_coloured()).trim_end());
    if arguments.plan {
        output::line(format!("{} (nothing was saved)", proposal.plan.summary()));
        return Ok(GOOD);
    }
    match proposal.save(&app.store, &app.secrets, saving(session)).await {
        Ok(Some(version)) => output::line(format!("{}: saved as version {version}", proposal.plan.summary())),
        Ok(None) => output::line("nothing changes"),
        Err(error) => return refused(error),
    }
    Ok(GOOD)
}

/// Applies files where nobody looks at the plan: before `serve` and for the demo.
///
/// # Errors
/// Every fault of the files.
pub(super) async fn quietly(session: &Session, files: &[PathBuf]) -> anyhow::Result<Vec<Finding>> {
    let app = &session.app;
    let (proposal, _) = settings::apply(&app.store, files, false, &app.secrets, saving(session)).await?;
    Ok(proposal.findings)
}

fn saving(session: &Session) -> Saving<'_> {
    Saving { actor: &session.actor, zone: session.app.config.timezone, now: session.app.clock.now(), note: "" }
}

/// Shows findings on standard error.
fn tell(findings: &[Finding]) {
    for finding in findings {
        output::aside(finding.to_string());
    }
}

fn refused(error: ApplyError) -> anyhow::Result<u8> {
    match error {
        ApplyError::Refused(findings) => {
            tell(&findings.0);
            output::aside("nothing was saved");
            Ok(WRONG)
        }
        other => Err(other.into()),
    }
}
