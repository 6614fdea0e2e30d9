//! Tests of: records.
