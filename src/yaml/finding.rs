//! A finding with its place: file, line and column, what is wrong and how to mend it. What the domain says about a
//! value becomes this once somebody knows where the value was written.

use crate::domain::fault::{Fault, Severity};
use std::fmt;
use std::path::{Path, PathBuf};

/// A place in a text; both numbers start at 1, columns are counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Where every text begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// One finding about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// The file, as it was named on the command line; `None` for what no file says, such as a stored timer.
    pub file: Option<PathBuf>,
    /// Where in it; `None` when the file could not be read at all.
    pub place: Option<Place>,
    /// What it is about, such as `integration 社員マスタ連携`; may be empty.
    pub subject: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it; empty when the sentence before says it.
    pub fix: String,
}

impl Finding {
    /// A refusal about a file as a whole.
    #[must_use]
    pub fn about(file: &Path, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: Some(file.to_owned()),
            place: None,
            subject: String::new(),
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// A refusal at a place.
    #[must_use]
    pub fn at(file: &Path, place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::about(file, what, fix) }
    }

    /// What the domain says, at its place.
    #[must_use]
    pub fn of(fault: Fault, file: &Path, place: Place, subject: &str) -> Self {
        let (mut what, mut fix) = (fault.what, fault.fix);
        // Some of the domain's sentences say both at once.
        if fix.is_empty()
            && let Some((first, rest)) = what.split_once(": write ")
        {
            (what, fix) = (first.to_owned(), format!("write {rest}"));
        }
        Self {
            severity: fault.severity,
            file: Some(file.to_owned()),
            place: Some(place),
            subject: subject.to_owned(),
            what,
            fix,
        }
    }

    /// Whether it stops everything.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    /// `settings.yaml:4:11: error: integration 社員: the URL is not https (use https, …)`
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "{}:", file.display())?;
            if let Some(place) = self.place {
                write!(out, "{place}:")?;
            }
            out.write_str(" ")?;
        }
        out.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
            Severity::Notice => "notice: ",
        })?;
        if !self.subject.is_empty() {
            write!(out, "{}: ", self.subject)?;
        }
        out.write_str(&self.what)?;
        if !self.fix.is_empty() {
            write!(out, " ({})", self.fix)?;
        }
        Ok(())
    }
}

/// Every finding about some files, in their order; at least one is an error where this is an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Whether one of them stops everything.
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.0.iter().any(Finding::is_error)
    }
}
