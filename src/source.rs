//! Where a menu's records come from.
