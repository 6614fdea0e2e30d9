//! `where`: which of a source's rows the list is about. A row that does not meet every condition is none of its records:
//! it is not sent, and breaks no rule.

use crate::domain::fault::Fault;
use serde::{Deserialize, Serialize};

/// One condition on one of the source's columns. Blanks at both ends of a value do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The source's column.
    pub field: String,
    /// The value is this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// The value is another text than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<String>,
    /// The value is one of these texts.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<String>>,
    /// Whether the value is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<bool>,
}

impl Condition {
    /// Whether a value meets it.
    #[must_use]
    pub fn is_met_by(&self, value: &str) -> bool {
        let value = value.trim();
        let is = |text: &String| text.trim() == value;
        self.is.as_ref().is_none_or(is)
            && self.is_not.as_ref().is_none_or(|text| !is(text))
            && self.one_of.as_ref().is_none_or(|texts| texts.iter().any(is))
            && self.empty.is_none_or(|empty| value.is_empty() == empty)
    }

    fn tests(&self) -> usize {
        let written = [self.is.is_some(), self.is_not.is_some(), self.one_of.is_some(), self.empty.is_some()];
        written.into_iter().filter(|written| *written).count()
    }
}

/// Every fault of the conditions, each at its place.
pub(super) fn check(conditions: &[Condition], faults: &mut Vec<Fault>) {
    for (index, condition) in conditions.iter().enumerate() {
        let index = index.to_string();
        let mut refuse = |path: &[&str], what: String, fix: &str| {
            let path: Vec<&str> = ["where", &index].iter().chain(path).copied().collect();
            faults.push(Fault::error(&path, what, fix));
        };
        if condition.field.is_empty() {
            refuse(&["field"], "the field is empty".to_owned(), "write the name of one of the source's columns");
        }
        match condition.tests() {
            0 => {
                let what = format!("nothing is asked of {}", condition.field);
                refuse(&[], what, "write is: TEXT, is_not: TEXT, in: [TEXT, TEXT] or empty: true");
            }
            1 => {}
            _ => {
                let what = format!("several things are asked of {} at once", condition.field);
                refuse(&[], what, "write one condition for each: a row has to meet them all");
            }
        }
        if condition.one_of.as_ref().is_some_and(Vec::is_empty) {
            refuse(&["in"], "no value is in an empty list".to_owned(), "write in: [\"1\", \"2\"], say");
        }
    }
}
