//! Settings files: parse, plan, apply, export; sealing of secrets. Files become entities only as a whole: while one
//! fault stands nothing is saved. This room prints nothing and talks to nobody; it returns texts.

mod apply;
mod canonical;
mod decode;
mod entities;
mod export;
mod finding;
mod holidays;
mod keys;
mod load;
mod plan;
pub mod secrets;
mod switch;
mod text;
mod tree;

pub use apply::{ApplyError, Proposal, Saving, apply, propose, propose_texts};
pub use entities::Entities;
pub use export::export;
pub use finding::{Finding, Findings, Place};
pub use holidays::{HolidayError, ImportBy, ImportedHolidays, MovedTimer, import_holidays};
pub use keys::keys;
pub use load::{Against, Loaded, load, load_files};
pub use plan::{EntityChange, EntityKind, FieldChange, Plan};
pub use switch::{SwitchError, switch_timer};
pub use text::{MOST_BYTES, SettingsText, read};
