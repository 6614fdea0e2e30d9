//! Tests of: push.
