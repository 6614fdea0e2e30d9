//! Settings files: parse, plan, apply, export; sealing of secrets. Files become entities only as a whole: while one
//! fault stands nothing is saved. This room prints nothing and talks to nobody; it returns texts.

pub mod secrets;
