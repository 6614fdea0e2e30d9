//! The desk of a settings file: what only such a file holds, references to secrets and paths from its folder.

use super::paths::Base;
use crate::domain::secret::SecretText;
use crate::settings::keys;
use crate::yaml::{self, Node};

/// Reads a settings file.
pub(in crate::settings) type Desk<'a> = yaml::Desk<'a, Base>;

/// A desk for a file.
pub(in crate::settings) fn desk(base: &Base) -> Desk<'_> {
    Desk::new(base, keys::LATER)
}

impl Desk<'_> {
    /// A text that may hold references to secrets.
    pub(super) fn secret(&mut self, node: &Node) -> Option<SecretText> {
        let text = self.secret_as_written(node)?;
        match self.base.secret(text) {
            Ok(text) => Some(text),
            Err((what, fix)) => {
                self.refuse(node.place, what, fix);
                None
            }
        }
    }

    /// A file's name, made complete.
    pub(super) fn file(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        match self.base.complete(&text) {
            Ok(path) => Some(path),
            Err((what, fix)) => {
                self.refuse(node.place, what, fix);
                None
            }
        }
    }
}
