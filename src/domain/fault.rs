//! What is wrong with a setting, where, and how to mend it. A fault names its place by path (`params.masterId`), so
//! that the settings parser can show file, line and column, and the console a form field. It knows no files.

use std::fmt;

/// How much a fault weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Allowed and done, but the reader should know (a completed URL).
    Notice,
    /// Allowed but likely wrong.
    Warning,
    /// Refused: nothing is saved while one stands.
    Error,
}

/// One finding about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How much it weighs.
    pub severity: Severity,
    /// Where, from the entity down: `["params", "masterId"]`; list members by their number from 0.
    pub path: Vec<String>,
    /// What is wrong, in one sentence.
    pub what: String,
    /// How to mend it, in one sentence; empty when the first sentence says it.
    pub fix: String,
}

impl Fault {
    /// A refusal.
    pub fn error(path: &[&str], what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Error, path, what, fix)
    }

    /// Something allowed that is likely wrong.
    pub fn warning(path: &[&str], what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Warning, path, what, fix)
    }

    /// Something done on the user's behalf.
    pub fn notice(path: &[&str], what: impl Into<String>) -> Self {
        Self::new(Severity::Notice, path, what, "")
    }

    fn new(severity: Severity, path: &[&str], what: impl Into<String>, fix: impl Into<String>) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Self { severity, path, what: what.into(), fix: fix.into() }
    }

    /// The same fault seen from one level further out.
    #[must_use]
    pub fn under(mut self, part: &str) -> Self {
        self.path.insert(0, part.to_owned());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(out, "{}: ", self.path.join("."))?;
        }
        out.write_str(&self.what)?;
        if !self.fix.is_empty() {
            write!(out, " ({})", self.fix)?;
        }
        Ok(())
    }
}

/// A checked value together with what its reader should know, or every fault that stops it.
pub type Checked<T> = Result<(T, Vec<Fault>), Vec<Fault>>;

/// Splits findings into a value with warnings, or all findings when one of them is an error.
pub(crate) fn settle<T>(value: T, faults: Vec<Fault>) -> Checked<T> {
    if faults.iter().any(|fault| fault.severity == Severity::Error) { Err(faults) } else { Ok((value, faults)) }
}
