//! Tests of: sandbox.
