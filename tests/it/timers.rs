//! Tests of: timers.
