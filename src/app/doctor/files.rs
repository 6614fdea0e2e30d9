//! The data folder: room on its disk, who may read it, and whether spool and database know the same runs.

use super::Findings;
use crate::app::App;
use crate::config::Config;
use crate::store::StoreError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Less room is a trouble soon …
const LITTLE: u64 = 1 << 30;
/// … and less than this a trouble now.
const TOO_LITTLE: u64 = 100 << 20;
/// How many files are looked at.
const MOST_FILES: usize = 20_000;

/// How much room is left.
pub(super) fn disk(config: &Config, findings: &mut Findings) {
    let folder = existing(&config.data_dir);
    let fix = "make room on the disk, or shorten keep_files in config.yaml";
    match free(folder) {
        Ok(free) if free < TOO_LITTLE => findings.fail("disk", told(free, folder), fix),
        Ok(free) if free < LITTLE => findings.warn("disk", told(free, folder), fix),
        Ok(free) => findings.ok("disk", told(free, folder)),
        Err(error) => {
            findings.fail("disk", format!("{}: {error}", folder.display()), "run it as the user of the daemon")
        }
    }
}

fn told(free: u64, folder: &Path) -> String {
    format!("{} MiB free under {}", free >> 20, folder.display())
}

/// The folder itself, or the one that it will be made in.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|part| part.is_dir()).unwrap_or(folder)
}

#[cfg(unix)]
fn free(folder: &Path) -> std::io::Result<u64> {
    let about = rustix::fs::statvfs(folder)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> std::io::Result<u64> {
    Err(std::io::Error::other("not known on this system"))
}

/// Who may read the data: its owner alone.
pub(super) fn modes(config: &Config, findings: &mut Findings) {
    if !config.data_dir.is_dir() {
        findings.warn("files", format!("{} is not there yet", config.data_dir.display()), "renkei serve makes it");
        return;
    }
    let mut open: Vec<PathBuf> = Vec::new();
    let mut looked_at = 0;
    let mut folders = vec![config.data_dir.clone()];
    let mut unreadable = None;
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable = Some(format!("{}: {error}", folder.display()));
                continue;
            }
        };
        if readable_by_others(&folder) {
            open.push(folder.clone());
        }
        for entry in entries.flatten().take(MOST_FILES - looked_at) {
            looked_at += 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && readable_by_others(&entry.path()) => open.push(entry.path()),
                _ => {}
            }
        }
    }
    let key = config.key_file();
    let shown = open.first().map(|path| path.display().to_string()).unwrap_or_default();
    let fix = format!("chmod -R go= {}", config.data_dir.display());
    if let Some(text) = unreadable {
        findings.fail("files", text, "run it as the user of the daemon");
    } else if open.contains(&key) {
        findings.fail("files", format!("others may read {}: it opens every sealed secret", key.display()), fix);
    } else if !open.is_empty() {
        findings.warn("files", format!("others may read {shown} ({} such paths)", open.len()), fix);
    } else {
        findings.ok("files", format!("{looked_at} under {}, for their owner alone", config.data_dir.display()));
    }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}

/// Whether spool and database know the same runs.
pub(super) async fn spool(app: &App, findings: &mut Findings) -> Result<(), StoreError> {
    let folder = app.config.spool();
    // The runs first: a folder that is made meanwhile is no stranger then.
    let runs = app.store.runs_with_files().await?;
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().take(MOST_FILES);
    let folders: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let names: Vec<String> = folders.iter().cloned().collect();
    let known = app.store.known_runs(&names).await?;
    let strangers: Vec<&String> = folders.iter().filter(|name| !known.contains(*name)).collect();
    let without: Vec<_> = runs.iter().filter(|run| !folders.contains(&run.id)).collect();
    let open: Vec<_> = without.iter().filter(|run| !run.state.is_ended()).collect();
    if let Some(run) = open.first() {
        let text = format!("run {} is {} and its files are gone ({} such runs)", run.id, run.state, open.len());
        findings.fail("spool", text, "cancel it (renkei run cancel ID) and run it anew, or restore the spool");
    }
    if let Some(run) = without.iter().find(|run| run.state.is_ended()) {
        let text =
            format!("the files of run {} are gone ({} such runs): they cannot be sent again", run.id, without.len());
        findings.warn("spool", text, "restore the spool if the exact bytes matter; otherwise nothing");
    }
    if let Some(name) = strangers.first() {
        let text = format!("{} belongs to no run ({} such)", folder.join(name).display(), strangers.len());
        findings.warn("spool", text, "look whether it is of use, then delete it");
    }
    if without.is_empty() && strangers.is_empty() {
        findings.ok("spool", format!("{} folders, each of a run", folders.len()));
    }
    Ok(())
}
