//! Tests of: regression.
