//! Other texts for some values: 1 → 正社員.

use crate::domain::failure::RowReason;
use crate::domain::menu::{Otherwise, Replace};
use std::collections::HashMap;

/// A table of whole values.
#[derive(Debug, Clone)]
pub(super) struct Replacing {
    table: HashMap<String, String>,
    otherwise: Otherwise,
}

impl Replacing {
    pub(super) fn new(form: &Replace) -> Self {
        Self { table: form.map.iter().cloned().collect(), otherwise: form.otherwise.clone() }
    }

    /// What is sent instead; `None` if the value stays. An empty value stays, unless the table has it.
    pub(super) fn other(&self, value: &str) -> Result<Option<&str>, RowReason> {
        if let Some(other) = self.table.get(value) {
            return Ok(Some(other));
        }
        match &self.otherwise {
            Otherwise::Reject if !value.is_empty() => Err(RowReason::NotInMap),
            Otherwise::Text(text) if !value.is_empty() => Ok(Some(text)),
            _ => Ok(None),
        }
    }
}
