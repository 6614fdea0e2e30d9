//! What a run would do with a list as it is now (`menu preview`): the same steps as a run's up to its first request, in
//! a passing folder, so that nothing can be said here that a run would not do. It queues nothing, sends nothing and
//! leaves no file; whether secrets and the route are right is for `check` to say.

use super::exporting::{warning, write_files};
use crate::domain::failure::{Failure, RowFault};
use crate::domain::integration::{CsvForm, Limits};
use crate::domain::menu::{Menu, OnTrip};
use crate::domain::run::RunState;
use crate::export::{self, ExportError, Exported, Plan, Preview};
use crate::source::{self, OpenContext, SourceError};
use crate::store::Store;
use std::path::Path;

/// How a run would come to its first request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The first rows; `None` where not even the columns fit together.
    pub preview: Option<Preview>,
    /// `accepted` or `partial` where it would go and everything be taken, `held` or `failed` where a person is needed.
    pub state: RunState,
    /// Why it would be held, fail, or end `partial`.
    pub failure: Option<Failure>,
    /// Data rows that would be sent.
    pub records: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// How many files.
    pub files: usize,
    /// Where a mark would stand in the place of a letter; at most [`Failure::MOST_ROWS`] of them.
    pub substituted: Vec<RowFault>,
    /// How many rows have such a mark.
    pub substituted_total: u64,
}

impl Outlook {
    /// Whether a run would reach its first request.
    #[must_use]
    pub fn would_go(&self) -> bool {
        matches!(self.state, RunState::Accepted | RunState::Partial)
    }

    fn failed(preview: Option<Preview>, failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::of(preview, RunState::Failed, &Exported::default()) }
    }

    fn of(preview: Option<Preview>, state: RunState, exported: &Exported) -> Self {
        Self {
            preview,
            state,
            failure: None,
            records: exported.records,
            bytes: exported.bytes,
            files: exported.batches.len(),
            substituted: exported.substituted.clone(),
            substituted_total: exported.substituted_total,
        }
    }
}

/// The form that a menu's list takes on its way.
#[derive(Debug, Clone)]
pub struct Form {
    /// The menu.
    pub menu: Menu,
    /// The integration's CSV.
    pub csv: CsvForm,
    /// The integration's limits.
    pub limits: Limits,
}

/// Looks at the first `rows` rows, then at the whole list. `scratch` is a folder that is made and removed again.
///
/// # Errors
/// The source cannot be opened, or not be read to its end.
pub async fn outlook(
    store: &Store,
    form: Form,
    context: &OpenContext,
    rows: usize,
    scratch: &Path,
) -> Result<Outlook, SourceError> {
    // The rows are read twice: a source gives its blocks once.
    let (first, whole) =
        (source::open(&form.menu, store, context).await?, source::open(&form.menu, store, context).await?);
    let scratch = scratch.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let plan = match Plan::new(&form.menu, &form.csv, &form.limits, &whole.header, None) {
            Ok(plan) => plan,
            Err(failure) => return Ok(Outlook::failed(None, failure)),
        };
        let preview = match export::preview(&plan, first.blocks, rows) {
            Ok(preview) => Some(preview),
            Err(ExportError::Source(error)) => return Err(error),
            Err(_) => None,
        };
        let exported = write_files(&plan, whole, &scratch, || false);
        // It may never have been made.
        let _ = std::fs::remove_dir_all(&scratch);
        Ok(judge(preview, &form.menu, exported))
    });
    work.await.unwrap_or(Err(SourceError::Ended))
}

fn judge(preview: Option<Preview>, menu: &Menu, exported: Result<Exported, Failure>) -> Outlook {
    let mut exported = match exported {
        Ok(exported) => exported,
        Err(failure) => return Outlook::failed(preview, failure),
    };
    let (state, failure) = match menu.form().checks.strictest(std::mem::take(&mut exported.tripped)) {
        Some((OnTrip::Fail, failure)) => (RunState::Failed, Some(failure)),
        Some((OnTrip::Hold, failure)) => (RunState::Held, Some(failure)),
        None => match warning(&exported) {
            Some(warning) => (RunState::Partial, Some(warning)),
            None => (RunState::Accepted, None),
        },
    };
    Outlook { failure, ..Outlook::of(preview, state, &exported) }
}
