//! Tests of: csv_source.
