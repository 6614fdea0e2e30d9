//! Records → columns → characters → CSV batches in the spool.

pub mod characters;
pub mod width;
