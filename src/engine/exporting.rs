//! From the source to the spool: find the source, read it, write the batches, look at the checks. A run that goes on,
//! was approved or repeats another one uses the files that are there; each is verified again before it is sent.

use super::Engine;
use super::executor::{Stop, internal};
use super::job::Job;
use crate::domain::failure::{Code, Failure};
use crate::domain::menu::{OnTrip, SourceForm};
use crate::domain::run::BatchState;
use crate::export::{self, ExportError, Exported};
use crate::source::{self, OpenContext, Opened, SourceError, SourceInfo};
use crate::store::batches::{Batch, NewBatch, NewExport};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::ops::ControlFlow;
use std::path::Path;
use tracing::info;

/// What lies in the spool, ready to be sent.
pub(super) struct Stored {
    pub(super) batches: Vec<Batch>,
    /// About the rows that a rule left out.
    pub(super) warning: Option<Failure>,
}

/// The run's files: those that are there, those of the run that it repeats, or those of a new export.
pub(super) async fn stored(engine: &Engine, job: &Job) -> Result<Stored, Stop> {
    let run = &job.run;
    let found = run.failure.clone().filter(|failure| is_check(failure) && run.approved_by.is_none());
    if let Some(failure) = found.filter(|_| run.exported_at.is_some()) {
        // A crash came between the export and the decision: the check still stands.
        check(job, vec![failure])?;
    }
    if run.exported_at.is_none() {
        match &run.retry_of {
            Some(earlier) => adopt(engine, job, earlier).await?,
            None => export(engine, job).await?,
        }
    }
    let warning = engine.store.run_by_seq(run.seq).await?.warning;
    Ok(Stored { batches: engine.store.batches(run.seq).await?, warning })
}

/// Exports, and stops at the checks.
async fn export(engine: &Engine, job: &Job) -> Result<(), Stop> {
    let opened = open(engine, job).await?;
    let (about, source) = (opened.about.to_string(), place(&opened.about, job.zone));
    let exported = write(engine, job, opened).await?;
    info!(run = %job.run.id, records = exported.records, left_out = exported.left_out_total, bytes = exported.bytes, "exported from {about}");
    let checked = check(job, exported.tripped.clone());
    let new = NewExport {
        batches: exported.batches.iter().map(new_batch).collect(),
        records: exported.records,
        skipped_rows: exported.left_out_total,
        warning: warning(&exported),
        tripped: checked.as_ref().err().and_then(Stop::failure).cloned(),
        source: Some(source),
        adopted: None,
    };
    engine.store.record_export(job.run.seq, &new, engine.clock.now()).await?;
    checked
}

/// What was read, for the history and the mail: the file's name and when it was written.
fn place(about: &SourceInfo, zone: Tz) -> String {
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    match about {
        SourceInfo::File(file) => {
            let name = file.path.file_name().unwrap_or(file.path.as_os_str());
            format!("{} ({})", name.to_string_lossy(), time(file.modified))
        }
        SourceInfo::Records(records) => format!("records ({})", time(records.imported_at)),
    }
}

/// Opens the source, or waits for it as long as the menu says.
async fn open(engine: &Engine, job: &Job) -> Result<Opened, Stop> {
    let run = &job.run;
    let now = engine.clock.now();
    let context = OpenContext { now, run_at: run.scheduled_at.unwrap_or(run.queued_at), zone: job.zone };
    source::open(&job.menu, &engine.store, &context).await.map_err(|error| {
        if let (SourceError::NotReady(not_ready), SourceForm::Csv(csv)) = (&error, &job.menu.form().source) {
            let since = run.trouble_since.unwrap_or(now);
            let until = not_ready.look_again(now, since, csv.wait_until);
            if let Some(until) = until.filter(|until| job.deadline.is_none_or(|deadline| *until < deadline)) {
                return Stop::Wait { until, failure: error.failure() };
            }
        }
        Stop::failed(error.failure())
    })
}

/// Reads and writes on a thread of its own, since both block.
async fn write(engine: &Engine, job: &Job, opened: Opened) -> Result<Exported, Stop> {
    let (menu, form) = (job.menu.clone(), job.integration.form().clone());
    let (clock, deadline, over_time) = (engine.clock.clone(), job.deadline, job.over_time());
    let go_on = move |_| match deadline {
        Some(deadline) if clock.now() > deadline => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let (folder, keys) = (job.folder.clone(), job.run.wanted_keys.clone());
    let work = tokio::task::spawn_blocking(move || {
        let plan = export::Plan::new(&menu, &form.csv, &form.limits, &opened.header, keys.as_deref())?;
        export::write(&plan, opened.blocks, &folder, go_on).map_err(|error| match error {
            ExportError::Stopped => over_time,
            ExportError::Source(error) => error.failure(),
            ExportError::Failed(failure) => failure,
            other => internal(other),
        })
    });
    match work.await {
        Ok(exported) => exported.map_err(Stop::failed),
        Err(panic) => Err(Stop::failed(internal(format!("the export panicked: {panic}")))),
    }
}

fn new_batch(batch: &export::Batch) -> NewBatch {
    let name = batch.path.file_name().unwrap_or_default();
    NewBatch {
        file: name.to_string_lossy().into_owned(),
        records: batch.records,
        bytes: batch.bytes,
        sha256: batch.sha256.clone(),
        state: BatchState::Ready,
    }
}

/// The failure that a run carries whose rows were left out, though all that was sent was taken.
fn warning(exported: &Exported) -> Option<Failure> {
    (exported.left_out_total > 0).then(|| {
        let first = exported.left_out.first();
        let code =
            first.map_or(Code::RowRule, |row| if row.reason.contains("U+") { Code::Unmappable } else { Code::RowRule });
        let message =
            format!("{} of {} rows were left out by the menu's rules", exported.left_out_total, exported.read);
        Failure::new(code, message).with_rows(exported.left_out.clone(), exported.left_out_total)
    })
}

fn is_check(failure: &Failure) -> bool {
    matches!(failure.code, Code::Empty | Code::DuplicateKeys)
}

/// A tripped check holds the run or fails it, as the menu says; the strictest one speaks.
fn check(job: &Job, tripped: Vec<Failure>) -> Result<(), Stop> {
    let checks = job.menu.form().checks;
    let mut held = None;
    for failure in tripped {
        let on_trip = match failure.code {
            Code::Empty => checks.empty,
            _ => checks.duplicate_keys,
        };
        match on_trip {
            OnTrip::Fail => return Err(Stop::failed(failure)),
            OnTrip::Hold => held = held.or(Some(failure)),
        }
    }
    held.map_or(Ok(()), |failure| Err(Stop::Held(failure)))
}

/// Takes over the stored files of an earlier run: linked, so that neither run's end removes the other's.
async fn adopt(engine: &Engine, job: &Job, earlier: &str) -> Result<(), Stop> {
    let earlier = engine.store.run(earlier).await?;
    if earlier.exported_at.is_none() {
        return export(engine, job).await;
    }
    let batches = engine.store.batches(earlier.seq).await?;
    let from = engine.folder_of(&earlier.id);
    link(&from, &job.folder, &batches).map_err(|error| {
        let message =
            format!("{}: the stored files cannot be taken over: {error}: start a new run instead", from.display());
        Stop::failed(Failure::new(Code::SpoolDamaged, message))
    })?;
    let adopted = batches.into_iter().map(|batch| NewBatch {
        state: if job.run.only_failed && batch.state == BatchState::Accepted {
            BatchState::Accepted
        } else {
            BatchState::Ready
        },
        file: batch.file,
        records: batch.records,
        bytes: batch.bytes,
        sha256: batch.sha256,
    });
    let new = NewExport {
        batches: adopted.collect(),
        records: earlier.records,
        skipped_rows: earlier.skipped_rows,
        warning: earlier.warning,
        tripped: None,
        source: earlier.source,
        adopted: earlier.export_number,
    };
    Ok(engine.store.record_export(job.run.seq, &new, engine.clock.now()).await?)
}

fn link(from: &Path, to: &Path, batches: &[Batch]) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(to)?;
    for batch in batches {
        let target = to.join(&batch.file);
        match std::fs::remove_file(&target) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        std::fs::hard_link(from.join(&batch.file), target)?;
    }
    std::fs::File::open(to)?.sync_all()
}
