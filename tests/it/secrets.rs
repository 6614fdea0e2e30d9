//! Tests of: secrets.
