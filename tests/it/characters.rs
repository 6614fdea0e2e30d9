//! Tests of: characters.
