//! From the source to the spool: find the source, read it, write the batches, look at the checks. A run that goes on,
//! was approved or repeats another one uses the files that are there; each is verified again before it is sent. A check
//! that tripped is written down with the files, so that they are never found without it.

use super::Engine;
use super::executor::{Stop, internal};
use super::job::Job;
use crate::domain::failure::{Code, Failure};
use crate::domain::menu::OnTrip;
use crate::domain::run::BatchState;
use crate::export::{self, ExportError, Exported};
use crate::source::{self, OpenContext, Opened, SourceError, SourceInfo};
use crate::store::StoreError;
use crate::store::batches::{Batch, NewBatch, NewExport};
use crate::store::runs::Run;
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

/// The run's files: those that are there, those of the run that it repeats, or those of a new export; unless a check
/// has tripped at them that nobody has approved.
pub(super) async fn stored(engine: &Engine, job: &Job) -> Result<Stored, Stop> {
    let run = &job.run;
    if run.exported_at.is_none() {
        match &run.retry_of {
            Some(earlier) => repeat(engine, job, earlier).await?,
            None => export(engine, job).await?,
        }
    }
    let run = job.steady.insist(|| engine.store.run_by_seq(run.seq)).await?;
    check(job, run.tripped)?;
    Ok(Stored { batches: job.steady.insist(|| engine.store.batches(run.seq)).await?, warning: run.warning })
}

/// Exports, and writes down what came of it, with the checks that tripped.
async fn export(engine: &Engine, job: &Job) -> Result<(), Stop> {
    let opened = open(engine, job).await?;
    let (about, source) = (opened.about.to_string(), place(&opened.about, job.zone));
    let exported = write(engine, job, opened).await?;
    info!(run = %job.run.id, records = exported.records, left_out = exported.left_out_total, not_meant = exported.not_meant, bytes = exported.bytes, "exported from {about}");
    let new = NewExport {
        batches: exported.batches.iter().map(new_batch).collect(),
        records: exported.records,
        skipped_rows: exported.left_out_total,
        warning: warning(&exported),
        tripped: exported.tripped,
        source: Some(source),
        adopted: None,
    };
    Ok(job.steady.insist(|| engine.store.record_export(job.run.seq, &new, engine.clock.now())).await?)
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
        if let (SourceError::NotReady(not_ready), Some(file)) = (&error, job.menu.form().source.file()) {
            let since = run.trouble_since.unwrap_or(now);
            let until = not_ready.look_again(now, since, file.wait_until);
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
    let (clock, deadline) = (engine.clock.clone(), job.deadline);
    let is_over = move || deadline.is_some_and(|deadline| clock.now() > deadline);
    let (folder, keys) = (job.folder.clone(), job.run.wanted_keys.clone());
    let work = tokio::task::spawn_blocking(move || {
        let plan = export::Plan::new(&menu, &form.csv, &form.limits, &opened.header, keys.as_deref())?;
        write_files(&plan, opened, &folder, is_over)
    });
    match work.await {
        Ok(exported) => exported.map_err(Stop::failed),
        Err(panic) => Err(Stop::failed(internal(format!("the export panicked: {panic}")))),
    }
}

/// All rows of a source as the files of a run, unless its time `is_over` before.
pub(super) fn write_files(
    plan: &export::Plan,
    opened: Opened,
    folder: &Path,
    is_over: impl Fn() -> bool,
) -> Result<Exported, Failure> {
    let go_on = |_| if is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    export::write(plan, opened.blocks, folder, go_on).map_err(|error| match error {
        ExportError::Stopped => Failure::new(Code::TimeLimit, "the export was not done within the time_limit"),
        ExportError::Source(error) => error.failure(),
        ExportError::Failed(failure) => failure,
        other => internal(other),
    })
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
pub(super) fn warning(exported: &Exported) -> Option<Failure> {
    (exported.left_out_total > 0).then(|| {
        let first = exported.left_out.first();
        let unmappable = first.is_some_and(|row| row.reason.is_unmappable());
        let code = if unmappable { Code::Unmappable } else { Code::RowRule };
        let meant = exported.read - exported.not_meant;
        let message = format!("{} of {meant} rows were left out by the menu's rules", exported.left_out_total);
        Failure::new(code, message).with_rows(exported.left_out.clone(), exported.left_out_total)
    })
}

/// A tripped check holds the run or fails it, as the menu says, until a person has approved it: whether it has just
/// been exported, repeats another run's files, or goes on after a crash.
fn check(job: &Job, tripped: Vec<Failure>) -> Result<(), Stop> {
    match job.menu.form().checks.strictest(tripped) {
        None => Ok(()),
        Some((OnTrip::Fail, failure)) => Err(Stop::failed(failure)),
        Some((OnTrip::Hold, failure)) => Err(Stop::Held(failure)),
    }
}

/// The stored files of a run that another one could send again, or why there are none.
pub(super) async fn stored_files(engine: &Engine, run: &Run) -> Result<Result<Vec<Batch>, &'static str>, StoreError> {
    if run.exported_at.is_none() {
        return Ok(Err("it has no files: it ended before its export was complete"));
    }
    let batches = engine.store.batches(run.seq).await?;
    let folder = engine.folder_of(&run.id);
    let are_there = batches.iter().all(|batch| folder.join(&batch.file).exists());
    Ok(if are_there {
        Ok(batches)
    } else {
        Err("its files are gone (`keep_files` in config.yaml says how long they stay)")
    })
}

/// Repeats an earlier run: on its files, or, where there are none, on what the source has now.
async fn repeat(engine: &Engine, job: &Job, earlier: &str) -> Result<(), Stop> {
    let steady = &job.steady;
    let earlier = steady.insist(|| engine.store.run(earlier)).await?;
    match steady.insist(|| stored_files(engine, &earlier)).await? {
        Ok(batches) => adopt(engine, job, earlier, batches).await,
        Err(why) if job.run.only_failed && earlier.exported_at.is_some() => {
            let message = format!("run {}: {why}: its batches cannot be sent one by one: start a new run", earlier.id);
            Err(Stop::failed(Failure::new(Code::SpoolDamaged, message)))
        }
        Err(why) => {
            let text = format!("run {}: {why}: the source is exported anew", earlier.id);
            steady.insist(|| engine.store.note(job.run.seq, "anew", &text, engine.clock.now())).await?;
            export(engine, job).await
        }
    }
}

/// Takes over the stored files of an earlier run: linked, so that neither run's end removes the other's.
async fn adopt(engine: &Engine, job: &Job, earlier: Run, batches: Vec<Batch>) -> Result<(), Stop> {
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
        tripped: earlier.tripped,
        source: earlier.source,
        adopted: earlier.export_number,
    };
    Ok(job.steady.insist(|| engine.store.record_export(job.run.seq, &new, engine.clock.now())).await?)
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
