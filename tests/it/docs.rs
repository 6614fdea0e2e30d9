//! Prose cannot rot: every table that a page shows is compared with the code.
