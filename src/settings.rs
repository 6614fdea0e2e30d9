//! Settings files: parse, plan, apply, export; sealing of secrets. Files become entities only as a whole: while one
//! fault stands nothing is saved. This room prints nothing and talks to nobody; it returns texts.

mod decode;
mod entities;
mod finding;
mod keys;
mod load;
pub mod secrets;
mod text;
mod tree;

pub use entities::Entities;
pub use finding::{Finding, Findings, Place};
pub use keys::keys;
pub use load::{Against, Loaded, load, load_files};
pub use text::{MOST_BYTES, SettingsText, read};
