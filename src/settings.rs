//! Settings files: parse, plan, apply, export; sealing of secrets. Files become entities only as a whole: while one
//! fault stands nothing is saved. This room prints nothing and talks to nobody; it returns texts.

mod apply;
mod canonical;
mod decode;
mod entities;
mod export;
mod holidays;
mod keys;
mod load;
mod plan;
pub mod secrets;
mod stop;
mod switch;

pub use apply::{ApplyError, Proposal, Saving, apply, propose, propose_texts};
pub use entities::Entities;
pub use export::export;
pub use holidays::{HolidayError, ImportBy, ImportedHolidays, MovedTimer, import_holidays};
pub use keys::keys;
pub use load::{Against, Loaded, load, load_files};
pub use plan::{EntityChange, EntityKind, FieldChange, Plan};
pub use stop::{StopError, WantedStop, plan_stop};
pub use switch::{SwitchError, switch_timer};

pub use crate::yaml::{Finding, Findings, Place};
