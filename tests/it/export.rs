//! Tests of: export.
