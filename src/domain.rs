//! Facts, rules and the pure decisions: no I/O, no clock.

pub mod duration;
