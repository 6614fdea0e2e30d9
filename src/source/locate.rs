//! Which file is meant, and may it be read now? Finds a path, the newest file of a glob, or a name with a date in it,
//! and looks at its age, its completion file and whether it is still being written. It reads metadata only, never
//! sleeps and never falls back to an older file: where the newest one is not ready, the answer is "not ready".

use super::OpenContext;
use super::error::SourceError;
use crate::domain::duration::Span;
use crate::domain::menu::FileForm;
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// A file may be so much younger than now: clocks of two machines differ.
const AHEAD: TimeDelta = TimeDelta::minutes(10);
/// A file younger than this may still be in its writer's hands, unless a completion file says otherwise.
pub const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(2);
/// How often a file that is missing, too old or incomplete is looked for while a run waits for it.
const LOOK_EVERY: TimeDelta = TimeDelta::seconds(5);
/// How long a run waits for a file to come to rest where `wait_until` does not say.
const REST_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// A file that may be read, and how it looked when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Its looks, compared again after the reading.
    pub looks: Looks,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// Bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: DateTime<Utc>,
    /// Device and inode where the system has them; 0 elsewhere.
    pub identity: (u64, u64),
}

impl Looks {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let identity = (0, 0);
        Self { size: metadata.len(), modified: metadata.modified().map(DateTime::from).unwrap_or_default(), identity }
    }
}

/// Why there is no file that may be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No such file.
    Missing,
    /// Older than `max_age`.
    TooOld,
    /// The completion file is missing or older than the file.
    NoCompletion,
    /// Written a moment ago.
    Growing,
    /// Not a file, or not to be looked at; waiting does not help.
    Unreadable,
}

/// There is no file that may be read now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotReady {
    /// Why.
    pub why: Why,
    /// The file or the pattern.
    pub path: PathBuf,
    /// What, where, and how to mend it.
    pub what: String,
    /// For [`Why::Growing`]: when the file will have been at rest long enough, if it is left alone.
    pub settled_at: Option<DateTime<Utc>>,
}

impl NotReady {
    fn new(why: Why, path: &Path, what: String) -> Self {
        Self { why, path: path.to_owned(), what, settled_at: None }
    }

    /// Whether waiting can help at all.
    #[must_use]
    pub fn may_come(&self) -> bool {
        self.why != Why::Unreadable
    }

    /// When a run that has been waiting since `since` looks again; `None` when it gives up. A file that is only
    /// coming to rest is waited for (a minute at most) also where no `wait_until` is set.
    #[must_use]
    pub fn look_again(
        &self,
        now: DateTime<Utc>,
        since: DateTime<Utc>,
        wait_until: Option<Span>,
    ) -> Option<DateTime<Utc>> {
        let patience = match (self.why, wait_until) {
            (Why::Unreadable, _) => return None,
            (Why::Growing, span) => span.map_or(REST_WITHIN, |span| span.to_delta().max(REST_WITHIN)),
            (_, Some(span)) => span.to_delta(),
            (_, None) => return None,
        };
        let give_up = since + patience;
        let next = self.settled_at.unwrap_or(now + LOOK_EVERY).max(now + TimeDelta::milliseconds(100));
        (now < give_up).then(|| next.min(give_up))
    }
}

/// Finds the file of a form and says whether it may be read at `context.now`.
///
/// # Errors
/// [`SourceError::NotReady`] where it may not be read, [`SourceError::Settings`] where the path cannot be followed.
pub fn locate<'f>(form: impl Into<FileForm<'f>>, context: &OpenContext) -> Result<Found, SourceError> {
    let form = form.into();
    let date = context.run_at.with_timezone(&context.zone).date_naive();
    let pattern = with_date(form.path, date)?;
    let (path, looks) = if is_pattern(&pattern) {
        newest(&pattern, form.completion, date)?
    } else {
        let path = PathBuf::from(&pattern);
        let looks = look(&path)?;
        (path, looks)
    };
    if let Some(limit) = form.max_age {
        let age = context.now - looks.modified;
        if age > limit.to_delta() {
            let what = format!(
                "{}: it was written {} and is older than the {limit} that max_age allows: let it be written anew, or \
                 raise max_age",
                path.display(),
                looks.modified.with_timezone(&context.zone).format("%Y-%m-%d %H:%M"),
            );
            return Err(NotReady::new(Why::TooOld, &path, what).into());
        }
        if age < -AHEAD {
            let what = format!(
                "{}: its time ({}) lies ahead, so that max_age cannot tell how old it is: set the clock of whoever writes \
                 it, and let it be written anew",
                path.display(),
                looks.modified.with_timezone(&context.zone).format("%Y-%m-%d %H:%M"),
            );
            return Err(NotReady::new(Why::TooOld, &path, what).into());
        }
    }
    if let Some(completion) = form.completion {
        complete(&path, &looks, &completion_of(completion, &path, date)?)?;
    } else {
        // A time in the future (another machine's clock, a test's) tells nothing: only the last two seconds do.
        let age = context.now - looks.modified;
        if age.abs() < SETTLED_AFTER {
            let what = format!(
                "{}: it was written less than {} seconds ago and may still be growing: wait until its writer is done",
                path.display(),
                SETTLED_AFTER.num_seconds()
            );
            let mut growing = NotReady::new(Why::Growing, &path, what);
            growing.settled_at = Some(looks.modified + SETTLED_AFTER);
            return Err(growing.into());
        }
    }
    Ok(Found { path, looks })
}

/// A file that a person names by hand, as it is now: neither its age nor a writer is waited for.
///
/// # Errors
/// [`SourceError::NotReady`] where it is not there or no file.
pub fn named(path: &Path) -> Result<Found, SourceError> {
    Ok(Found { path: path.to_owned(), looks: look(path)? })
}

/// Looks at one path; anything but a regular file (through links) is refused here, so that no pipe or device can
/// block the reading.
fn look(path: &Path) -> Result<Looks, NotReady> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Looks::of(&metadata)),
        Ok(metadata) => {
            let kind = if metadata.is_dir() { "a folder" } else { "no regular file" };
            let mend = "name a file, or a pattern such as folder/*.csv";
            let what = format!("{}: it is {kind}: {mend}", path.display());
            Err(NotReady::new(Why::Unreadable, path, what))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(gone(path)),
        Err(error) => {
            let what = format!(
                "{}: cannot be looked at: {error}: give the user that renkei runs as the right to read it",
                path.display()
            );
            Err(NotReady::new(Why::Unreadable, path, what))
        }
    }
}

/// There is no such file, or no more.
pub(super) fn gone(path: &Path) -> NotReady {
    let what = format!("{}: there is no such file: let it be written, or correct the menu's path", path.display());
    NotReady::new(Why::Missing, path, what)
}

fn complete(path: &Path, looks: &Looks, completion: &Path) -> Result<(), NotReady> {
    let refuse = |what: &str| {
        let what = format!(
            "{}: its completion file {} {what}: let the writer create it after the file is complete",
            path.display(),
            completion.display(),
        );
        Err(NotReady::new(Why::NoCompletion, path, what))
    };
    match std::fs::metadata(completion) {
        Ok(metadata) if Looks::of(&metadata).modified >= looks.modified => Ok(()),
        Ok(_) => refuse("is older than the file itself"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => refuse("is not there"),
        Err(error) => Err(NotReady::new(
            Why::Unreadable,
            completion,
            format!("{}: the completion file cannot be looked at: {error}", completion.display()),
        )),
    }
}

/// `{path}` stands for the found file; a relative name lies beside it.
fn completion_of(written: &str, path: &Path, date: NaiveDate) -> Result<PathBuf, SourceError> {
    let named = with_date(written, date)?.replace("{path}", &path.to_string_lossy());
    Ok(path.parent().unwrap_or(Path::new("")).join(named))
}

fn is_pattern(path: &str) -> bool {
    // A folder may be called `[old]`: a bracket alone makes a pattern only if no such file lies there.
    path.contains(['*', '?']) || (path.contains('[') && !Path::new(path).is_file())
}

/// The newest file of a pattern; of two written in the same instant, the one whose path is the greater.
fn newest(pattern: &str, completion: Option<&str>, date: NaiveDate) -> Result<(PathBuf, Looks), SourceError> {
    let options =
        glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let matches = glob::glob_with(pattern, options).map_err(|error| SourceError::Settings {
        what: format!("the path {pattern} is no pattern: {error}"),
        mend: "write * for any text, ? for one character, [ab] for one of several".to_owned(),
    })?;
    let mut candidates = Vec::new();
    for entry in matches {
        // A folder that cannot be listed may hold the newest file: that is no reason to take an older one.
        let path = entry.map_err(|error| {
            let what = format!("{}: cannot be listed: {}", error.path().display(), error.error());
            NotReady::new(Why::Unreadable, error.path(), what)
        })?;
        match look(&path) {
            Ok(looks) => candidates.push((looks.modified, path, looks)),
            Err(reason) if reason.why == Why::Missing => {}
            Err(_) if path.is_dir() => {}
            Err(reason) => return Err(reason.into()),
        }
    }
    if let Some(completion) = completion {
        let marks = candidates
            .iter()
            .map(|(_, path, _)| completion_of(completion, path, date))
            .collect::<Result<std::collections::HashSet<_>, _>>()?;
        candidates.retain(|(_, path, _)| !marks.contains(path));
    }
    let newest = candidates.into_iter().max_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    newest.map(|(_, path, looks)| (path, looks)).ok_or_else(|| {
        let what = format!("{pattern}: no file matches: let it be written, or correct the menu's path");
        NotReady::new(Why::Missing, Path::new(pattern), what).into()
    })
}

/// Writes the run's date where `{run_date}` (as 2026-11-24) or `{run_date:%Y%m%d}` stands; every other brace stays.
///
/// # Errors
/// [`SourceError::Settings`] for a format that chrono does not know or that asks for a time of day.
pub fn with_date(path: &str, date: NaiveDate) -> Result<String, SourceError> {
    const OPEN: &str = "{run_date";
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find(OPEN) {
        out.push_str(&rest[..at]);
        let refuse = |what: &str| SourceError::Settings {
            what: format!("the path {path} {what}"),
            mend: "write {run_date} or, say, {run_date:%Y%m%d}".to_owned(),
        };
        let tail = &rest[at + OPEN.len()..];
        let (inside, after) = tail.split_once('}').ok_or_else(|| refuse("has a placeholder without an end"))?;
        let format = match inside.strip_prefix(':') {
            Some(format) if !format.is_empty() => format,
            None if inside.is_empty() => "%Y-%m-%d",
            _ => return Err(refuse("has a placeholder that is not known")),
        };
        let known = !StrftimeItems::new(format).any(|item| item == Item::Error);
        if !known || write!(out, "{}", date.format(format)).is_err() {
            return Err(refuse("has a date format that cannot be written from a date"));
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
    }

    #[test]
    fn the_run_date_is_written_in_the_form_that_is_asked_for() {
        for (path, written) in [
            ("a.csv", "a.csv"),
            ("{run_date}.csv", "2026-11-24.csv"),
            ("in/{run_date:%Y%m}/emp_{run_date:%Y%m%d}.csv", "in/202611/emp_20261124.csv"),
            ("{path}{other}", "{path}{other}"),
        ] {
            assert_eq!(with_date(path, day()).unwrap(), written);
        }
        for path in ["{run_date", "{run_date:}", "{run_dates}", "{run_date:%Q}", "{run_date:%H}", "{run_date:%}"] {
            assert!(matches!(with_date(path, day()), Err(SourceError::Settings { .. })), "{path}");
        }
    }

    #[test]
    fn a_run_waits_as_long_as_it_is_told_and_for_a_growing_file_a_little_in_any_case() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let missing = NotReady::new(Why::Missing, Path::new("x"), String::new());
        assert_eq!(missing.look_again(at(0), at(0), None), None);
        assert_eq!(missing.look_again(at(0), at(0), Some(Span::minutes(1))), Some(at(5)));
        assert_eq!(missing.look_again(at(58), at(0), Some(Span::minutes(1))), Some(at(60)));
        assert_eq!(missing.look_again(at(60), at(0), Some(Span::minutes(1))), None);
        let mut growing = NotReady::new(Why::Growing, Path::new("x"), String::new());
        growing.settled_at = Some(at(2));
        assert_eq!(growing.look_again(at(1), at(0), None), Some(at(2)));
        assert_eq!(growing.look_again(at(60), at(0), None), None);
        let unreadable = NotReady::new(Why::Unreadable, Path::new("x"), String::new());
        assert_eq!(unreadable.look_again(at(0), at(0), Some(Span::hours(1))), None);
    }
}
